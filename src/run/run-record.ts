/**
 * run.json: what a run is. Promises: what is read has the shape that everybody who reads it relies on, or a NomoatError says what has not;
 * keys that this version does not know are kept.
 */
import { z } from 'zod';
import { entriesSchema, type Parent } from '../adapter/lineage.ts';
import { NomoatError } from '../errors.ts';
import type { PlanEvent, RunEndEvent } from '../events.ts';
import { readBoundedJson } from '../formats/bounded-json.ts';
import { assertKnownVersion, versionField } from '../formats/file-version.ts';
import { projections } from '../lora/adapter.ts';
import { type Field, fieldOf } from '../settings/fields.ts';
import { trainsAdapter, tuneMethods } from '../settings/methods.ts';
import { type OptionTable, pretrainOptions, tuneOptions } from '../settings/options.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import type { FileStamp } from '../store/file-digest.ts';
import { runEndings } from './event-log.ts';

/** Whether a run goes on, or how it ended. */
export type RunState = 'running' | RunEndEvent['state'];

/** Of run.json. */
export const recordVersion = 1;

/** What run.json says. */
export interface RunRecord {
  /** Of the file's form; absent until it is written. */
  readonly version?: number;
  /** Version that made it. */
  readonly nomoat: string;
  /** Where it stands; `running` also after a kill. */
  readonly state: RunState;
  /** When, ISO 8601. */
  readonly created: string;
  /** SHA-256 of the base's file, hexadecimal. */
  readonly modelDigest: string;
  /** Size and times of the model's file, so that it need not be read again; absent in runs from before it was kept. */
  readonly modelStamp?: FileStamp;
  /** SHA-256 by name of the file. */
  readonly dataDigests: Readonly<Record<string, string>>;
  /** Of the adapter that the run began with, where it began with one. */
  readonly adapterDigests?: Readonly<Record<string, string>>;
  /** Where the adapters that it began with come from; absent where it began with none, and in runs from before it was kept. */
  readonly parents?: readonly Parent[];
  /** What it was made on. */
  readonly machine: Readonly<Record<string, unknown>>;
  /** The system prompt that all training conversations share, or null. */
  readonly systemPrompt: string | null;
  /** Loss before training, nats per supervised token; null where nothing was held out, or not yet. */
  readonly validationBefore: number | null;
  /** The same of the result. */
  readonly validationAfter: number | null;
  /** Of the run, resolved. */
  readonly settings: RunSettings;
  /** Why the result is not to be trusted, where it is not. */
  readonly verdict?: string;
  /** Says which settings the data decided, where it did. */
  readonly chosenFromData?: string;
  /** Training rows; absent in runs from before it was kept. */
  readonly rows?: number;
  /** SHA-256 of their tokens and of which of them are learnt; absent in earlier runs. */
  readonly rowsDigest?: string;
  /** What the run was expected to take. */
  readonly plan?: PlanEvent;
  /** What `precision: auto` came to, once it was decided. */
  readonly chosenPrecision?: 'f32' | 'int8';
  /** What its steps were computed by, `onnxruntime` or `native` and the instruction set; absent in earlier runs, which were onnxruntime's. */
  readonly engine?: string;
  /** Largest micro-batch, where memory ran out with larger ones: a resumed run does not try those again. */
  readonly microBatchTokens?: number;
}

/** Run records have some 5 kB, and one digest for each data file. */
const maxRecordBytes = 16 << 20;
/** What an initial adapter brings may be above what can be set, but not by that. */
const leeway = 16;
/** The rank that an initial adapter may have brought, likewise. */
const maxRank = 4096;

/** What run.json says of a run. */
export const runStates = ['running', ...runEndings] as const satisfies readonly RunState[];
/** How a run ends for good: there is nothing to go on with. */
export const finalStates: readonly string[] = [
  'done',
  'stopped-early',
  'diverged',
  'proof-failed',
] satisfies RunState[];
const precision = z.enum(['f32', 'int8']);
const digests = z.record(z.string(), z.string());
const number = z.number();
const loss = number.nullable();

/** A value of one option, as run.json keeps it. */
function valueSchema({ choices, inner, kind }: Field): z.ZodType {
  if (inner instanceof z.ZodNumber) {
    const bounded = number.min(inner.minValue ?? 0).max((inner.maxValue ?? Infinity) * leeway);
    return inner.isInt ? bounded.refine(Number.isInteger, 'is no whole number') : bounded;
  }
  if (kind === 'boolean') return z.boolean();
  if (kind === 'choice') return z.enum(choices);
  if (kind === 'list') return z.array(z.enum(choices));
  // A size is kept in bytes.
  return kind === 'text' ? z.string() : number.positive();
}

/** A setting of one option. Runs from before there was the option did what is its default now. */
function settingSchema(option: z.ZodType): z.ZodType {
  const field = fieldOf(option);
  const value = valueSchema(field);
  return field.nullable ? value.nullable().default(null) : value.default(field.fallback);
}

const tableSchema = (table: OptionTable): Record<string, z.ZodType> =>
  Object.fromEntries(Object.entries(table).map(([name, option]) => [name, settingSchema(option)]));

const settingsSchema = z.looseObject({
  ...tableSchema(tuneOptions),
  // What every run has, and what is kept otherwise than it is given.
  method: z.enum([...tuneMethods, 'pretrain']),
  data: z.array(z.string()).min(1),
  model: z.string(),
  modelPath: z.string().min(1),
  run: z.string(),
  seed: z.int(),
  // A run that trains every weight has none.
  rank: z.int().nonnegative().max(maxRank),
  batchSize: z.int().positive(),
  sequenceLength: z.int().positive(),
  epochs: number.positive(),
  learningRate: number.positive(),
  // Open until a pretraining run has seen its text.
  warmupSteps: z.int().nonnegative().nullable(),
  // Runs from before there was a choice did not as is the default now.
  specialTokens: valueSchema(fieldOf(tuneOptions.specialTokens)).optional(),
  sharePrefix: z.boolean().optional(),
  validation: z.union([z.string(), number.min(0).max(1)]).nullable(),
  targetModules: z.array(z.enum(projections)),
  pretrain: z
    .looseObject({
      ...tableSchema({ size: pretrainOptions.size, init: pretrainOptions.init }),
      vocabulary: z.int().positive(),
      tokenizer: z.string().nullable(),
    })
    .nullable()
    .default(null),
});

const planSchema = z.looseObject({
  type: z.literal('plan'),
  precision,
  activations: z.enum(['keep', 'float16', 'recompute']),
  streamed: z.boolean(),
  seconds: number,
  firstStepSeconds: number,
  tokensPerSecond: number,
  peakMemoryBytes: number,
  diskBytes: number,
});

const schema = z
  .looseObject({
    version: versionField(recordVersion),
    nomoat: z.string(),
    state: z.enum(runStates),
    created: z.string(),
    modelDigest: z.string(),
    modelStamp: z.object({ bytes: number, mtimeMs: number, ctimeMs: number, inode: number }).optional(),
    dataDigests: digests,
    adapterDigests: digests.optional(),
    parents: z.array(z.object({ entries: entriesSchema, weight: number.optional() })).optional(),
    machine: z.record(z.string(), z.unknown()),
    systemPrompt: z.string().nullable(),
    validationBefore: loss,
    validationAfter: loss,
    settings: settingsSchema,
    verdict: z.string().optional(),
    chosenFromData: z.string().optional(),
    rows: z.int().nonnegative().optional(),
    rowsDigest: z.string().optional(),
    plan: planSchema.optional(),
    chosenPrecision: precision.optional(),
    engine: z.string().optional(),
    microBatchTokens: z.int().positive().optional(),
  })
  .refine(({ settings }) => settings.method !== 'pretrain' || settings.pretrain, 'settings.pretrain is missing')
  .refine(
    ({ settings }) => !trainsAdapter(settings.method) || settings.rank > 0,
    'settings.rank: an adapter has at least 1',
  );

/** Faults that are named; a damaged file may have dozens. */
const shownFaults = 3;
const remedy = 'Restore it from a copy, or start a new run; recipe.yaml beside it has the settings.';

/** The record at `path`. Throws NomoatError. */
export function readRunRecord(path: string): RunRecord {
  const value = readBoundedJson(path, maxRecordBytes, { remedy, code: 'unreadable-run' });
  assertKnownVersion(path, value, recordVersion);
  const { data, error } = schema.safeParse(value);
  if (!data) {
    const faults = error.issues.map(({ message, path: at }) => `${at.join('.') || 'it'}: ${message}`);
    const more = faults.length > shownFaults ? ` and ${faults.length - shownFaults} more` : '';
    throw new NomoatError({
      code: 'unreadable-run',
      part: path,
      fault: `is no record of a run (${faults.slice(0, shownFaults).join('; ')}${more})`,
      remedy,
      fields: { faults },
    });
  }
  return data as z.infer<typeof schema> & RunRecord;
}
