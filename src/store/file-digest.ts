/**
 * SHA-256 of large files, computed once: a file whose size, inode and times are those of the last time is the same.
 * Promises: never an old digest for a file that was written to since; a memory of digests that cannot be kept or read costs time only.
 */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, mkdirSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { writeFileAtomic } from '../formats/atomic-write.ts';
import { partPaths } from '../formats/gguf/part-names.ts';
import { nomoatCacheFolder, surroundings } from './model-folders.ts';

/** What changes when a file is written to: the time of change cannot be set back, as that of modification can. */
export interface FileStamp {
  /** Of all its files together. */
  readonly bytes: number;
  /** Of modification, milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Of change, milliseconds since 1970. */
  readonly ctimeMs: number;
  readonly inode: number;
}

/** The stamp of the file at `path`, of a model in several files that of all. Throws NomoatError where there is none. */
export function stampOf(path: string): FileStamp {
  try {
    const parts = partPaths(path).map((part) => statSync(part));
    return {
      bytes: parts.reduce((sum, { size }) => sum + size, 0),
      mtimeMs: Math.max(...parts.map(({ mtimeMs }) => mtimeMs)),
      ctimeMs: Math.max(...parts.map(({ ctimeMs }) => ctimeMs)),
      inode: parts[0]!.ino,
    };
  } catch (error) {
    throw new NomoatError({
      part: path,
      fault: `cannot be read (${(error as NodeJS.ErrnoException).code})`,
      remedy: 'Check the path, and put the file back where it was moved.',
      cause: error,
    });
  }
}

export const sameStamp = (a: FileStamp, b: FileStamp): boolean =>
  a.bytes === b.bytes && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.inode === b.inode;

/** Files whose digests are remembered: of more than anybody has models, the oldest are forgotten. */
const remembered = 200;
/** Larger is not what nomoat wrote. */
const maxMemoryBytes = 1 << 20;

const stampSchema = z.object({ bytes: z.number(), mtimeMs: z.number(), ctimeMs: z.number(), inode: z.number() });
const memorySchema = z.record(z.string(), z.object({ stamp: stampSchema, sha256: z.string() }));
type Memory = z.infer<typeof memorySchema>;

const memoryPath = (folder: string): string => join(folder, 'digests.json');

function recall(folder: string): Memory {
  try {
    if (statSync(memoryPath(folder)).size > maxMemoryBytes) return {};
    return memorySchema.parse(JSON.parse(readFileSync(memoryPath(folder), 'utf8')));
  } catch {
    return {};
  }
}

function remember(folder: string, path: string, stamp: FileStamp, sha256: string): void {
  try {
    const { [path]: _, ...others } = recall(folder);
    const kept = Object.entries(others).slice(1 - remembered);
    mkdirSync(folder, { recursive: true });
    writeFileAtomic(
      memoryPath(folder),
      `${JSON.stringify({ ...Object.fromEntries(kept), [path]: { stamp, sha256 } })}\n`,
    );
  } catch {
    // Next time it is computed again.
  }
}

/** The digest of the file, lower-case hex, where it is known without reading it; else null. */
export function knownDigest(path: string, folder = nomoatCacheFolder(surroundings())): string | null {
  const known = recall(folder)[resolve(path)];
  return known && sameStamp(known.stamp, stampOf(path)) ? known.sha256 : null;
}

const unreadable = (path: string, error: unknown): NomoatError =>
  new NomoatError({
    part: path,
    fault: `cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    remedy: 'Check the file and its disk.',
    cause: error,
  });

/** The digest of the file, or of all parts of a divided model one after the other, lower-case hex. `folder` is where digests are remembered. Throws NomoatError. */
export async function digestOf(path: string, folder = nomoatCacheFolder(surroundings())): Promise<string> {
  const known = knownDigest(path, folder);
  if (known !== null) return known;
  const stamp = stampOf(path);
  const hash = createHash('sha256');
  try {
    for (const part of partPaths(path))
      for await (const chunk of createReadStream(part, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  } catch (error) {
    throw unreadable(path, error);
  }
  const sha256 = hash.digest('hex');
  // Of a file that was written to meanwhile this is the digest of nothing that will be found again.
  if (sameStamp(stamp, stampOf(path))) remember(folder, resolve(path), stamp, sha256);
  return sha256;
}

/** What is read at once. */
const chunkBytes = 1 << 20;

/** The digest of one small file, lower-case hex, read anew and not remembered: those of models would be forgotten for it. Throws NomoatError. */
export function sha256OfFile(path: string): string {
  const hash = createHash('sha256');
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, 'r');
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let read = readSync(descriptor, chunk); read > 0; read = readSync(descriptor, chunk))
      hash.update(chunk.subarray(0, read));
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
  return hash.digest('hex');
}
