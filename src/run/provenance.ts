/**
 * What a run was made from: digests of model and data, version, machine. Promises: a run that goes on goes on with the same.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { parentAt } from '../adapter/lineage-files.ts';
import { adapterFiles } from '../adapter/read-adapter.ts';
import { NomoatError } from '../errors.ts';
import { machineFacts } from '../machine/machine.ts';
import { trainsAdapter } from '../settings/methods.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { sha256OfFile } from '../store/file-digest.ts';
import { parseStack, type StackedAdapter } from '../store/stack.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import type { RunRecord } from './run-folder.ts';
import { version } from './version.ts';

export function newRecord(
  settings: RunSettings,
  facts: Pick<RunRecord, 'modelDigest' | 'modelStamp' | 'systemPrompt'>,
  files: readonly string[],
): RunRecord {
  return {
    nomoat: version,
    state: 'running',
    created: new Date().toISOString(),
    dataDigests: fileDigests(files),
    ...(trainsAdapter(settings.method) && startFiles(settings).length > 0
      ? {
          adapterDigests: fileDigests(startFiles(settings)),
          parents: startAdapters(settings).map(({ path, scale }) =>
            parentAt(path, scale === 1 ? {} : { weight: scale }),
          ),
        }
      : {}),
    machine: { ...machineFacts() },
    validationBefore: null,
    validationAfter: null,
    settings,
    ...facts,
  };
}

/** The adapters that a run goes on from, and those that it stands on. */
const startAdapters = ({ frozenAdapter, initialAdapter }: RunSettings): StackedAdapter[] =>
  [initialAdapter, frozenAdapter ?? null].flatMap((stack) => (stack === null ? [] : parseStack(stack)));
const startFiles = (settings: RunSettings): string[] =>
  startAdapters(settings).flatMap(({ path }) => adapterFiles(path));

/** By file name, or by path where two files share a name. */
function fileDigests(files: readonly string[]): Record<string, string> {
  const names = files.map((path) => basename(path));
  const named = (path: string, i: number): string => (names.indexOf(names[i]!) === i ? names[i]! : path);
  return Object.fromEntries(files.map((path, i) => [named(path, i), sha256OfFile(path)]));
}

type Digests = Readonly<Record<string, string>>;

/** Names of files that are other ones, gone or new. */
const differences = (before: Digests, now: Digests): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => before[name] !== now[name]);

/** Throws NomoatError where a file that the run in `run` began with is gone: nothing else can be given to a run that goes on. */
export function assertInputsThere(run: string, { modelDigest, settings }: RunRecord): void {
  const { data, method, modelPath, pretrain, validation } = settings;
  // A pretraining run's model is made by itself, in its folder.
  const model = method === 'pretrain' ? (pretrain?.tokenizer ?? null) : modelPath;
  const gone = [model, ...startAdapters(settings).map(({ path }) => path), ...data, validation].filter(
    (path): path is string => typeof path === 'string' && !existsSync(path),
  );
  if (gone.length === 0) return;
  const digest = gone.includes(modelPath) && modelDigest !== '' ? ` The model's sha256 is ${modelDigest}.` : '';
  throw new NomoatError({
    part: run,
    fault: `cannot go on: ${gone.join(', ')} ${gone.length > 1 ? 'are' : 'is'} not there any more`,
    remedy: `Put it back (a link to where it is now will do), or start a new run: recipe.yaml has the settings.${digest}`,
    fields: { gone },
  });
}

/** A run goes on with what it began with, or its result would be that of no settings at all. */
export function assertUnchanged(run: string, record: RunRecord, modelDigest: string, files: readonly string[]): void {
  const changed = differences(record.dataDigests, fileDigests(files));
  const { adapterDigests, settings } = record;
  // Runs from before they were kept have none.
  if (adapterDigests) changed.push(...differences(adapterDigests, fileDigests(startFiles(settings))));
  if (modelDigest !== record.modelDigest) changed.push(settings.modelPath);
  if (changed.length === 0) return;
  throw new NomoatError({
    code: 'data-changed',
    part: run,
    fault: `cannot go on: ${changed.join(', ')} changed since the run began`,
    remedy: 'Put back what was there, or start a new run.',
    fields: { changed },
  });
}

/** Number and digest of the training rows: tokens, and which of them are learnt. */
export function rowsFacts(rows: readonly TokenRow[]): Required<Pick<RunRecord, 'rows' | 'rowsDigest'>> {
  const hash = createHash('sha256');
  for (const { label, rejected, ...row } of rows) {
    for (const { tokens, supervised } of rejected ? [row, rejected] : [row]) {
      hash.update(`${tokens.length} `);
      hash.update(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength));
      hash.update(supervised);
    }
    if (label !== undefined) hash.update(String(label));
  }
  return { rows: rows.length, rowsDigest: hash.digest('hex') };
}

/** Throws where the same files make other rows than when the run began: another version of nomoat reads them otherwise, and steps would be other ones. */
export function assertSameRows(run: string, { nomoat, rows, rowsDigest }: RunRecord, made: readonly TokenRow[]): void {
  const now = rowsFacts(made);
  if ((rows === undefined || rows === now.rows) && (rowsDigest === undefined || rowsDigest === now.rowsDigest)) return;
  const others = rows === now.rows ? `${rows} others` : `${now.rows}`;
  throw new NomoatError({
    code: 'data-changed',
    part: run,
    fault: `cannot go on: it began with ${rows} training rows, and the same files make ${others} now`,
    remedy: `Go on with the version that it began with (nomoat ${nomoat}), or start a new run.`,
    fields: { rows, now: now.rows },
  });
}
