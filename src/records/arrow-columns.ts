/**
 * Checks the columns of an Arrow file before they are read: lengths, and offsets into other buffers.
 * Promises: no index of a batch that passes leads out of its buffers. Pure.
 */
import { isUtf8 } from 'node:buffer';
import { type Batch, type DataType, Type } from '@uwdata/flechette';

/** Values of one column in one batch; datasets write a thousand rows a batch, others a million. */
const maxValues = 1 << 26;

function fail(what: string): never {
  throw new Error(what);
}

type Numbers = ArrayLike<number | bigint>;

/** The parts that batches of several kinds have; the library declares them in each kind's own class. */
interface Parts {
  readonly length: number;
  readonly nullCount: number;
  readonly type: DataType;
  readonly validity?: Uint8Array;
  readonly values?: Uint8Array;
  readonly offsets?: Numbers;
  readonly sizes?: Numbers;
  readonly children?: readonly Batch<unknown>[];
  readonly dictionary?: { readonly length: number };
}

/** Elements of `values` that a value takes, where it is another number than one. */
function valuesNeeded(type: DataType, length: number): number {
  const { typeId } = type;
  if (typeId === Type.Bool) return Math.ceil(length / 8);
  if (typeId === Type.FixedSizeBinary) return length * type.stride;
  if (typeId === Type.Decimal) return length * Math.max(1, type.bitWidth / 64);
  if (typeId === Type.BinaryView || typeId === Type.Utf8View) return length * 16;
  return length;
}

const withValues: readonly number[] = [
  Type.Int, Type.Float, Type.Bool, Type.Decimal, Type.Date, Type.Time, Type.Timestamp, Type.Interval,
  Type.FixedSizeBinary, Type.Duration, Type.BinaryView, Type.Utf8View, Type.Dictionary,
]; // biome-ignore format: a list

/** Offsets go up, and to no more than there is. */
function checkOffsets({ length, offsets, sizes }: Parts, available: number): void {
  const at = (i: number): number => Number(offsets![i]);
  if (offsets!.length < length + (sizes ? 0 : 1)) {
    // An empty column may leave its offsets out.
    if (length === 0) return;
    fail('a column has fewer offsets than values');
  }
  if (sizes) {
    if (sizes.length < length) fail('a column has fewer sizes than values');
    for (let i = 0; i < length; i++)
      if (at(i) < 0 || Number(sizes[i]) < 0 || at(i) + Number(sizes[i]) > available)
        fail('an offset leads out of its column');
    return;
  }
  if (at(0) < 0) fail('an offset is negative');
  for (let i = 0; i < length; i++) if (at(i + 1) < at(i)) fail('offsets go down');
  if (at(length) > available) fail('an offset leads out of its column');
}

const isText = (type: DataType): boolean => type.typeId === Type.Utf8 || type.typeId === Type.LargeUtf8;

/** Throws Error where a batch leads out of its buffers, or a text is no UTF-8. */
export function checkBatch(batch: Batch<unknown>): void {
  const parts = batch as Batch<unknown> & Parts;
  const { children = [], dictionary, length, nullCount, offsets, type, validity, values } = parts;
  if (!Number.isSafeInteger(length) || length < 0 || length > maxValues)
    fail(`a column has ${length} values in one batch`);
  if (nullCount > 0 && validity && validity.length * 8 < length && type.typeId !== Type.Null)
    fail('a column has fewer marks than values');
  if (withValues.includes(type.typeId) && (values?.length ?? 0) < valuesNeeded(type, length))
    fail('a column has fewer values than it says');
  if (offsets && type.typeId !== Type.Union) {
    checkOffsets(parts, children[0]?.length ?? values?.length ?? 0);
    if (isText(type) && length > 0 && !isUtf8(values!.subarray(Number(offsets[0]), Number(offsets[length]))))
      fail('a text is not valid UTF-8');
  }
  if (dictionary && values)
    for (let i = 0; i < length; i++)
      if (Number(values[i]) >= dictionary.length && parts.isValid(i)) fail('a value is not in its dictionary');
  const needed = type.typeId === Type.Struct ? length : type.typeId === Type.FixedSizeList ? length * type.stride : 0;
  for (const child of children) {
    if (child.length < needed) fail('a column has fewer values than rows');
    checkBatch(child);
  }
}
