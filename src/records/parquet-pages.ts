/**
 * Checks the pages of a Parquet file before they are read: their headers hold counts by which memory is taken and loops
 * run. Promises: no page that passes says more than its column chunk and the bounds below allow.
 */
import type { AsyncBuffer, ColumnMetaData, FileMetaData, RowGroup, SchemaTree } from 'hyparquet';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from 'hyparquet/src/schema.js';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { compressors } from 'hyparquet-compressors';
import { sizeText } from '../words/size-text.ts';
import {
  checkDeltas,
  checkRuns,
  checkSizedRuns,
  checkTexts,
  countPresent,
  type Runs,
  type Span,
} from './parquet-encodings.ts';
import { maxStreamedBytes } from './raw-record.ts';

/**
 * Values of one column in one row group. Writers end a group at about a million rows; lists have several values a row.
 */
const maxValues = 1 << 26;
/** A page is about a megabyte; a writer may put a whole column chunk in one. */
const maxColumnBytes = maxStreamedBytes;

const count = (value: unknown): number => {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`a count is ${String(value)}`);
  return number;
};

/** Fields of a header, by the numbers that the format gives them. */
type Header = Readonly<Record<string, unknown>>;
const part = (header: Header, field: string): Header | undefined => header[field] as Header | undefined;

/** How a column's levels and values are to be read. */
interface Column {
  readonly meta: ColumnMetaData;
  readonly highest: { readonly repetition: number; readonly definition: number };
}

/** Levels of so many values, of which the highest is `highest`. */
const levels = (highest: number, count: number): Runs => ({ width: 32 - Math.clz32(highest), count });

/** A page as it lies in the file, and how many bytes it says that it unpacks to. */
interface Stored {
  readonly bytes: Uint8Array;
  readonly size: number;
}

const encoding = { plainDictionary: 2, runs: 3, deltas: 5, lengths: 6, prefixes: 7, dictionary: 8 } as const;

/** The values of a page, behind its levels. */
function checkValues({ meta }: Column, { view, start }: Span, kind: unknown, count: number): void {
  if (count === 0) return;
  if (kind === encoding.dictionary || kind === encoding.plainDictionary)
    checkRuns({ view, start: start + 1 }, { width: view.getUint8(start), count });
  else if (kind === encoding.runs) checkSizedRuns({ view, start }, { width: 1, count });
  else if (kind === encoding.deltas) checkDeltas(view, start, count, meta.type === 'INT64');
  else if (kind === encoding.lengths || kind === encoding.prefixes)
    checkTexts(view, start, count, kind === encoding.prefixes);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function checkPageV1(column: Column, { bytes, size }: Stored, page: Header): void {
  const { highest, meta } = column;
  const view = viewOf(decompressPage(bytes, size, meta.codec, compressors));
  const values = count(page['field_1']);
  let at = 0;
  if (highest.repetition > 0) at = checkSizedRuns({ view, start: at }, levels(highest.repetition, values));
  let present = values;
  if (highest.definition > 0) {
    const [start, definitions] = [at, levels(highest.definition, values)];
    at = checkSizedRuns({ view, start }, definitions);
    present = countPresent({ view, start: start + 4 }, definitions, highest.definition);
  }
  checkValues(column, { view, start: at }, page['field_2'], present);
}

function checkPageV2(column: Column, { bytes, size }: Stored, page: Header): void {
  const { highest, meta } = column;
  const [values, nulls] = [count(page['field_1']), count(page['field_2'])];
  const [definition, repetition] = [count(page['field_5']), count(page['field_6'])];
  if (nulls > values || definition + repetition > Math.min(size, bytes.length))
    throw new Error('a page is longer than it says');
  const view = viewOf(bytes);
  const end = repetition + definition;
  if (highest.repetition > 0) checkRuns({ view, start: 0, end: repetition }, levels(highest.repetition, values));
  if (highest.definition > 0) checkRuns({ view, start: repetition, end }, levels(highest.definition, values));
  const rest = bytes.subarray(end);
  const unpacked = size - end;
  const packed = page['field_7'] !== false && unpacked > 0;
  const data = packed ? decompressPage(rest, unpacked, meta.codec, compressors) : rest;
  checkValues(column, { view: viewOf(data), start: 0 }, page['field_4'], values - nulls);
}

/** One page; returns how many values it adds to its column. */
function checkPage(column: Column, header: Header, stored: Stored, total: number): number {
  const [v1, dictionary, v2] = [part(header, 'field_5'), part(header, 'field_7'), part(header, 'field_8')];
  const page = v1 ?? dictionary ?? v2;
  const values = count(page?.['field_1'] ?? 0);
  if (values > total) throw new Error(`a page has ${values} values, and its column ${total}`);
  if (v1) checkPageV1(column, stored, v1);
  else if (v2) checkPageV2(column, stored, v2);
  return v1 || v2 ? values : 0;
}

/** Where the pages of a column chunk lie. */
function rangeOf(meta: ColumnMetaData): [number, number] {
  const first = meta.dictionary_page_offset ?? meta.data_page_offset;
  const start = Math.min(count(first), count(meta.data_page_offset));
  return [start, start + count(meta.total_compressed_size)];
}

async function checkChunk(file: AsyncBuffer, column: Column, rows: number): Promise<void> {
  const { highest, meta } = column;
  const [start, end] = rangeOf(meta);
  if (end > file.byteLength) throw new Error(`a column ends at byte ${end}, and the file at ${file.byteLength}`);
  const values = count(meta.num_values);
  if (values > maxValues) throw new Error(`a column has ${values} values in one row group, more than ${maxValues}`);
  if (highest.repetition === 0 && values !== rows) throw new Error(`a column has ${values} values for ${rows} rows`);
  const view = new DataView(await file.slice(start, end));
  const reader = { view, offset: 0 };
  let [unpacked, seen] = [0, 0];
  while (reader.offset < view.byteLength - 1 && seen < values) {
    const header: Header = deserializeTCompactProtocol(reader);
    const [size, stored] = [count(header['field_2']), count(header['field_3'])];
    if (reader.offset + stored > view.byteLength) throw new Error('a page is longer than its column');
    unpacked += size;
    if (unpacked > maxColumnBytes) throw new Error(`a column unpacks to more than ${sizeText(maxColumnBytes)}`);
    const bytes = new Uint8Array(view.buffer, reader.offset, stored);
    seen += checkPage(column, header, { bytes, size }, values);
    reader.offset += stored;
  }
  if (seen !== values) throw new Error(`the pages of a column hold ${seen} of ${values} values`);
}

/** Throws Error where a row group's pages are not what its metadata says. */
export async function checkPages(file: AsyncBuffer, schema: SchemaTree, group: RowGroup): Promise<void> {
  for (const { meta_data: meta } of group.columns) {
    if (!meta) throw new Error('a column has no metadata');
    const path = getTreePath(schema, meta.path_in_schema);
    const highest = { repetition: getMaxRepetitionLevel(path), definition: getMaxDefinitionLevel(path) };
    await checkChunk(file, { meta, highest }, count(group.num_rows));
  }
}

/** Throws Error where the counts of the whole file contradict each other. */
export function checkGroups({ num_rows: rows, row_groups: groups }: FileMetaData): void {
  const sum = groups.reduce((total, group) => total + count(group.num_rows), 0);
  if (sum !== count(rows)) throw new Error(`its row groups have ${sum} rows, and its footer says ${count(rows)}`);
  const large = groups.find((group) => count(group.num_rows) > maxValues);
  if (large) throw new Error(`a row group has ${count(large.num_rows)} rows, more than ${maxValues}`);
}
