/**
 * Records of Arrow files, in the stream format (as `save_to_disk` writes it) and the file format (Feather). Promises:
 * values as table-values.ts has them; what the file says of itself is checked before it is followed; a damaged file is
 * an error that names it. `line` of a record counts its rows. Does not know what columns mean.
 */
import { CompressionType, type DataType, setCompressionCodec, type Table, Type, tableFromIPC } from '@uwdata/flechette';
import type { NomoatError } from '../errors.ts';
import { checkBatch } from './arrow-columns.ts';
import { checkFile, checkStream, isArrowFile } from './arrow-messages.ts';
import { type Remarks, readAllBytes } from './byte-source.ts';
import { unlz4 } from './lz4-frame.ts';
import { fileError, inBatches, maxStreamedBytes, type RawRecord, type RecordBatches } from './raw-record.ts';
import {
  type Columns,
  day,
  decimal,
  float,
  integer,
  leaf,
  moment,
  recordsOf,
  text,
  ValueFault,
  type ValueType,
} from './table-values.ts';
import { unzstdWhole } from './unzstd.ts';

const nothingIsWritten = (): never => {
  throw new Error('nothing is written');
};
const codecs = { [CompressionType.ZSTD]: unzstdWhole, [CompressionType.LZ4_FRAME]: unlz4 };
for (const [type, unpack] of Object.entries(codecs))
  setCompressionCodec(Number(type) as keyof typeof codecs, {
    decode: (bytes: Uint8Array) => unpack(bytes, maxStreamedBytes),
    encode: nothingIsWritten,
  });

const millisecondsOfDay = 864e5;
/** The library gives moments in milliseconds; a microsecond is as fine as they then are. */
const microsecondsOf = (value: unknown): unknown =>
  typeof value === 'number' && Number.isFinite(value) ? BigInt(Math.round(value * 1000)) : value;

const unreadable = (what: string): ValueType =>
  leaf(() => {
    throw new ValueFault(`holds ${what}, which JSON does not have`);
  });

const leaves: Readonly<Record<number, (type: DataType) => ValueType>> = {
  [Type.Null]: () => leaf(() => null),
  [Type.Int]: () => leaf(integer),
  [Type.Float]: () => leaf(float),
  [Type.Bool]: () => leaf((value) => value),
  [Type.Utf8]: () => leaf(text),
  [Type.LargeUtf8]: () => leaf(text),
  [Type.Utf8View]: () => leaf(text),
  [Type.Binary]: () => leaf((value) => value),
  [Type.LargeBinary]: () => leaf((value) => value),
  [Type.BinaryView]: () => leaf((value) => value),
  [Type.FixedSizeBinary]: () => leaf((value) => value),
  [Type.Decimal]: (type) =>
    leaf((value) => decimal(BigInt(value as number | bigint), (type as { scale?: number }).scale ?? 0)),
  [Type.Date]: () => leaf((value) => day(typeof value === 'number' ? Math.floor(value / millisecondsOfDay) : value)),
  [Type.Timestamp]: () => leaf((value) => moment(microsecondsOf(value), 6)),
  [Type.Time]: () => leaf(integer),
  [Type.Duration]: () => leaf(integer),
  [Type.Interval]: () => unreadable('an interval'),
  [Type.Union]: () => unreadable('values of several types (a union)'),
};

function typeOf(type: DataType): ValueType {
  if (type.typeId === Type.Dictionary) return typeOf(type.dictionary);
  const read = leaves[type.typeId];
  if (read) return read(type);
  const children = 'children' in type ? type.children : [];
  if (type.typeId === Type.Struct)
    return { kind: 'struct', fields: children.map((child) => [child.name, typeOf(child.type)] as const) };
  if (type.typeId === Type.RunEndEncoded && children[1]) return typeOf(children[1].type);
  const of = children[0]?.type;
  if (type.typeId === Type.Map && of?.typeId === Type.Struct && of.children[1])
    return { kind: 'map', of: typeOf(of.children[1].type) };
  return of ? { kind: 'list', of: typeOf(of) } : unreadable('values of an unknown type');
}

const damaged = (path: string, error: unknown): NomoatError => {
  const said = error instanceof Error ? error.message : String(error);
  return fileError(path, `is an Arrow file that is damaged or cut off (${said})`, 'Fetch or write it again.', error);
};

/** The table of a file whose headers are whole; what stands after its end is noted. */
function openTable(path: string, bytes: Uint8Array, remarks: Remarks): Table {
  if (isArrowFile(bytes)) checkFile(bytes);
  else {
    const { end, marked } = checkStream(bytes);
    if (!marked) remarks.notes.push(`${path}: ends without the mark of an end; if it is cut off, rows are missing`);
    const rest = bytes.length - end;
    if (rest > 0 && bytes.subarray(end).some((byte) => byte !== 0))
      remarks.notes.push(`${path}: ${rest} bytes after the end of its Arrow data are not read`);
  }
  const table = tableFromIPC(bytes, { useBigInt: true, useDecimalInt: true });
  for (const column of table.children) for (const batch of column.data) checkBatch(batch);
  return table;
}

function* tableRecords(table: Table, columns: Columns): Generator<RawRecord> {
  const batches = table.children[0]?.data.length ?? 0;
  let line = 1;
  for (let b = 0; b < batches; b++) {
    const parts = new Map(columns.map(([name], i) => [name, table.children[i]!.data[b]!]));
    const rows = Math.max(...[...parts.values()].map(({ length }) => length));
    if ([...parts.values()].some(({ length }) => length !== rows))
      throw new Error('a column has fewer values than rows');
    yield* recordsOf(columns, (name, row) => parts.get(name)!.at(row), rows, line);
    line += rows;
  }
}

/** Opens an Arrow file. Throws NomoatError, reading may too. */
export async function arrowRecords(
  path: string,
  remarks: Remarks,
): Promise<{ columns: readonly string[]; records: RecordBatches }> {
  // A copy in memory of its own: numbers are read in place, and have to lie at multiples of eight.
  const bytes = Uint8Array.from(await readAllBytes(path, maxStreamedBytes, 'Split it, or write it as JSONL.', remarks));
  try {
    const table = openTable(path, bytes, remarks);
    const columns = table.schema.fields.map(({ name, type }) => [name, typeOf(type)] as const);
    const records = async function* (): AsyncGenerator<readonly RawRecord[]> {
      try {
        yield* inBatches(tableRecords(table, columns));
      } catch (error) {
        throw damaged(path, error);
      }
    };
    return { columns: columns.map(([name]) => name), records: records() };
  } catch (error) {
    throw damaged(path, error);
  }
}
