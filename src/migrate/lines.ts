/**
 * JSONL files of platforms, row by row. Promises: memory stays within a piece of the file; faults are listed up to a
 * bound and counted beyond it.
 */
import { noRemarks } from '../records/byte-source.ts';
import { jsonlRecords } from '../records/json-records.ts';

/** Faults that are listed. */
const mostFaults = 20;

/** What is wrong with a row, as the end of a sentence; null where nothing is. */
export type RowCheck = (row: Readonly<Record<string, unknown>>) => string | null;

export interface CheckedLines {
  readonly rows: number;
  readonly faults: readonly string[];
  readonly faultCount: number;
}

const isRow = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Each row of the file held against `check`. Throws NomoatError where it cannot be read. */
export async function checkLines(path: string, check: RowCheck): Promise<CheckedLines> {
  const faults: string[] = [];
  let [rows, faultCount] = [0, 0];
  for await (const batch of jsonlRecords(path, noRemarks()))
    for (const record of batch) {
      rows++;
      const fault = 'fault' in record ? record.fault : isRow(record.value) ? check(record.value) : 'is no JSON object';
      if (fault === null) continue;
      faultCount++;
      if (faults.length < mostFaults) faults.push(`Line ${record.line} ${fault}.`);
    }
  return { rows, faults, faultCount };
}

/** Values of the file, as far as they are JSON; no more than `most`. Throws NomoatError where it cannot be read. */
export async function firstValues(path: string, most: number): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const batch of jsonlRecords(path, noRemarks())) {
    for (const record of batch) if ('value' in record && values.length < most) values.push(record.value);
    if (values.length >= most) break;
  }
  return values;
}
