/**
 * A run repeated from its record. Promises: with data, base and adapters of the same digests, or it does not begin; the run that is there
 * stays as it is; what differs of the machine is named, whatever the result.
 */
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { readPeft } from '../adapter/peft.ts';
import { peftWeightsName } from '../adapter/peft-files.ts';
import { NomoatError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import { pretrain, tune } from '../library.ts';
import { machineFacts } from '../machine/machine.ts';
import { assertSameBase } from '../run/base-model.ts';
import { assertInputsThere, assertUnchanged } from '../run/provenance.ts';
import { recipeOf } from '../run/recipe.ts';
import { modelFileName, RunFolder, type RunRecord } from '../run/run-folder.ts';
import { version } from '../run/version.ts';
import { reproduceSettings } from '../settings/bundle-settings.ts';
import { trainsAdapter } from '../settings/methods.ts';
import { parseSettings } from '../settings/parse-settings.ts';
import { sha256OfFile } from '../store/file-digest.ts';
import { assertGiven } from '../words/given.ts';

/** Where the repetition goes. */
export interface ReproduceOptions {
  /** A new folder for the repeated run (default: the run's with `-again` behind it). */
  readonly out?: string | null;
  /** Ends it with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Told what the repeated run says. */
  readonly onEvent?: (event: RunEvent) => void;
}

/** What came of a repetition. */
export interface Reproduction {
  /** Absolute path of the repeated run. */
  readonly run: string;
  /** Whether the weights are the same, byte for byte. */
  readonly identical: boolean;
  /** Largest difference of a weight; 0 where they are the same, null of whole models. */
  readonly largestDifference: number | null;
  /** Loss of what was held out, nats per supervised token: of the run, repeated, and what the second is above the first; null where nothing was held out. */
  readonly loss: { readonly before: number; readonly after: number; readonly difference: number } | null;
  /** What is another here than when the run was made, in sentences: results may differ by it. */
  readonly differences: readonly string[];
}

/** Of the machine, what changes which numbers a training computes. */
const computing = ['platform', 'architecture', 'cpu', 'physicalCores', 'instructionSets'] as const;

/** What is another than it was. */
function machineDifferences({ machine, nomoat }: RunRecord): string[] {
  const now: Readonly<Record<string, unknown>> = { ...machineFacts() };
  const shown = (value: unknown): string => (Array.isArray(value) ? value.join(' ') : String(value));
  return [
    ...(nomoat === version ? [] : [`nomoat was ${nomoat}, and is ${version}.`]),
    ...computing
      .filter((name) => machine[name] !== undefined && shown(machine[name]) !== shown(now[name]))
      .map((name) => `${name} was ${shown(machine[name])}, and is ${shown(now[name])}.`),
  ];
}

/** The file of the result, and what is in its place where there is none. Throws NomoatError. */
function resultOf(path: string, folder: RunFolder, { settings, state }: RunRecord): string {
  const file = trainsAdapter(settings.method)
    ? join(folder.adapter, peftWeightsName)
    : join(folder.model, modelFileName);
  if (existsSync(file)) return file;
  throw new NomoatError({
    code: 'run-unfinished',
    part: path,
    fault: `is a run without a result (${state}): there is nothing to compare with`,
    remedy: 'Give a run that is done.',
  });
}

/** Data files as the record names them, in the folders that were given too: each is still what it was. Throws NomoatError. */
function assertSameData(path: string, { dataDigests, settings }: RunRecord): void {
  const { data, validation } = settings;
  const given = [...data, ...(typeof validation === 'string' ? [validation] : [])];
  const changed = Object.entries(dataDigests).filter(([name, sha256]) => {
    const places = [
      name,
      ...given.filter((file) => basename(file) === name),
      ...given.map((folder) => join(folder, name)),
    ];
    const isSame = (file: string): boolean =>
      statSync(file, { throwIfNoEntry: false })?.isFile() === true && sha256OfFile(file) === sha256;
    return !places.some(isSame);
  });
  if (changed.length === 0) return;
  const names = changed.map(([name]) => name);
  throw new NomoatError({
    code: 'data-changed',
    part: path,
    fault: `cannot be repeated: ${names.join(', ')} changed since the run, or ${names.length > 1 ? 'are' : 'is'} gone`,
    remedy: 'Put back what was there; its SHA-256 is in run.json.',
    fields: { changed: names },
  });
}

/** Data, base and adapters. Throws NomoatError. */
async function assertSameInputs(path: string, record: RunRecord): Promise<void> {
  assertInputsThere(path, record);
  assertSameData(path, record);
  if (record.settings.method !== 'pretrain') await assertSameBase(path, record);
  assertUnchanged(path, { ...record, dataDigests: {} }, record.modelDigest, []);
}

function largestDifference(first: string, second: string): number {
  const others = readPeft(second).pairs;
  let largest = 0;
  for (const [i, { a, b }] of readPeft(first).pairs.entries())
    for (const [mine, theirs] of [[a, others[i]!.a], [b, others[i]!.b]] as const) // biome-ignore format: pairs
      for (const [k, value] of mine.entries()) largest = Math.max(largest, Math.abs(value - theirs[k]!));
  return largest;
}

/** With the settings of the record as a recipe: recipe.yaml beside it is for people, who may have changed it. */
async function withRecipe(record: RunRecord, call: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-recipe-'));
  try {
    const path = join(folder, 'recipe.yaml');
    writeFileSync(path, recipeOf(record));
    await call(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Repeats the run in `path` from its record. Rejects with NomoatError where what it was made from is gone or another. */
export async function reproduceRun(path: string, options: ReproduceOptions = {}): Promise<Reproduction> {
  assertGiven('the run', path);
  const { onEvent, signal, ...given } = options;
  const { out } = parseSettings(reproduceSettings, { given }, { command: 'reproduce' });
  const folder = new RunFolder(path);
  const record = folder.read();
  const first = resultOf(path, folder, record);
  await assertSameInputs(path, record);
  const run = resolve(out ?? `${folder.path}-again`);
  const { method } = record.settings;
  await withRecipe(record, async (recipe) => {
    const values = { recipe, run, data: record.settings.data, ...(signal ? { signal } : {}) };
    const repeated = method === 'pretrain' ? pretrain(values) : tune(values);
    for await (const event of repeated) onEvent?.(event);
    await repeated.result;
  });
  const again = new RunFolder(run);
  const second = resultOf(run, again, again.read());
  const identical = sha256OfFile(first) === sha256OfFile(second);
  const [before, after] = [record.validationAfter, again.read().validationAfter];
  return {
    run,
    identical,
    largestDifference: identical ? 0 : trainsAdapter(method) ? largestDifference(folder.adapter, again.adapter) : null,
    loss: before === null || after === null ? null : { before, after, difference: after - before },
    differences: machineDifferences(record),
  };
}
