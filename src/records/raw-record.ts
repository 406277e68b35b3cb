/**
 * One record of a data file before anyone knows what it means, and the bounds and errors that all readers share.
 */
import { NomoatError } from '../errors.ts';
import { readJson } from '../formats/exact-json.ts';
import { isDeeper, jsonFault } from './json-faults.ts';

/**
 * `line` counts from 1 (of a table: rows), and so does `record`, which of the elements of a list it is. A fault says
 * what kind of reason it is (equal for equal causes), its detail where or what exactly. `kept` is the text of a column
 * that was asked for beside what an example is made of.
 */
export type RawRecord = { readonly line: number; readonly record?: number; readonly kept?: string } & (
  | { readonly value: unknown }
  | { readonly fault: string; readonly detail?: string }
);

/** Records come by the piece: one at a time would cost more in waiting than in reading. */
export type RecordBatches = AsyncIterable<readonly RawRecord[]>;

/** No record that a model could be trained on is longer; a longer one is skipped, not held. */
export const maxRecordBytes = 16 << 20;
/** JSON lists and CSV are held whole as one string; JavaScript's limit is 512 Mi characters. */
export const maxWholeFileBytes = 256 << 20;
/** JSONL is streamed, but its texts stay in memory until they are tokens; more would not be trained on in a night. */
export const maxStreamedBytes = 1 << 30;
/**
 * Templates and JSON writers call themselves for every level; no conversation or argument of a call is near as deep.
 */
export const maxDepth = 200;
/** Records that are handed on at once where a reader has them all. */
const batchRecords = 1000;

export function fileError(path: string, fault: string, remedy: string, cause?: unknown): NomoatError {
  return new NomoatError({ part: path, fault, remedy, cause });
}

export const tooDeep = `is nested deeper than ${maxDepth} levels`;

/** JSON of one record; a fault where it is none. */
export function parseJson(line: number, text: string): RawRecord {
  try {
    const value = readJson(text);
    return isDeeper(value, maxDepth) ? { line, fault: tooDeep } : { line, value };
  } catch (error) {
    // A parser that calls itself for each level ran out of stack.
    if (error instanceof RangeError) return { line, fault: tooDeep };
    return { line, ...jsonFault(text, error as Error) };
  }
}

/** Records one by one as batches. */
export async function* inBatches(records: Iterable<RawRecord>): AsyncGenerator<readonly RawRecord[]> {
  let batch: RawRecord[] = [];
  for (const record of records) {
    if (batch.push(record) < batchRecords) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
