/**
 * Whether a folder takes what will be written there, asked before time is spent: by writing. Promises: nothing is left behind, neither
 * files nor folders. Knows nothing of what will be written.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { sizeText } from '../words/size-text.ts';
import { temporaryMark } from './atomic-write.ts';

/** Written for real: enough to meet a quota or a full disk that says it is not; the rest is counted. */
const probeBytes = 1 << 20;

/** Bytes free for this user in the folder; null where the system does not say. */
function freeBytes(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}

/** Why `bytes` cannot be written into `folder` (which need not exist yet), as the end of a sentence; null where they can. */
export function writeFault(folder: string, bytes: number): string | null {
  const path = resolve(folder);
  let first: string | null = null;
  for (let at = path; !existsSync(at) && dirname(at) !== at; at = dirname(at)) first = at;
  const probe = join(path, `probe${temporaryMark}${process.pid}`);
  try {
    // By itself: of a read-only disk the recursive call says that the folder does not exist.
    if (first !== null) mkdirSync(first);
    mkdirSync(path, { recursive: true });
    const descriptor = openSync(probe, 'w');
    try {
      const block = Buffer.alloc(Math.min(bytes, probeBytes), 1);
      for (let done = 0; done < block.length; ) done += writeSync(descriptor, block, done);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
      rmSync(probe, { force: true });
    }
    const free = freeBytes(path);
    return free !== null && free < bytes ? `has ${sizeText(free)} free, and ${sizeText(bytes)} are needed` : null;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    return code === 'ENOSPC' || code === 'EDQUOT' ? 'is on a full disk' : `cannot be written (${code})`;
  } finally {
    if (first !== null) removeEmpty(path, first);
  }
}

/** Removes the folders from `path` up to `first`, which were made for the probe, as far as nobody else has put anything there. */
function removeEmpty(path: string, first: string): void {
  try {
    for (let at = path; ; at = dirname(at)) {
      rmdirSync(at);
      if (at === first) return;
    }
  } catch {
    // An empty folder harms nobody.
  }
}
