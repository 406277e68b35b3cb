/**
 * Names of files that are parts of one set: train-00000-of-00002.parquet. Promises: a set that lacks a part, or has one
 * twice, is an error that names it. Pure, but for the error.
 */
import { basename, extname, join } from 'node:path';
import type { NomoatError } from '../errors.ts';
import { fileError } from './raw-record.ts';

export interface Shard {
  /** The name without its number: what all parts of a set share. */
  readonly set: string;
  /** The name before the number. */
  readonly stem: string;
  readonly index: number;
  readonly total: number;
}

/** Older uploads of the hub end in a digest. */
const pattern = /^(.*?)[-_.]?(\d{4,6})-of-(\d{4,6})(?:-[0-9a-f]{16})?(\..*)?$/;

export function shardOf(path: string): Shard | null {
  const [, stem, index, total, ending = ''] = pattern.exec(basename(path)) ?? [];
  if (stem === undefined) return null;
  return { set: `${stem}${ending}`, stem, index: Number(index), total: Number(total) };
}

/** The name of another part. */
function nameOf(path: string, index: number): string {
  const name = basename(path);
  const digits = /(\d{4,6})-of-/.exec(name)![1]!.length;
  const bare = name.replace(/-[0-9a-f]{16}(\.|$)/, '$1');
  return bare.replace(/\d{4,6}(?=-of-)/, String(index).padStart(digits, '0'));
}

/** A few of a list, for messages. */
export const some = (names: readonly string[], shown = 8): string =>
  `${names.slice(0, shown).join(', ')}${names.length > shown ? `, ... (${names.length})` : ''}`;

function setFault(paths: readonly string[]): string | null {
  const shards = paths.map((path) => shardOf(path)!);
  const totals = [...new Set(shards.map(({ total }) => total))];
  if (totals.length > 1)
    return `has parts of a set of ${totals.join(' and of one of ')}: ${some(paths.map((path) => basename(path)))}`;
  const total = totals[0]!;
  const seen = new Set(shards.map(({ index }) => index));
  if (seen.size < shards.length) return `has a part twice: ${some(paths.map((path) => basename(path)))}`;
  const missing: string[] = [];
  for (let i = 0; i < total && missing.length <= 8; i++) if (!seen.has(i)) missing.push(nameOf(paths[0]!, i));
  return missing.length > 0 ? `lacks ${some(missing)}, ${total - seen.size} of ${total} parts` : null;
}

/** Files by the set that they belong to; those of none are left out. */
export function setsOf(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const sets = new Map<string, string[]>();
  for (const path of paths) {
    const shard = shardOf(path);
    if (shard) sets.set(shard.set, [...(sets.get(shard.set) ?? []), path]);
  }
  return sets;
}

/** What is wrong with the sets among files of one folder, as an error. */
export function incomplete(folder: string, paths: readonly string[]): NomoatError | null {
  for (const [, members] of setsOf(paths)) {
    const fault = setFault(members);
    if (fault) return fileError(folder, fault, 'Fetch the whole set once, or give the files to train on by name.');
  }
  return null;
}

/** What to know of files that were given by name and are parts of sets. */
export function partNotes(paths: readonly string[]): string[] {
  return [...setsOf(paths).values()].flatMap((members) => {
    const fault = setFault(members);
    return fault ? [`${join(members[0]!, '..')}: ${fault}; only what was given is read`] : [];
  });
}

/** 2 before 10. */
export const byNumber = (a: string, b: string): number =>
  a.localeCompare(b, 'en', { numeric: true }) || (extname(a) < extname(b) ? -1 : 1);
