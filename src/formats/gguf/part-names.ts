/**
 * Names of the files of a model that is divided, as llama.cpp's gguf-split and the hub's models have them:
 * NAME-00002-of-00005.gguf. Promises: the same names that llama.cpp looks for. Knows nothing of what is in the files.
 */
import { existsSync } from 'node:fs';

const partName = /^(.*)-(\d{5})-of-(\d{5})(\.gguf)$/i;

export interface PartName {
  /** The path up to the number. */
  readonly prefix: string;
  /** From 1. */
  readonly number: number;
  readonly count: number;
  /** The path of another part. */
  readonly path: (number: number) => string;
}

/** What the name of a part says, or null. */
export function parsePartName(path: string): PartName | null {
  const match = partName.exec(path);
  if (!match) return null;
  const [, prefix = '', number, of = '', extension = ''] = match;
  return {
    prefix,
    number: Number(number),
    count: Number(of),
    path: (other) => `${prefix}-${String(other).padStart(5, '0')}-of-${of}${extension}`,
  };
}

/**
 * The paths of all parts of the model that `path` is a part of, as far as they are there; `path` alone where it is
 * none.
 */
export function partPaths(path: string): string[] {
  const name = parsePartName(path);
  if (!name) return [path];
  const there: string[] = [];
  for (let number = 1; number <= name.count; number++) if (existsSync(name.path(number))) there.push(name.path(number));
  return there.includes(path) ? there : [path];
}

/** Whether the file stands for its model where files are listed: a whole one, or the first that is there of several. */
export const standsForModel = (path: string): boolean => partPaths(path)[0] === path;

/** Names of parts that are not there; none for a file that is no part. */
export function missingParts(path: string): string[] {
  const name = parsePartName(path);
  const there = partPaths(path);
  if (!name || there.length === name.count) return [];
  return Array.from({ length: name.count }, (_, i) => name.path(i + 1)).filter((each) => !there.includes(each));
}
