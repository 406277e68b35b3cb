/**
 * Checks the pages of a Parquet file before they are read: their headers hold counts by which memory is taken and loops run.
 * Promises: no page that passes says more than its column chunk and the bounds below allow.
 */
import type { AsyncBuffer, ColumnMetaData, FileMetaData, RowGroup } from 'hyparquet';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { maxStreamedBytes } from './raw-record.ts';
import { sizeText } from './size-text.ts';

/** Values of one column in one row group. Writers end a group at about a million rows; lists have several values a row. */
const maxValues = 1 << 26;
/** A page is about a megabyte; a writer may put a whole column chunk in one. */
const maxPageBytes = maxStreamedBytes;

const count = (value: unknown): number => {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`a count is ${String(value)}`);
  return number;
};

/** Where the pages of a column chunk lie. */
function rangeOf(meta: ColumnMetaData): [number, number] {
  const first = meta.dictionary_page_offset ?? meta.data_page_offset;
  const start = Math.min(count(first), count(meta.data_page_offset));
  return [start, start + count(meta.total_compressed_size)];
}

async function checkChunk(file: AsyncBuffer, meta: ColumnMetaData): Promise<void> {
  const [start, end] = rangeOf(meta);
  if (end > file.byteLength) throw new Error(`a column ends at byte ${end}, and the file at ${file.byteLength}`);
  const values = count(meta.num_values);
  if (values > maxValues) throw new Error(`a column has ${values} values in one row group, more than ${maxValues}`);
  const view = new DataView(await file.slice(start, end));
  const reader = { view, offset: 0 };
  let unpacked = 0;
  let seen = 0;
  while (reader.offset < view.byteLength - 1 && seen < values) {
    const header = deserializeTCompactProtocol(reader);
    const [size, stored] = [count(header.field_2), count(header.field_3)];
    if (reader.offset + stored > view.byteLength) throw new Error('a page is longer than its column');
    // The header of whichever kind of page it is; its first field counts the values.
    const page = (header.field_5 ?? header.field_7 ?? header.field_8) as { field_1?: unknown } | undefined;
    const inPage = count(page?.field_1 ?? 0);
    if (inPage > values) throw new Error(`a page has ${inPage} values, and its column ${values}`);
    if (header.field_7 === undefined) seen += inPage;
    unpacked += size;
    if (unpacked > maxPageBytes) throw new Error(`a column unpacks to more than ${sizeText(maxPageBytes)}`);
    reader.offset += stored;
  }
  if (seen !== values) throw new Error(`the pages of a column hold ${seen} of ${values} values`);
}

/** Throws Error where a row group's pages are not what its metadata says. */
export async function checkPages(file: AsyncBuffer, group: RowGroup): Promise<void> {
  for (const { meta_data: meta } of group.columns) {
    if (!meta) throw new Error('a column has no metadata');
    await checkChunk(file, meta);
  }
}

/** Throws Error where the counts of the whole file contradict each other. */
export function checkGroups({ num_rows: rows, row_groups: groups }: FileMetaData): void {
  const sum = groups.reduce((total, group) => total + count(group.num_rows), 0);
  if (sum !== count(rows)) throw new Error(`its row groups have ${sum} rows, and its footer says ${count(rows)}`);
  const large = groups.find((group) => count(group.num_rows) > maxValues);
  if (large) throw new Error(`a row group has ${count(large.num_rows)} rows, more than ${maxValues}`);
}
