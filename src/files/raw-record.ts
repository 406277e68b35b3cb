/**
 * One record of a data file before anyone knows what it means. Pure types, and the errors that all readers share.
 */
import { NomoatError } from '../errors.ts';

/**
 * `line` counts from 1, and so does `record`, which of the elements of a list it is. A fault says what kind of reason it is (equal for equal
 * causes), its detail where or what exactly.
 */
export type RawRecord = { readonly line: number; readonly record?: number } & (
  | { readonly value: unknown }
  | { readonly fault: string; readonly detail?: string }
);

/** No record that a model could be trained on is longer; a longer one is skipped, not held. */
export const maxRecordBytes = 16 << 20;
/** JSON lists and CSV are held whole as one string; JavaScript's limit is 512 Mi characters. */
export const maxWholeFileBytes = 256 << 20;
/** JSONL is streamed, but its texts stay in memory until they are tokens; more would not be trained on in a night. */
export const maxStreamedBytes = 1 << 30;

export function fileError(path: string, fault: string, remedy: string, cause?: unknown): NomoatError {
  return new NomoatError({ part: path, fault, remedy, cause });
}

/** JSON of one record; a fault where it is none. */
export function parseJson(line: number, text: string): RawRecord {
  try {
    return { line, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { line, fault: 'is no valid JSON', detail: (error as Error).message };
  }
}
