/**
 * Records of Parquet files. Promises: one row group in memory at a time; values as table-values.ts has them; a damaged
 * file is an error that names it. `line` of a record counts its rows. Does not know what columns mean.
 */
import { closeSync } from 'node:fs';
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type SchemaElement,
  type SchemaTree,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { NomoatError } from '../errors.ts';
import { openBounded, type Remarks, readAllBytes, readAt } from './byte-source.ts';
import type { Packing } from './file-kinds.ts';
import { checkGroups, checkPages } from './parquet-pages.ts';
import { fileError, inBatches, maxStreamedBytes, type RawRecord, type RecordBatches } from './raw-record.ts';
import {
  day,
  decimal,
  float,
  integer,
  jsonText,
  leaf,
  moment,
  recordsOf,
  signedBytes,
  text,
  type ValueType,
} from './table-values.ts';

interface OpenTable {
  readonly columns: readonly string[];
  readonly records: RecordBatches;
}

/** Dates come as numbers and text as bytes, to be read in one place. */
const rawParsers = {
  timestampFromMilliseconds: (value: bigint): unknown => moment(value, 3),
  timestampFromMicroseconds: (value: bigint): unknown => moment(value, 6),
  timestampFromNanoseconds: (value: bigint): unknown => moment(value, 9),
  dateFromDays: day,
  stringFromBytes: text,
};

/** What the reader would round or refuse is read as it lies in the file. */
const readRaw = new Set(['DECIMAL', 'JSON', 'BSON', 'INTERVAL']);
const rawLogical = new Set(['DECIMAL', 'JSON', 'BSON', 'GEOMETRY', 'GEOGRAPHY', 'VARIANT']);

/**
 * What makes values of a leaf, by its types as the file has them. Those that the reader is to leave alone are taken out
 * of `element`.
 */
function leafType(element: SchemaElement): ValueType {
  const { type, converted_type: converted, logical_type: logical, scale = 0 } = element;
  if (converted && readRaw.has(converted)) delete element.converted_type;
  if (logical && rawLogical.has(logical.type)) delete element.logical_type;
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL')
    return leaf((value) => decimal(value instanceof Uint8Array ? signedBytes(value) : BigInt(value as number), scale));
  if (converted === 'JSON' || logical?.type === 'JSON') return leaf(jsonText);
  if (type === 'FLOAT' || type === 'DOUBLE' || logical?.type === 'FLOAT16') return leaf(float);
  if (type === 'BYTE_ARRAY') return leaf(text);
  return leaf(integer);
}

function typeOf(node: SchemaTree): ValueType {
  const { element, children } = node;
  const kind = element.converted_type ?? element.logical_type?.type;
  const [only] = children;
  if (children.length === 0) {
    const read = leafType(element);
    return element.repetition_type === 'REPEATED' ? { kind: 'list', of: read } : read;
  }
  if (kind === 'LIST' && children.length === 1 && only) {
    // Three levels (a group that repeats around the element), or the older two.
    const wrapped =
      only.children.length === 1 && only.element.name !== 'array' && !only.element.name.endsWith('_tuple');
    return { kind: 'list', of: wrapped ? typeOf(only.children[0]!) : onceOf(only) };
  }
  if ((kind === 'MAP' || kind === 'MAP_KEY_VALUE') && only?.children.length === 2)
    return { kind: 'map', of: typeOf(only.children[1]!) };
  const struct = onceOf(node);
  return element.repetition_type === 'REPEATED' ? { kind: 'list', of: struct } : struct;
}

/** A group without its repetition. */
const onceOf = (node: SchemaTree): ValueType =>
  node.children.length === 0
    ? leafType(node.element)
    : { kind: 'struct', fields: node.children.map((child) => [child.element.name, typeOf(child)] as const) };

const damaged = (path: string, error: unknown): NomoatError => {
  if (error instanceof NomoatError) return error;
  const said = error instanceof Error ? error.message : String(error);
  if (/unsupported|not supported/i.test(said))
    return fileError(
      path,
      `is a Parquet file of a kind that is not read (${said})`,
      'Write it again with usual settings, or as JSONL.',
      error,
    );
  return fileError(path, `is a Parquet file that is damaged or cut off (${said})`, 'Fetch or write it again.', error);
};

async function* rowsOf(
  path: string,
  file: AsyncBuffer,
  metadata: FileMetaData,
  columns: readonly (readonly [string, ValueType])[],
): AsyncGenerator<readonly RawRecord[]> {
  const schema = parquetSchema(metadata);
  let start = 0;
  for (const group of metadata.row_groups) {
    const count = Number(group.num_rows);
    let rows: Record<string, unknown>[] = [];
    try {
      await checkPages(file, schema, group);
      rows = await parquetReadObjects({
        file,
        metadata,
        compressors,
        parsers: rawParsers,
        utf8: false,
        geoparquet: false,
        rowStart: start,
        rowEnd: start + count,
      });
      if (rows.length !== count || rows.some((row) => columns.some(([name]) => row[name] === undefined)))
        throw new Error('a column has fewer values than the file has rows');
    } catch (error) {
      throw damaged(path, error);
    }
    yield* inBatches(recordsOf(columns, (name, i) => rows[i]![name], count, start + 1));
    start += count;
  }
}

/** Opens a Parquet file by its footer. Throws NomoatError, reading may too. */
export async function parquetRecords(path: string, packing: Packing | null, remarks: Remarks): Promise<OpenTable> {
  const opened = packing ? null : openBounded(path);
  const whole = packing ? await readAllBytes(path, maxStreamedBytes, 'Unpack it, or split it.', remarks) : null;
  const byteLength = whole?.length ?? opened!.size;
  const slice = (from: number, to = byteLength): ArrayBuffer => {
    const [start, end] = [from < 0 ? byteLength + from : from, to < 0 ? byteLength + to : to];
    if (!(start >= 0 && end >= start && end <= byteLength)) throw new Error('it points to bytes beyond its end');
    return whole ? Uint8Array.from(whole.subarray(start, end)).buffer : readAt(path, opened!.file, start, end).buffer;
  };
  const close = (): void => {
    if (opened) closeSync(opened.file);
  };
  const file: AsyncBuffer = { byteLength, slice };
  try {
    const metadata = await parquetMetadataAsync(file, { geoparquet: false, parsers: rawParsers });
    checkGroups(metadata);
    const columns = parquetSchema(metadata).children.map((node) => [node.element.name, typeOf(node)] as const);
    const records = async function* (): AsyncGenerator<readonly RawRecord[]> {
      try {
        yield* rowsOf(path, file, metadata, columns);
      } finally {
        close();
      }
    };
    return { columns: columns.map(([name]) => name), records: records() };
  } catch (error) {
    close();
    throw damaged(path, error);
  }
}
