/** What was written: notes for people, paths on stdout for programs. */
import type { Exported } from '../library/export-run.ts';
import { harmless } from '../words/harmless.ts';
import { print } from './print.ts';
import { inCommandWords } from './words.ts';

export function printExported({ files, notes }: Exported): void {
  for (const note of notes) process.stderr.write(`${harmless(inCommandWords(note))}\n`);
  for (const path of files) print(path);
}
