/**
 * Fine-tuning jobs of OpenAI and Azure (the object, or the request that made it) as calls of `tune`. Promises: what a
 * job set is a setting, or is said to be different; nothing of it is passed over. Pure.
 */
import { z } from 'zod';
import type { RateFacts } from '../settings/defaults-from-data.ts';
import {
  dpoHyperparameters,
  type JobHyperparameters,
  type JobMethod,
  jobHyperparameters,
  jobMethods,
  jobSeed,
  settingsOfHyperparameters,
} from '../settings/job-hyperparameters.ts';
import { type Imported, type ImportedTune, imported } from './imported.ts';

const text = z.string().nullish();
const block = z.looseObject({ hyperparameters: z.record(z.string(), z.unknown()).nullish() });
const method = z.looseObject({
  type: z.string(),
  supervised: block.nullish(),
  dpo: block.nullish(),
  reinforcement: block.nullish(),
});

/** A job, or what was sent to make one. What is not looked at may be anything. */
const job = z.looseObject({
  id: text,
  model: z.string().min(1),
  training_file: z.string().min(1),
  validation_file: text,
  status: text,
  fine_tuned_model: text,
  suffix: text,
  user_provided_suffix: text,
  seed: jobSeed.nullish(),
  method: method.nullish(),
  hyperparameters: z.record(z.string(), z.unknown()).nullish(),
  integrations: z.array(z.unknown()).nullish(),
  error: z.looseObject({ message: text }).nullish(),
});
type Job = z.output<typeof job>;

/** Whether it is a job, or a request for one. */
export const isJob = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  return (value as { object?: unknown }).object === 'fine_tuning.job' || ('training_file' in value && 'model' in value);
};

/** Where a job is brought to. */
export interface Target {
  /** The model that is tuned here. */
  readonly model: string;
  readonly rates: RateFacts;
  /** The path of a file by its id on the platform, where it is at hand. */
  readonly fileOf: (id: string) => string | null;
}

/**
 * When OpenAI switches off what was tuned on a model (docs/migration.md has the sources); the first that fits counts.
 */
const shutdowns: readonly (readonly [RegExp, string])[] = [
  [/^(gpt-4\.1-nano|gpt-3\.5-turbo|gpt-4o-2024-05-13|gpt-4(-turbo|-\d{4}|$)|o4-mini)/, '2026-10-23'],
  [/^(gpt-4o|gpt-4\.1)/, '2027-01-14'],
];

/** The suffix of `ft:base:organisation:suffix:id`. */
const suffixIn = (name: string | null | undefined): string | null =>
  /^ft:[^:]+:[^:]*:([^:]+):/.exec(name ?? '')?.[1] ?? null;

const placeOf = (path: readonly PropertyKey[]): string => (path.length === 0 ? 'It' : `\`${path.join('.')}\``);
const sentences = (error: z.ZodError, before: readonly PropertyKey[] = []): string[] =>
  error.issues.map(
    ({ message, path }) => `${placeOf([...before, ...path])}: ${message.replace(/^Invalid input: /, '')}.`,
  );

interface Read {
  readonly hyperparameters: JobHyperparameters;
  readonly faults: readonly string[];
}

/** The method's own hyperparameters, or the older ones beside it. */
function hyperparametersOf(given: Job, type: JobMethod): Read {
  const beside = given.method?.[type]?.hyperparameters;
  const place = beside ? ['method', type, 'hyperparameters'] : ['hyperparameters'];
  const { data, error } = (type === 'dpo' ? dpoHyperparameters : jobHyperparameters).safeParse(
    beside ?? given.hyperparameters ?? {},
  );
  return error ? { hyperparameters: {}, faults: sentences(error, place) } : { hyperparameters: data, faults: [] };
}

const words: Readonly<Record<Exclude<keyof JobHyperparameters, 'beta'>, string>> = {
  n_epochs: 'epochs',
  batch_size: 'batch size',
  learning_rate_multiplier: 'learning rate',
};

function differencesOf(given: Job, hyperparameters: JobHyperparameters, tune: ImportedTune): string[] {
  const { learning_rate_multiplier: multiplier } = hyperparameters;
  const chosen = (Object.keys(words) as (keyof typeof words)[]).filter(
    (name) => typeof hyperparameters[name] !== 'number',
  );
  const off = shutdowns.find(([pattern]) => pattern.test(given.model))?.[1];
  return [
    `${given.model} runs at OpenAI alone: \`model: '${tune.model}'\` is tuned in its place. Compare both on rows that neither has seen.`,
    ...(typeof multiplier === 'number'
      ? [
          `Its learning_rate_multiplier is taken of the rate that \`tune()\` has for ${tune.model} by default, which gives ${tune.learningRate}; what OpenAI multiplied was never told.`,
        ]
      : []),
    ...(chosen.length > 0
      ? [`Chosen from the data, as auto was: ${chosen.map((name) => words[name]).join(', ')}.`]
      : []),
    ...(given.seed == null ? [] : ['The seed repeats a run here exactly; it does not repeat what OpenAI trained.']),
    ...(given.integrations?.length ? ['Integrations are not called: metrics stay in the folder of the run.'] : []),
    ...(given.fine_tuned_model && off ? [`OpenAI switches ${given.fine_tuned_model} off on ${off}.`] : []),
    ...(given.error?.message ? [`It failed at OpenAI: ${given.error.message}`] : []),
  ];
}

/** A job of the file at `path`. */
export function importJob(path: string, value: unknown, target: Target): Imported {
  const { data: given, error } = job.safeParse(value);
  if (error) return imported(path, 'job', 'is no whole fine-tuning job', { faults: sentences(error) });
  const type = given.method?.type ?? 'supervised';
  const summary = `is a fine-tuning job${given.id ? ` (${given.id}${given.status ? `, ${given.status}` : ''})` : ''} of ${given.model}, ${type}`;
  if (type !== 'supervised' && type !== 'dpo')
    return imported(path, 'job', summary, {
      faults: [`The method ${type} cannot be trained: supervised and dpo can.`],
    });
  const { faults, hyperparameters } = hyperparametersOf(given, type);
  if (faults.length > 0) return imported(path, 'job', summary, { faults });
  const fileOf = (id: string): string => target.fileOf(id) ?? `${id}.jsonl`;
  const suffix = given.suffix ?? given.user_provided_suffix ?? suffixIn(given.fine_tuned_model);
  const tune: ImportedTune = {
    data: fileOf(given.training_file),
    model: target.model,
    ...(given.validation_file ? { validation: fileOf(given.validation_file) } : {}),
    ...(suffix ? { run: `runs/${suffix.replace(/[^\w.-]/g, '-')}` } : {}),
    ...(given.seed == null ? {} : { seed: given.seed }),
    ...(type === 'dpo' ? { method: type } : {}),
    ...settingsOfHyperparameters(hyperparameters, { ...target.rates, method: jobMethods[type].rates }),
  };
  const absent = [given.training_file, given.validation_file].filter((id) => id && target.fileOf(id) === null);
  const fetch =
    absent.length > 0
      ? [
          `Not at hand, to be fetched from OpenAI (files.content) and saved as named: ${absent.map((id) => `${id}.jsonl`).join(', ')}.`,
        ]
      : [];
  return imported(path, 'job', summary, {
    tune,
    differences: [...fetch, ...differencesOf(given, hyperparameters, tune)],
  });
}
