/**
 * Files and folders that appear whole or not at all: written beside their place, flushed to disk, then renamed.
 * Promises: after a crash the old content or the new one is there, never a mixture. Knows nothing of what is written.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { removeWhenFree, renameWhenFree } from './rename.ts';

/** Marks unfinished files and folders, so that a reader can tell them from finished ones. */
export const temporaryMark = '.unfinished-';

/** Ends the name of an older folder while a newer one takes its place. */
const movedAside = '-old';

/** A sibling name nobody else uses: one process writes a given place, so its id is enough. */
function temporaryName(path: string): string {
  return `${path}${temporaryMark}${process.pid}`;
}

/** Whether a process has ended and only waits for its parent to take note, which in containers may never be. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // PID (NAME) STATE ...
    return stat.charAt(stat.lastIndexOf(')') + 2) === 'Z';
  } catch {
    // Only Linux has that file.
    return false;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isZombie(pid);
}

/** Removes from `folder` what killed processes left unfinished; that of living ones stays, and what was moved aside for it comes back. */
export function removeUnfinished(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const [place, after] = name.split(temporaryMark);
    const pid = after === undefined ? Number.NaN : Number.parseInt(after, 10);
    if (!(pid > 0) || isAlive(pid)) continue;
    const kept = join(folder, place!);
    if (name.endsWith(movedAside) && !existsSync(kept)) renameWhenFree(join(folder, name), kept);
    else rmSync(join(folder, name), removeWhenFree);
  }
}

/** Turns the operating system's error into a sentence. */
export function writeFailure(path: string, error: unknown): NomoatError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new NomoatError({
    code: full ? 'disk-full' : 'write-failed',
    part: path,
    fault: full ? 'the disk is full' : `could not be written (${code || String(error)})`,
    remedy: full
      ? 'Free some space, and try it again or go on; what was there before is untouched.'
      : 'Check that the folder exists and that you may write to it.',
    kind: 'failed',
    fields: { code },
    cause: error,
  });
}

/** What file systems answer that do not flush folders (some network and FUSE mounts): the file itself is on the disk by then. */
const noFolderFlush = new Set(['EINVAL', 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EISDIR', 'EBADF']);

/** Makes a rename durable where the system can. */
function flushFolder(path: string): void {
  // Windows cannot open folders; its rename is durable enough without.
  if (process.platform === 'win32') return;
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, 'r');
    fsyncSync(descriptor);
  } catch (error) {
    if (!noFolderFlush.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

/** Writes chunks to a new file beside `path`, flushes it and renames it into place. Throws NomoatError (kind failed). */
export function writeChunksAtomic(path: string, chunks: Iterable<string | Uint8Array>): void {
  const temporary = temporaryName(path);
  try {
    const descriptor = openSync(temporary, 'w');
    try {
      for (const chunk of chunks) {
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
        for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done);
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameWhenFree(temporary, path);
    flushFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, removeWhenFree);
    if (error instanceof NomoatError) throw error;
    throw writeFailure(path, error);
  }
}

/** Replaces the file `path` with `data` in one step. Throws NomoatError (kind failed). */
export function writeFileAtomic(path: string, data: string | Uint8Array): void {
  writeChunksAtomic(path, [data]);
}

/**
 * Replaces the folder `path` by what `write` puts into an empty temporary one. The files are flushed before the rename.
 * When an older folder stands there it is moved aside first and removed last.
 */
export function replaceFolderAtomic(path: string, write: (temporary: string) => void): void {
  const temporary = temporaryName(path);
  const old = `${temporary}${movedAside}`;
  try {
    rmSync(temporary, removeWhenFree);
    mkdirSync(temporary, { recursive: true });
    write(temporary);
    for (const name of readdirSync(temporary)) {
      const descriptor = openSync(join(temporary, name), 'r+');
      fsyncSync(descriptor);
      closeSync(descriptor);
    }
    flushFolder(temporary);
    if (existsSync(path)) renameWhenFree(path, old);
    renameWhenFree(temporary, path);
    flushFolder(dirname(path));
    rmSync(old, removeWhenFree);
  } catch (error) {
    rmSync(temporary, removeWhenFree);
    if (existsSync(old) && !existsSync(path)) renameWhenFree(old, path);
    if (error instanceof NomoatError) throw error;
    throw writeFailure(path, error);
  }
}
