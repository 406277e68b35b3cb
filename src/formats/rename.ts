/**
 * Renames and removals that wait for others to let go. On Windows both fail at once while a virus scanner, an indexer or an editor has the
 * file open (EPERM, EBUSY, EACCES), and succeed a moment later; elsewhere those codes mean no, and are answered at once.
 */
import { renameSync } from 'node:fs';

const held = new Set(['EPERM', 'EBUSY', 'EACCES']);
/** A scanner is done with a file in less than a second. graceful-fs goes on for a minute: here a run, and its Ctrl-C, would wait for it. */
const longestMilliseconds = 3000;
/** Short at first, since most are let go at once; then a few times a second. */
const firstPauseMilliseconds = 5;
const longestPauseMilliseconds = 200;

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** renameSync, tried again for a bounded time where another program may hold the file. Throws the system's error. */
export function renameWhenFree(from: string, to: string): void {
  const begun = performance.now();
  for (let wait = firstPauseMilliseconds; ; wait = Math.min(2 * wait, longestPauseMilliseconds)) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      const mayBeHeld = process.platform === 'win32' && held.has((error as NodeJS.ErrnoException).code ?? '');
      if (!mayBeHeld || performance.now() - begun >= longestMilliseconds) throw error;
    }
    pause(wait);
  }
}

/** For rmSync: whatever is there, nothing too. Node itself tries again where others hold it, waiting 20 ms longer each time: 1.1 s in all. */
export const removeWhenFree = { recursive: true, force: true, maxRetries: 10, retryDelay: 20 } as const;
