/** The parameters of POST /v1/fine_tuning/jobs, and what a job is created with. */
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import {
  dpoHyperparameters,
  type JobHyperparameters,
  jobHyperparameters,
  jobSeed,
  jobSuffix,
} from '../../settings/job-hyperparameters.ts';
import { wrongParameter } from '../api-error.ts';
import { open, type RefusedTable, readParameters } from '../parameters.ts';
import type { Asked, Hyperparameters } from '../state/job-store.ts';

const mostPairs = 16;
const mostKey = 64;
const mostValue = 512;
/** Seeds of 31 bits, as the platform gave them. */
const seedCount = 2 ** 31;

const metadata = z
  .record(z.string().max(mostKey), z.string().max(mostValue))
  .refine((pairs) => Object.keys(pairs).length <= mostPairs, `expected up to ${mostPairs} pairs`);

const method = z
  .strictObject({
    type: z.enum(['supervised', 'dpo'], {
      error: ({ input }) =>
        input === 'reinforcement'
          ? 'reinforcement is not supported: supervised and dpo are'
          : "expected 'supervised' or 'dpo'",
    }),
    supervised: open(z.strictObject({ hyperparameters: open(jobHyperparameters) })),
    dpo: open(z.strictObject({ hyperparameters: open(dpoHyperparameters) })),
  })
  .superRefine(({ type, ...blocks }, context) => {
    for (const other of ['supervised', 'dpo'] as const)
      if (other !== type && blocks[other])
        context.addIssue({ code: 'custom', path: [other], message: `stands beside the type ${type}` });
  });

/** Parameters of POST /v1/fine_tuning/jobs. */
export const jobParameters = z.object({
  model: z
    .string()
    .min(1)
    .describe(
      'a model that `GET /v1/models` lists, a finished run (training goes on from its adapter), or a name that is mapped to one',
    ),
  training_file: z.string().min(1).describe('the id of a file with purpose `fine-tune`'),
  validation_file: open(z.string().min(1)).describe(
    'likewise; with it, the result is the epoch with the lowest validation loss',
  ),
  suffix: open(jobSuffix).describe('1 to 64 characters; part of the name of the result'),
  seed: open(jobSeed).describe('0 to 2^31 - 1; by default another one each time'),
  method: open(method).describe(
    '`type` supervised or dpo, with `supervised.hyperparameters` or `dpo.hyperparameters`: `n_epochs` (auto, 1 to 50), `batch_size` (auto, 1 to 256), `learning_rate_multiplier` (auto, above 0), and of dpo `beta` (auto, 0.0001 to 2)',
  ),
  hyperparameters: open(jobHyperparameters).describe('the older form of `method.supervised.hyperparameters`'),
  metadata: open(metadata).describe(
    `up to ${mostPairs} pairs, keys up to ${mostKey} and values up to ${mostValue} characters`,
  ),
});

export const jobRefusals = {
  integrations: { why: 'nothing is sent elsewhere', nothing: [[]] },
} satisfies RefusedTable;

const auto: Hyperparameters = { n_epochs: 'auto', batch_size: 'auto', learning_rate_multiplier: 'auto' };

/** What was given, and auto for the rest. */
function withAuto(given: JobHyperparameters | null | undefined, type: Asked['method']): Hyperparameters {
  const said = Object.entries(given ?? {}).filter(([, value]) => value !== null && value !== undefined);
  return { ...auto, ...(type === 'dpo' ? { beta: 'auto' as const } : {}), ...Object.fromEntries(said) };
}

/** What the body asks for. Throws ApiError. */
export function readJobRequest(body: unknown): Asked {
  const given = readParameters(body, jobParameters, jobRefusals);
  const {
    hyperparameters: older,
    metadata: pairs = null,
    model,
    seed,
    suffix = null,
    training_file,
    validation_file = null,
  } = given;
  const type = given.method?.type ?? 'supervised';
  const newer = given.method?.[type]?.hyperparameters;
  const whole = (each: JobHyperparameters): Hyperparameters => withAuto(each, type);
  if (older && newer && JSON.stringify(whole(older)) !== JSON.stringify(whole(newer)))
    throw wrongParameter(
      'hyperparameters',
      'invalid_value',
      `'hyperparameters' and 'method.${type}.hyperparameters' say different things: leave the older one out.`,
    );
  return {
    model,
    training_file,
    validation_file,
    suffix,
    seed: seed ?? randomInt(seedCount),
    metadata: pairs,
    method: type,
    hyperparameters: withAuto(newer ?? older, type),
  };
}
