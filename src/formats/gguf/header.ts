/**
 * The header of a GGUF file: metadata and where the tensors lie. Promises: no number in it makes the reader allocate
 * more than the file's own size; every fault names the file and the field. Spec:
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { readSync } from 'node:fs';
import { NomoatError } from '../../errors.ts';
import { foreignHeadBytes, foreignModel } from '../foreign-model.ts';
import { ggmlLayouts } from './dequantize.ts';
import {
  type GgmlType,
  type GgufScalarType,
  type GgufTensorInfo,
  type GgufValue,
  otherTypes,
  supportedGgmlTypes,
} from './types.ts';

/** GGUF's numbers of value types, in order. */
const valueTypes = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
] as const;
const scalarBytes: Readonly<Record<GgufScalarType, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  // A string is at least its length field.
  string: 8,
  uint64: 8,
  int64: 8,
  float64: 8,
};
/** ggml tensors have at most four dimensions. */
const maxDimensions = 4;
/** Nested arrays exist in no known file; the bound stops a header that nests without end. */
const maxArrayDepth = 4;
/** The header is read in pieces of this size, so that a 4 GB file costs no more than its header. */
const readAheadBytes = 1 << 20;

export function ggufFault(path: string, text: string, remedy = 'Download or convert the file again.'): NomoatError {
  return new NomoatError({ code: 'unusable-model', part: path, fault: text, remedy });
}

/** Reads the header front to back with bounds. */
class HeaderReader {
  position = 0;
  private start = 0;
  private buffer = Buffer.alloc(0);
  private readonly descriptor: number;
  private readonly path: string;
  private readonly size: number;

  constructor(descriptor: number, path: string, size: number) {
    this.descriptor = descriptor;
    this.path = path;
    this.size = size;
  }

  remaining(): number {
    return this.size - this.position;
  }

  /** Offset into the buffer at which `length` bytes stand. */
  private need(length: number, what: string): number {
    if (length > this.remaining()) {
      throw ggufFault(
        this.path,
        `is cut short: ${what} needs ${length} bytes at offset ${this.position} of a file of ${this.size}`,
      );
    }
    if (this.position < this.start || this.position + length > this.start + this.buffer.length) {
      const bytes = Math.min(this.remaining(), Math.max(length, readAheadBytes));
      this.buffer = Buffer.allocUnsafe(bytes);
      this.start = this.position;
      readFully(this.descriptor, this.buffer, this.position, this.path);
    }
    const at = this.position - this.start;
    this.position += length;
    return at;
  }

  uint32(what: string): number {
    const at = this.need(4, what);
    return this.buffer.readUInt32LE(at);
  }

  /** A 64-bit count or offset as a number; bounded by the file's size long before precision is lost. */
  count(what: string, bytesEach: number): number {
    const at = this.need(8, what);
    const value = this.buffer.readBigUInt64LE(at);
    if (value * BigInt(bytesEach) > BigInt(this.remaining())) {
      throw ggufFault(
        this.path,
        `${what} says ${value}, more than the rest of the file (${this.remaining()} bytes) can hold`,
      );
    }
    return Number(value);
  }

  big(what: string): bigint {
    const at = this.need(8, what);
    return this.buffer.readBigUInt64LE(at);
  }

  string(what: string): string {
    const length = this.count(`the length of ${what}`, 1);
    const at = this.need(length, what);
    return this.buffer.toString('utf8', at, at + length);
  }

  scalar(type: GgufScalarType, what: string): number | bigint | boolean | string {
    if (type === 'string') return this.string(what);
    const at = this.need(scalarBytes[type], what);
    switch (type) {
      case 'uint8':
        return this.buffer.readUInt8(at);
      case 'int8':
        return this.buffer.readInt8(at);
      case 'uint16':
        return this.buffer.readUInt16LE(at);
      case 'int16':
        return this.buffer.readInt16LE(at);
      case 'uint32':
        return this.buffer.readUInt32LE(at);
      case 'int32':
        return this.buffer.readInt32LE(at);
      case 'float32':
        return this.buffer.readFloatLE(at);
      case 'bool':
        return this.buffer.readUInt8(at) !== 0;
      case 'uint64':
        return this.buffer.readBigUInt64LE(at);
      case 'int64':
        return this.buffer.readBigInt64LE(at);
      case 'float64':
        return this.buffer.readDoubleLE(at);
    }
  }

  valueType(what: string): (typeof valueTypes)[number] {
    const number = this.uint32(`the type of ${what}`);
    const type = valueTypes[number];
    if (!type) throw ggufFault(this.path, `${what} has the unknown value type ${number}`);
    return type;
  }

  value(type: (typeof valueTypes)[number], what: string, depth: number): GgufValue {
    if (type !== 'array') return { type, value: this.scalar(type, what) };
    if (depth >= maxArrayDepth) throw ggufFault(this.path, `${what} nests arrays more than ${maxArrayDepth} deep`);
    const elementType = this.valueType(what);
    if (elementType === 'array') {
      const length = this.count(`the length of ${what}`, 12);
      const value: GgufValue[] = [];
      for (let i = 0; i < length; i++) value.push(this.value('array', what, depth + 1));
      return { type: 'array', elementType, value };
    }
    const length = this.count(`the length of ${what}`, scalarBytes[elementType]);
    const value: (number | bigint | boolean | string)[] = [];
    for (let i = 0; i < length; i++) value.push(this.scalar(elementType, what));
    return { type: 'array', elementType, value };
  }
}

/** Fills `into` from the file's bytes at `position`. */
export function readFully(descriptor: number, into: Uint8Array, position: number, path: string): void {
  for (let done = 0; done < into.length; ) {
    const got = readSync(descriptor, into, done, into.length - done, position + done);
    if (got === 0) throw ggufFault(path, `ended at byte ${position + done}; it was cut short while being read`);
    done += got;
  }
}

function readTensorInfo(
  reader: HeaderReader,
  path: string,
): { name: string; shape: number[]; type: GgmlType; offset: bigint; byteLength: number } {
  const name = reader.string('a tensor name');
  const dimensions = reader.uint32(`the dimensions of ${name}`);
  if (dimensions < 1 || dimensions > maxDimensions) {
    throw ggufFault(path, `tensor ${name} has ${dimensions} dimensions (1 to ${maxDimensions} are possible)`);
  }
  const shape: number[] = [];
  let elements = 1n;
  for (let i = 0; i < dimensions; i++) {
    const size = reader.big(`the shape of ${name}`);
    elements *= size;
    if (size < 1n || elements > BigInt(Number.MAX_SAFE_INTEGER))
      throw ggufFault(path, `tensor ${name} has an impossible shape`);
    shape.unshift(Number(size));
  }
  const id = reader.uint32(`the type of ${name}`);
  const type = supportedGgmlTypes.find((candidate) => ggmlLayouts[candidate].id === id);
  if (!type) {
    throw ggufFault(
      path,
      `tensor ${name} has the type ${otherTypes[id] ?? `number ${id}`}, which nomoat does not read`,
      `Use a file with ${supportedGgmlTypes.join(', ')} (Q4_K_M, Q8_0 or F16 files are usual).`,
    );
  }
  const { blockSize, blockBytes } = ggmlLayouts[type];
  if (shape.at(-1)! % blockSize !== 0) {
    throw ggufFault(
      path,
      `tensor ${name}: rows of ${shape.at(-1)} weights are no multiple of ${type}'s blocks of ${blockSize}`,
    );
  }
  return {
    name,
    shape,
    type,
    offset: reader.big(`the offset of ${name}`),
    byteLength: (Number(elements) / blockSize) * blockBytes,
  };
}

export interface GgufHeader {
  readonly version: number;
  readonly alignment: number;
  readonly metadata: Map<string, GgufValue>;
  readonly tensors: Map<string, GgufTensorInfo>;
}

/** Reads the header of the open file of `size` bytes. Throws NomoatError. */
export function readHeader(descriptor: number, path: string, size: number): GgufHeader {
  const head = new Uint8Array(foreignHeadBytes);
  const foreign = foreignModel(head.subarray(0, readSync(descriptor, head, 0, head.length, 0)));
  if (foreign) throw ggufFault(path, foreign.fault, foreign.remedy);
  const reader = new HeaderReader(descriptor, path, size);
  if (reader.uint32('the magic') !== 0x46554747) {
    throw ggufFault(path, 'is no GGUF file (it does not begin with "GGUF")', 'Give the path of a .gguf model file.');
  }
  const version = reader.uint32('the version');
  if (version !== 2 && version !== 3) {
    const swapped = version === 0x02000000 || version === 0x03000000;
    throw ggufFault(path, swapped ? 'is a big-endian GGUF' : `has GGUF version ${version}; 2 and 3 are supported`);
  }
  const tensorCount = reader.count('the number of tensors', 24);
  const metadataCount = reader.count('the number of metadata entries', 13);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < metadataCount; i++) {
    const key = reader.string('a metadata key');
    // llama.cpp ends the process on it.
    if (key === '' || key.startsWith('\0')) throw ggufFault(path, 'holds a metadata key without a name');
    if (metadata.has(key)) throw ggufFault(path, `holds the metadata key ${key} twice`);
    metadata.set(key, reader.value(reader.valueType(key), key, 0));
  }
  const raw = [];
  for (let i = 0; i < tensorCount; i++) raw.push(readTensorInfo(reader, path));
  const stated = metadata.get('general.alignment')?.value ?? 32;
  const alignment = typeof stated === 'number' ? stated : 0;
  if (alignment < 1 || alignment > 65536 || (alignment & (alignment - 1)) !== 0) {
    throw ggufFault(path, `general.alignment is ${String(stated)}, which is no power of two up to 65536`);
  }
  const dataStart = Math.ceil(reader.position / alignment) * alignment;
  const tensors = new Map<string, GgufTensorInfo>();
  for (const tensor of raw) {
    const end = BigInt(dataStart) + tensor.offset + BigInt(tensor.byteLength);
    if (end > BigInt(size))
      throw ggufFault(path, `is cut short: tensor ${tensor.name} ends at byte ${end} of a file of ${size}`);
    if (tensor.offset % BigInt(alignment) !== 0n)
      throw ggufFault(path, `tensor ${tensor.name} is not aligned to ${alignment} bytes`);
    if (tensors.has(tensor.name)) throw ggufFault(path, `holds the tensor ${tensor.name} twice`);
    tensors.set(tensor.name, { ...tensor, offset: dataStart + Number(tensor.offset) });
  }
  const sorted = [...tensors.values()].sort((a, b) => a.offset - b.offset);
  for (let i = 1; i < sorted.length; i++) {
    const previous = sorted[i - 1]!;
    if (previous.offset + previous.byteLength > sorted[i]!.offset) {
      throw ggufFault(path, `tensors ${previous.name} and ${sorted[i]!.name} overlap`);
    }
  }
  return { version, alignment, metadata, tensors };
}
