/**
 * A file with the number of the process that has something for itself. Promises: of several that find a dead process's lock one takes it,
 * and none takes away what another has just put there. Knows nothing of what is locked.
 */
import { existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAlive } from './atomic-write.ts';
import { removeWhenFree } from './rename.ts';

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

/** Ends the name of what a process holds while it takes a dead one's lock away: no process has this number. */
const guardMark = '-0';
/** The guard is held for some file operations. */
const guardMilliseconds = 1;

const pause = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
};

/** Whether it is there with the number of a process that is gone: one that was killed while it held it. */
function isDead(guard: string): boolean {
  try {
    const pid = Number(readFileSync(guard, 'utf8'));
    return pid > 0 && !isAlive(pid);
  } catch {
    return false;
  }
}

/**
 * Takes a dead process's lock away, one process at a time: of two that find it dead, the second would take away what a third had put there
 * meanwhile. `own` is a file with this process's number. Throws the system's error.
 */
function takeAway(path: string, own: string, settlesMs: number): void {
  const guard = `${path}${guardMark}`;
  if (!named(own, guard)) {
    // One look at it: a guard that is given back meanwhile is not there to be taken for a dead one's.
    if (isDead(guard)) rmSync(guard, removeWhenFree);
    else pause(guardMilliseconds);
    return;
  }
  try {
    // What is there and dead stays so: nobody else takes it away, and nobody puts another in its place.
    if (existsSync(path) && lockHolder(path, settlesMs) === null) rmSync(path, removeWhenFree);
  } finally {
    rmSync(guard, removeWhenFree);
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
      takeAway(path, own, settlesMs);
    }
  } finally {
    rmSync(own, removeWhenFree);
  }
}

/** Gives the lock back. */
export const releaseLock = (path: string): void => rmSync(path, removeWhenFree);
