/**
 * What OpenAI's fine-tuning jobs set, as settings of `tune`: bounds as the platform had them, and what each number
 * means here. Promises: a number that was given reaches the run or is refused; `auto` leaves the choice to the data
 * (defaults-from-data.ts). Pure.
 */
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { chooseLearningRate, type RateFacts } from './defaults-from-data.ts';
import { leastBeta } from './methods.ts';
import { tuneOptions } from './options.ts';

const auto = z.literal('auto');
const wholeOrAuto = (most: number) => {
  const error = `expected auto or a whole number from 1 to ${most}`;
  return z.union([auto, z.int(error).min(1, error).max(most, error)], { error });
};
const aboveZero = 'expected auto or a number above 0';

/** Hyperparameters of a job of the method supervised; what is left out or null is `auto`. */
export const jobHyperparameters = z.strictObject({
  n_epochs: wholeOrAuto(50).nullish().describe('passes over the data: `epochs`'),
  batch_size: wholeOrAuto(256).nullish().describe('conversations per optimizer step: `batchSize`'),
  learning_rate_multiplier: z
    .union([auto, z.number(aboveZero).gt(0, aboveZero)], { error: aboveZero })
    .nullish()
    .describe("times the learning rate that nomoat chooses for the model: 1 is that, whatever OpenAI's own base was"),
});
const betaRange = `expected auto or a number from ${leastBeta} to 2`;
/** Those of the method dpo. */
export const dpoHyperparameters = jobHyperparameters.extend({
  beta: z
    .union([auto, z.number(betaRange).min(leastBeta, betaRange).max(2, betaRange)], { error: betaRange })
    .nullish()
    .describe('how much differences of log-probabilities count: `beta`; auto is 0.1'),
});
/** Hyperparameters of a job; `beta` of the method dpo alone. */
export type JobHyperparameters = z.output<typeof jobHyperparameters> &
  Pick<z.output<typeof dpoHyperparameters>, 'beta'>;

/** What a job learns from, and how nomoat does it: the method, and whose learning rate is taken. */
export const jobMethods = {
  supervised: { method: 'lora', rates: 'lora' },
  dpo: { method: 'dpo', rates: 'dpo' },
} as const;
export type JobMethod = keyof typeof jobMethods;

/** The end of the name of a job's result. */
export const jobSuffix = z.string().min(1).max(64);
/** As OpenAI bounds it, and `tune` too. */
export const jobSeed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

/** Settings of `tune` that a job's hyperparameters decide. */
export interface JobSettings {
  /** Passes over the data. */
  readonly epochs?: number;
  /** Rows per optimizer step. */
  readonly batchSize?: number;
  /** Top of the learning rate schedule. */
  readonly learningRate?: number;
  /** Of the method dpo. */
  readonly beta?: number;
}

/** Digits of a learning rate: more would only show how numbers are stored. */
const rateDigits = 6;

function learningRateOf(multiplier: number, model: RateFacts): number {
  const usual = chooseLearningRate(model);
  const rate = Number((multiplier * usual).toPrecision(rateDigits));
  if (tuneOptions.learningRate.safeParse(rate).success) return rate;
  throw new NomoatError({
    code: 'invalid-settings',
    part: '`learning_rate_multiplier`',
    fault: `${multiplier} times this model's default learning rate of ${usual} is ${rate}, which \`learningRate\` cannot be`,
    remedy: 'Give one nearer to 1, or auto.',
  });
}

/**
 * Settings of `tune` that correspond to a job's hyperparameters, for a model: `learning_rate_multiplier` multiplies the
 * rate that `tune` takes for it by default, so that 1 changes nothing. Throws NomoatError where the rate is out of
 * bounds.
 */
export function settingsOfHyperparameters(given: JobHyperparameters, model: RateFacts): JobSettings {
  const number = (value: number | 'auto' | null | undefined): number | null =>
    typeof value === 'number' ? value : null;
  const [epochs, batchSize, multiplier] = [given.n_epochs, given.batch_size, given.learning_rate_multiplier].map(
    number,
  );
  const beta = number(given.beta);
  return {
    ...(beta === null ? {} : { beta }),
    ...(epochs == null ? {} : { epochs }),
    ...(batchSize == null ? {} : { batchSize }),
    ...(multiplier == null ? {} : { learningRate: learningRateOf(multiplier, model) }),
  };
}
