/** How often test data was looked at: who chooses by it again and again has learnt from it. Kept beside the answers. */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { answersFolder } from '../store/cache.ts';

/** Counts one more look at the test data of this digest, and returns how many there have been. */
export function countLook(digest: string): number {
  const path = join(answersFolder(), 'looks', digest);
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${new Date().toISOString()}\n`);
  return readFileSync(path, 'utf8').trim().split('\n').length;
}
