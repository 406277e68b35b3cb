/**
 * Files that can be made again, kept for the next time: the copies of bases that proofs run on, data sets as tokens, and answers to test questions. Promises: named by what they are made
 * of, so that a base copied or touched makes no second one; of all together no more than a limit, those not used for longest go first; a file
 * that a living process holds stays. Does not know how they are made.
 */
import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { isAlive, removeUnfinished, temporaryMark } from '../formats/atomic-write.ts';
import { sizeText } from '../words/size-text.ts';
import { nomoatCacheFolder, surroundings } from './model-folders.ts';

/** Room for the copies of a dozen small models, or of two of the largest (4 GB each): who tunes them in turn makes none twice. */
const usualLimitBytes = 10e9;
/** Sets another limit, in bytes or as `5GB`. */
export const limitVariable = 'NOMOAT_CACHE_LIMIT';

/** Where the copies of bases are. */
export const cacheFolder = (): string => join(nomoatCacheFolder(surroundings()), 'parity');
/** Where data sets are as tokens: they say what their data says. */
export const rowsCacheFolder = (): string => join(nomoatCacheFolder(surroundings()), 'rows');
export const cachedRowsPath = (key: string): string => join(rowsCacheFolder(), `${key}.rows`);
/** Where answers to test questions are: they say what models made of that data. */
export const answersFolder = (): string => join(nomoatCacheFolder(surroundings()), 'answers');
export const keptAnswersPath = (identity: string): string => join(answersFolder(), `${identity}.answers`);
/** Where the log-probabilities of preferred and other answers are, as a base gives them. */
export const referencesFolder = (): string => join(nomoatCacheFolder(surroundings()), 'references');
export const keptReferencePath = (key: string): string => join(referencesFolder(), `${key}.reference`);
const allFolders = (): string[] => [cacheFolder(), rowsCacheFolder(), answersFolder(), referencesFolder()];

const units: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** The limit of all files together. Throws NomoatError where the variable holds no size. */
export function cacheLimitBytes(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const text = env[limitVariable]?.trim();
  if (!text) return usualLimitBytes;
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([KMGT]?)B?$/i.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * units[unit!.toUpperCase()]!;
  throw new NomoatError({
    part: limitVariable,
    fault: `"${text}" is no size such as 5GB`,
    remedy: `Leave it out for ${sizeText(usualLimitBytes)}, or give 0 to keep nothing.`,
  });
}

export interface CachedFile {
  readonly path: string;
  readonly name: string;
  /** A base's copy for proofs, the rows of a data set, a model's answers to test questions, or what a base gives preferences. */
  readonly kind: 'base' | 'rows' | 'answers' | 'reference';
  readonly bytes: number;
  /** When it was made or used last, milliseconds since 1970. */
  readonly usedMs: number;
  /** Whether a living process holds it. */
  readonly held: boolean;
}

const heldMark = '.held-by-';

/** Processes that hold files of the folder, by file name; what dead ones left is not counted. */
function holders(names: readonly string[]): Set<string> {
  const living = names.flatMap((name) => {
    const [file, pid] = name.split(heldMark);
    return pid !== undefined && isAlive(Number(pid)) ? [file!] : [];
  });
  return new Set(living);
}

const kinds: Readonly<Record<string, CachedFile['kind']>> = {
  gguf: 'base',
  rows: 'rows',
  answers: 'answers',
  reference: 'reference',
};
const kindOf = (name: string): CachedFile['kind'] | null => kinds[name.slice(name.lastIndexOf('.') + 1)] ?? null;

function listFolder(folder: string): CachedFile[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder);
  const held = holders(names);
  return names.flatMap((name): CachedFile[] => {
    const kind = kindOf(name);
    if (kind === null) return [];
    const path = join(folder, name);
    // Another process may take it away meanwhile.
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats?.isFile()) return [];
    return [{ path, name, kind, bytes: stats.size, usedMs: stats.mtimeMs, held: held.has(name) }];
  });
}

/** What is kept, the least recently used first. */
export const listCache = (...folders: readonly string[]): CachedFile[] =>
  (folders.length > 0 ? folders : allFolders()).flatMap(listFolder).sort((a, b) => a.usedMs - b.usedMs);

/**
 * Removes those not used for longest until all together have no more than `limitBytes`, and what killed processes left. Returns what it
 * removed. What cannot be removed stays.
 */
export function pruneCache(limitBytes = cacheLimitBytes(), ...folders: readonly string[]): CachedFile[] {
  const all = folders.length > 0 ? folders : allFolders();
  const tried = (work: () => void): boolean => {
    try {
      work();
      return true;
    } catch {
      return false;
    }
  };
  for (const folder of all.filter((path) => existsSync(path))) {
    tried(() => removeUnfinished(folder));
    for (const name of readdirSync(folder)) {
      const pid = name.split(heldMark)[1];
      if (pid !== undefined && !isAlive(Number(pid))) tried(() => rmSync(join(folder, name), { force: true }));
    }
  }
  const files = listCache(...all);
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return files.filter(({ bytes, held, path }) => {
    if (total <= limitBytes || held || !tried(() => rmSync(path, { force: true }))) return false;
    total -= bytes;
    return true;
  });
}

/** The file whose name ends in `.KEY.gguf`, or null. */
export const findCached = (folder: string, key: string): string | null => {
  const name = existsSync(folder) ? readdirSync(folder).find((each) => each.endsWith(`.${key}.gguf`)) : undefined;
  return name === undefined || name.includes(temporaryMark) ? null : join(folder, name);
};

/** Marks the file as used now, so that others go first. */
export function markUsed(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // A folder that cannot be written keeps it anyway.
  }
}

/** Marks the file as used now and held by this process until the returned function is called. A folder that cannot be written keeps it anyway. */
export function holdCached(path: string): () => void {
  const mark = `${path}${heldMark}${process.pid}`;
  try {
    writeFileSync(mark, '');
  } catch {
    // Nobody can take it away there either.
  }
  markUsed(path);
  return () => {
    try {
      rmSync(mark, { force: true });
    } catch {
      // Seen as a dead process's once this one has ended.
    }
  };
}
