/**
 * A file with the number of the process that has something for itself. Promises: of several that find a dead process's lock one takes it,
 * and none takes away what another has just put there. Knows nothing of what is locked.
 */
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAlive } from './atomic-write.ts';
import { removeWhenFree, renameWhenFree } from './rename.ts';

/** A lock without a number: its process is about to write it. */
export const unknownHolder = 0;

/**
 * The living process that has the lock, or null. A full disk or a kill can leave the file empty: nobody's, once it is older than `settlesMs`.
 */
export function lockHolder(path: string, settlesMs = 0): number | null {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    if (pid > 0) return isAlive(pid) ? pid : null;
    return settlesMs > 0 && Date.now() - statSync(path).mtimeMs < settlesMs ? unknownHolder : null;
  } catch {
    // There is none, or not any more.
    return null;
  }
}

/** Does `work`; false where it fails with `code`. */
function did(work: () => void, code: 'EEXIST' | 'ENOENT'): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return false;
    throw error;
  }
}

/** Gives the file `own` the name `path` as well; false where something has it. Where a disk knows no second names, its first writer has it. */
function named(own: string, path: string): boolean {
  try {
    return did(() => linkSync(own, path), 'EEXIST');
  } catch {
    return did(() => writeFileSync(path, readFileSync(own), { flag: 'wx' }), 'EEXIST');
  }
}

/** Takes the lock for this process; returns null, or the process that has it (this one too). Throws the system's error. */
export function takeLock(path: string, settlesMs = 0): number | null {
  const own = `${path}-${process.pid}`;
  try {
    for (;;) {
      const holder = lockHolder(path, settlesMs);
      if (holder !== null) return holder;
      writeFileSync(own, String(process.pid));
      // Of two that find no holder one gets the name, with what is in it.
      if (named(own, path)) return null;
      const other = lockHolder(path, settlesMs);
      if (other !== null) return other;
      // A killed process's: taken away, unless another one has put its own there meanwhile.
      if (!did(() => renameWhenFree(path, own), 'ENOENT')) continue;
      const moved = Number(readFileSync(own, 'utf8'));
      if (moved > 0 && moved !== process.pid && isAlive(moved)) {
        renameWhenFree(own, path);
        return moved;
      }
    }
  } finally {
    rmSync(own, removeWhenFree);
  }
}

/** Gives the lock back. */
export const releaseLock = (path: string): void => rmSync(path, removeWhenFree);
