/**
 * Writes GGUF version 3 files, tensor by tensor and atomically. Every metadata type is kept.
 * Spec: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { existsSync } from 'node:fs';
import { NomoatError } from '../../errors.ts';
import { writeChunksAtomic } from '../atomic-write.ts';
import { ggmlLayouts } from './dequantize.ts';
import type { GgmlType, GgufScalarType, GgufValue } from './types.ts';

export interface GgufTensorData {
  readonly name: string;
  /** Row-major, outermost first. */
  readonly shape: readonly number[];
  readonly type: GgmlType;
  /** Called once, when the tensor's turn has come. */
  bytes(): Uint8Array;
}

export interface GgufContent {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensorData[];
}

const typeNumbers = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;
const defaultAlignment = 32;

/** Collects the header's bytes. */
class HeaderWriter {
  readonly parts: Buffer[] = [];
  length = 0;

  private push(bytes: Buffer): void {
    this.parts.push(bytes);
    this.length += bytes.length;
  }

  private sized(size: number, write: (bytes: Buffer) => void): void {
    const bytes = Buffer.alloc(size);
    write(bytes);
    this.push(bytes);
  }

  uint32(value: number): void {
    this.sized(4, (b) => b.writeUInt32LE(value));
  }

  uint64(value: number | bigint): void {
    this.sized(8, (b) => b.writeBigUInt64LE(BigInt(value)));
  }

  string(text: string): void {
    const bytes = Buffer.from(text);
    this.uint64(bytes.length);
    this.push(bytes);
  }

  private scalars: Readonly<Record<GgufScalarType, (value: never) => void>> = {
    uint8: (v: number) => this.sized(1, (b) => b.writeUInt8(v)),
    int8: (v: number) => this.sized(1, (b) => b.writeInt8(v)),
    uint16: (v: number) => this.sized(2, (b) => b.writeUInt16LE(v)),
    int16: (v: number) => this.sized(2, (b) => b.writeInt16LE(v)),
    uint32: (v: number) => this.uint32(v),
    int32: (v: number) => this.sized(4, (b) => b.writeInt32LE(v)),
    float32: (v: number) => this.sized(4, (b) => b.writeFloatLE(v)),
    bool: (v: boolean) => this.sized(1, (b) => b.writeUInt8(v ? 1 : 0)),
    string: (v: string) => this.string(v),
    uint64: (v: bigint) => this.uint64(v),
    int64: (v: bigint) => this.sized(8, (b) => b.writeBigInt64LE(BigInt(v))),
    float64: (v: number) => this.sized(8, (b) => b.writeDoubleLE(v)),
  };

  value(value: GgufValue): void {
    if (value.type !== 'array') {
      this.scalars[value.type](value.value as never);
      return;
    }
    this.uint32(typeNumbers[value.elementType]);
    this.uint64(value.value.length);
    if (value.elementType === 'array') {
      for (const element of value.value) this.value(element);
    } else {
      const write = this.scalars[value.elementType];
      for (const element of value.value) write(element as never);
    }
  }
}

/** Writes the file. Throws NomoatError when it exists (unless told) or cannot be written. */
export function writeGguf(path: string, content: GgufContent, options: { overwrite?: boolean } = {}): void {
  if (!options.overwrite && existsSync(path)) {
    throw new NomoatError({
      code: 'path-exists',
      part: path,
      fault: 'exists already',
      remedy: 'Give another name, or remove it first.',
    });
  }
  const stated = content.metadata.get('general.alignment')?.value;
  const alignment = typeof stated === 'number' ? stated : defaultAlignment;
  const padded = (size: number): number => Math.ceil(size / alignment) * alignment;
  const header = new HeaderWriter();
  header.uint32(0x46554747);
  header.uint32(3);
  header.uint64(content.tensors.length);
  header.uint64(content.metadata.size);
  for (const [key, value] of content.metadata) {
    header.string(key);
    header.uint32(typeNumbers[value.type]);
    header.value(value);
  }
  const sizes = content.tensors.map(({ shape, type }) => {
    const { blockSize, blockBytes } = ggmlLayouts[type];
    return (shape.reduce((a, b) => a * b, 1) / blockSize) * blockBytes;
  });
  let offset = 0;
  content.tensors.forEach(({ name, shape, type }, i) => {
    header.string(name);
    header.uint32(shape.length);
    for (const size of [...shape].reverse()) header.uint64(size);
    header.uint32(ggmlLayouts[type].id);
    header.uint64(offset);
    offset += padded(sizes[i]!);
  });
  function* chunks(): Generator<Uint8Array> {
    yield* header.parts;
    yield Buffer.alloc(padded(header.length) - header.length);
    for (const [i, tensor] of content.tensors.entries()) {
      const bytes = tensor.bytes();
      if (bytes.length !== sizes[i]) throw new Error(`${tensor.name}: ${bytes.length} bytes, not ${sizes[i]}`);
      yield bytes;
      yield Buffer.alloc(padded(bytes.length) - bytes.length);
    }
  }
  writeChunksAtomic(path, chunks());
}
