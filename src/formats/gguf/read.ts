/**
 * Opens a GGUF file: header at once, tensors on demand; a model in several files as one. Promises: what is read is
 * bounded by the files' sizes; every fault names the file and the field. Spec:
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { NomoatError } from '../../errors.ts';
import { dequantize } from './dequantize.ts';
import { ggufFault, readFully, readHeader } from './header.ts';
import { isPart, openParts } from './parts.ts';
import { booleanIn, type GgufFile, type GgufTensorInfo, type GgufValue, numberIn, stringIn } from './types.ts';

/**
 * Rows are dequantized through a buffer of at most this size, so that reading a large tensor needs little beside its
 * result.
 */
const chunkBytes = 4 << 20;

/**
 * Opens `path`, with all others where it is one of a model's parts. Throws NomoatError naming the file and the fault.
 * Close it when done.
 */
export function openGguf(path: string): GgufFile {
  const file = openOne(path);
  if (!isPart(file)) return file;
  try {
    return openParts(file, openOne);
  } finally {
    file.close();
  }
}

function openOne(path: string): GgufFile {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw new NomoatError({
      code: 'unusable-model',
      part: path,
      fault: `cannot be opened (${(error as NodeJS.ErrnoException).code})`,
      remedy: 'Give the path of a .gguf model file, or a name that `listModels()` lists.',
      cause: error,
    });
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw ggufFault(path, 'is no file', 'Give the path of a .gguf model file.');
    return new OpenGguf(descriptor, path, stat.size);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

class OpenGguf implements GgufFile {
  readonly path: string;
  readonly parts: readonly string[];
  readonly byteLength: number;
  readonly version: number;
  readonly alignment: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensorInfo>;
  private readonly descriptor: number;

  constructor(descriptor: number, path: string, size: number) {
    const header = readHeader(descriptor, path, size);
    this.descriptor = descriptor;
    this.path = path;
    this.parts = [path];
    this.byteLength = size;
    this.version = header.version;
    this.alignment = header.alignment;
    this.metadata = header.metadata;
    this.tensors = header.tensors;
  }

  private info(name: string): GgufTensorInfo {
    const info = this.tensors.get(name);
    if (!info)
      throw ggufFault(this.path, `has no tensor ${name}`, 'Use a complete model file of a supported architecture.');
    return info;
  }

  readBytes(name: string): Uint8Array {
    const { offset, byteLength } = this.info(name);
    const bytes = new Uint8Array(byteLength);
    readFully(this.descriptor, bytes, offset, this.path);
    return bytes;
  }

  readFloat32(name: string, options: { firstRow?: number; rows?: number; out?: Float32Array } = {}): Float32Array {
    const info = this.info(name);
    const width = info.shape.at(-1)!;
    const allRows = info.shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const firstRow = options.firstRow ?? 0;
    const rows = options.rows ?? allRows - firstRow;
    if (firstRow < 0 || rows < 0 || firstRow + rows > allRows) {
      throw new RangeError(`rows ${firstRow}..${firstRow + rows} of ${name} with ${allRows} rows`);
    }
    const out = options.out ?? new Float32Array(rows * width);
    if (out.length < rows * width) throw new RangeError(`${name}: ${out.length} places for ${rows * width} values`);
    const rowBytes = info.byteLength / allRows;
    const step = Math.max(1, Math.min(rows, Math.floor(chunkBytes / rowBytes)));
    const buffer = new Uint8Array(step * rowBytes);
    for (let row = 0; row < rows; row += step) {
      const count = Math.min(step, rows - row);
      const bytes = buffer.subarray(0, count * rowBytes);
      readFully(this.descriptor, bytes, info.offset + (firstRow + row) * rowBytes, this.path);
      dequantize(info.type, bytes, out.subarray(row * width, (row + count) * width));
    }
    return out;
  }

  number(key: string): number | undefined {
    return numberIn(this.metadata, key);
  }

  string(key: string): string | undefined {
    return stringIn(this.metadata, key);
  }

  boolean(key: string): boolean | undefined {
    return booleanIn(this.metadata, key);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
