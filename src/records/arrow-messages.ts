/**
 * Checks the headers of an Arrow file before they are decoded: flatbuffers, whose offsets and counts the decoder
 * follows without asking. Promises: every vector, text and table of a header that passes lies inside it, and the file's
 * messages inside the file. Pure. Spec: https://arrow.apache.org/docs/format/Columnar.html, format/Message.fbs,
 * Schema.fbs and File.fbs.
 */
import { Type } from '@uwdata/flechette';
import { maxDepth } from './raw-record.ts';

/** Fields of a schema; a table of more columns is no data to train on. */
const maxFields = 10_000;
/** Digits of the widest decimal. */
const maxScale = 76;
const continuation = 0xffffffff;
const header = { schema: 1, dictionary: 2, records: 3 } as const;

function fail(what: string): never {
  throw new Error(what);
}

/** A table of a flatbuffer; fields by the offsets of its vtable, as the specification's order has them: 4, 6, 8, ... */
class FlatTable {
  private readonly view: DataView;
  private readonly at: number;
  private readonly vtable: number;
  private readonly size: number;

  /** `from`: where an offset to the table stands. */
  constructor(view: DataView, from: number) {
    this.view = view;
    this.at = from + view.getUint32(from, true);
    this.vtable = this.at - view.getInt32(this.at, true);
    this.size = view.getInt16(this.vtable, true);
  }

  /** Where a field stands; 0 where it is left out. */
  field(index: number): number {
    const offset = index < this.size ? this.view.getInt16(this.vtable + index, true) : 0;
    const at = this.at + offset;
    if (offset !== 0 && (offset < 0 || at >= this.view.byteLength)) fail('a field leads out of its header');
    return offset === 0 ? 0 : at;
  }

  table(index: number): FlatTable | null {
    const at = this.field(index);
    return at === 0 ? null : new FlatTable(this.view, at);
  }

  /** Where the elements of a vector stand; `stride` bytes each. */
  vector(index: number, stride: number): number[] {
    const at = this.field(index);
    if (at === 0) return [];
    const base = at + this.view.getUint32(at, true);
    const count = this.view.getUint32(base, true);
    if (base + 4 + count * stride > this.view.byteLength) fail('a list leads out of its header');
    return Array.from({ length: count }, (_, i) => base + 4 + i * stride);
  }

  text(index: number): void {
    this.vector(index, 1);
  }

  number(index: number, bits: 8 | 16 | 32): number {
    const at = this.field(index);
    if (at === 0) return 0;
    return bits === 8
      ? this.view.getUint8(at)
      : bits === 16
        ? this.view.getInt16(at, true)
        : this.view.getInt32(at, true);
  }

  long(index: number): number {
    const at = this.field(index);
    return at === 0 ? 0 : Number(this.view.getBigInt64(at, true));
  }
}

interface Budget {
  fields: number;
}

function checkMetadata(view: DataView, table: FlatTable, index: number): void {
  for (const at of table.vector(index, 4)) {
    const pair = new FlatTable(view, at);
    pair.text(4);
    pair.text(6);
  }
}

function checkType(kind: number, type: FlatTable | null): void {
  if (!type) return;
  if (kind === Type.Union) type.vector(6, 4);
  if (kind === Type.Timestamp) type.text(6);
  if (kind === Type.Decimal && Math.abs(type.number(6, 32)) > maxScale) fail('a decimal has too many digits');
}

function checkField(view: DataView, at: number, depth: number, budget: Budget): void {
  if (depth > maxDepth || --budget.fields < 0) fail('the schema has too many fields');
  const field = new FlatTable(view, at);
  field.text(4);
  checkType(field.number(8, 8), field.table(10));
  field.table(12)?.table(6);
  checkMetadata(view, field, 16);
  for (const child of field.vector(14, 4)) checkField(view, child, depth + 1, budget);
}

function checkSchema(view: DataView, schema: FlatTable | null): void {
  if (!schema) return;
  const budget = { fields: maxFields };
  for (const field of schema.vector(6, 4)) checkField(view, field, 0, budget);
  checkMetadata(view, schema, 8);
}

function checkRecords(view: DataView, records: FlatTable | null): void {
  if (!records) return;
  records.vector(6, 16);
  // 24 bytes each before version 4, and the decoder looks no further then.
  const buffers = records.vector(8, 16).length;
  for (const at of records.vector(12, 8))
    if (view.getBigInt64(at, true) < 0n || view.getBigInt64(at, true) > BigInt(buffers))
      fail('a column has too many buffers');
}

/** One message whose header stands at `start`. Returns where the next one begins. */
function checkMessage(bytes: Uint8Array, start: number, length: number): number {
  if (length < 4 || start + length > bytes.length) fail('a message is longer than the file');
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, length);
  const message = new FlatTable(view, 0);
  const kind = message.number(6, 8);
  const content = message.table(8);
  if (kind === header.schema) checkSchema(view, content);
  else if (kind === header.dictionary) checkRecords(view, content?.table(6) ?? null);
  else if (kind === header.records) checkRecords(view, content);
  const body = message.long(10);
  if (!Number.isSafeInteger(body) || body < 0 || start + length + body > bytes.length)
    fail('a message is longer than the file');
  return start + length + body;
}

/** Where the header of the message at `at` begins, and its length; 0 is the end of a stream. */
function frame(bytes: Uint8Array, at: number): { start: number; length: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Before version 0.15 the length came without a mark.
  const marked = view.getUint32(at, true) === continuation;
  return { start: at + (marked ? 8 : 4), length: view.getInt32(at + (marked ? 4 : 0), true) };
}

/** Checks a stream. Where it ends, and whether its end is marked. Throws where its headers contradict the file. */
export function checkStream(bytes: Uint8Array): { end: number; marked: boolean } {
  let at = 0;
  while (at + 8 <= bytes.length) {
    const { length, start } = frame(bytes, at);
    if (length === 0) return { end: start, marked: true };
    at = checkMessage(bytes, start, length);
  }
  return { end: at, marked: false };
}

const magic = Buffer.from('ARROW1');

/** Checks a file, whose footer says where its messages stand. Throws where it contradicts the file. */
export function checkFile(bytes: Uint8Array): void {
  const end = bytes.length - magic.length - 4;
  if (end < magic.length || !magic.equals(bytes.subarray(-magic.length))) fail('it has no end');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getInt32(end, true);
  if (length < 4 || length > end) fail('its footer is longer than the file');
  const footer = new DataView(bytes.buffer, bytes.byteOffset + end - length, length);
  const table = new FlatTable(footer, 0);
  checkSchema(footer, table.table(6));
  for (const blocks of [table.vector(8, 24), table.vector(10, 24)])
    for (const block of blocks) {
      const at = Number(footer.getBigInt64(block, true));
      if (!(at >= 0 && at + 8 <= bytes.length)) fail('a message stands outside the file');
      const { length: size, start } = frame(bytes, at);
      checkMessage(bytes, start, size);
    }
  checkMetadata(footer, table, 12);
}

export const isArrowFile = (bytes: Uint8Array): boolean => magic.equals(bytes.subarray(0, magic.length));
