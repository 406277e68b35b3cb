/** What was trained, by what, on what, as far as the files say it. Promises: nothing is guessed; no path but names of files. */
import { basename } from 'node:path';
import { readAdapterBase } from '../adapter/adapter-base.ts';
import type { NamedDigest } from '../adapter/lineage.ts';
import { type LoraAdapter, type Projection, summarizeAdapter } from '../lora/adapter.ts';
import type { RunRecord, RunState } from '../run/run-record.ts';
import { digestOf } from '../store/file-digest.ts';
import type { InspectTarget } from './inspect-target.ts';

/** Where an adapter comes from. What its files do not say is null. */
export interface Lineage {
  /** The base on this machine that it is looked at with. */
  readonly base: NamedDigest & {
    /** Whether the adapter names this very file as the one that it was trained on; null where it names none. */
    readonly same: boolean | null;
  };
  /** What the adapter calls its base. */
  readonly baseName: string | null;
  /** Of its matrices, each value once, ascending; mostly there is one. */
  readonly ranks: readonly number[];
  readonly alphas: readonly number[];
  /** The factors on B A. */
  readonly scales: readonly number[];
  readonly targetModules: readonly Projection[];
  /** Numbers in the adapter. */
  readonly parameters: number;
  /** The run that made it; null of an adapter that is no run's. */
  readonly run: {
    readonly nomoat: string;
    /** ISO 8601. */
    readonly created: string;
    readonly state: RunState;
    readonly data: readonly NamedDigest[];
    /** Training rows; null in runs that did not keep it. */
    readonly rows: number | null;
    readonly rowsDigest: string | null;
    /** The adapter that it went on from. */
    readonly initialAdapter: readonly NamedDigest[];
    readonly epochs: number;
    readonly learningRate: number;
    readonly batchSize: number;
    readonly seed: number;
    /** Loss of what was held out before and after, nats per supervised token. */
    readonly validation: { readonly before: number | null; readonly after: number | null };
  } | null;
}

const named = (digests: Readonly<Record<string, string>>): NamedDigest[] =>
  Object.entries(digests).map(([file, sha256]) => ({ file: basename(file), sha256 }));

function runOf(record: RunRecord): NonNullable<Lineage['run']> {
  const { adapterDigests, created, dataDigests, nomoat, rows, rowsDigest, settings, state } = record;
  const { batchSize, epochs, learningRate, seed } = settings;
  return {
    nomoat,
    created,
    state,
    data: named(dataDigests),
    rows: rows ?? null,
    rowsDigest: rowsDigest ?? null,
    initialAdapter: named(adapterDigests ?? {}),
    epochs,
    learningRate,
    batchSize,
    seed,
    validation: { before: record.validationBefore, after: record.validationAfter },
  };
}

const parametersOf = ({ pairs }: LoraAdapter): number => pairs.reduce((sum, { a, b }) => sum + a.length + b.length, 0);

export async function lineageOf({ adapter, model, path, record }: InspectTarget): Promise<Lineage> {
  const sha256 = await digestOf(model.path);
  const trainedOn = readAdapterBase(path)?.sha256 ?? record?.modelDigest ?? null;
  const { alphas, baseModel, ranks, scales, targetModules } = summarizeAdapter(adapter);
  return {
    base: { file: basename(model.path), sha256, same: trainedOn === null ? null : trainedOn === sha256 },
    baseName: baseModel === '' ? null : basename(baseModel),
    ranks,
    alphas,
    scales,
    targetModules,
    parameters: parametersOf(adapter),
    run: record === null ? null : runOf(record),
  };
}
