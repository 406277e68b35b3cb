/**
 * Rows as the lines of a JSONL file. Promises: those of a JSONL file are copied as they stand, with all of their keys; of other files, as
 * messages, prompt and completion, or text, which is what training reads of them.
 */
import { kindByName } from '../records/data-files.ts';
import { goesOverLines } from '../records/json-records.ts';
import { readLines } from '../records/line-reader.ts';
import type { Example } from '../text/example.ts';

/** What of an example is data. */
function lineOf({ kind, notes, source, ...data }: Example): string {
  return JSON.stringify(data);
}

/** Lines of a JSONL file by their numbers. */
async function linesOf(path: string, wanted: ReadonlySet<number>): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of readLines(path))
    for (const line of batch) if ('text' in line && wanted.has(line.line)) lines.push(line.text);
  return lines;
}

/** The examples' lines, file by file, in their order. */
export async function cleanLines(examples: readonly Example[]): Promise<string[]> {
  const byFile = new Map<string, Example[]>();
  for (const example of examples) {
    const known = byFile.get(example.source.file);
    if (known) known.push(example);
    else byFile.set(example.source.file, [example]);
  }
  const lines: string[] = [];
  for (const [path, own] of byFile) {
    const isCopied =
      kindByName(path) === 'JSONL' &&
      own.every(({ source }) => source.record === undefined) &&
      !(await goesOverLines(path));
    const all = isCopied ? await linesOf(path, new Set(own.map(({ source }) => source.line))) : own.map(lineOf);
    for (const line of all) lines.push(line);
  }
  return lines;
}
