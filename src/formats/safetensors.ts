/**
 * Safetensors files, read bounded and written whole: https://github.com/huggingface/safetensors#format
 * Reads F32, F16 and BF16 as float32, writes F32. Knows nothing of what the tensors mean.
 */
import { readFileSync, statSync } from 'node:fs';
import { NomoatError } from '../errors.ts';
import { writeChunksAtomic } from './atomic-write.ts';
import { foreignHeadBytes, notFetched } from './foreign-model.ts';
import { dequantize } from './gguf/dequantize.ts';

/** The format's own bound on its header. */
const maxHeaderBytes = 100_000_000;
const dtypes = {
  F32: { bytes: 4, type: 'F32' },
  F16: { bytes: 2, type: 'F16' },
  BF16: { bytes: 2, type: 'BF16' },
} as const;
export type SafetensorsDtype = keyof typeof dtypes;

export interface SafetensorsTensor {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** The values, row-major, in a fresh array. */
  float32(): Float32Array;
}

export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
}

function fault(path: string, text: string): NomoatError {
  return new NomoatError({
    code: 'unusable-adapter',
    part: path,
    fault: text,
    remedy: 'Check the file, or download or export it again.',
  });
}

function parseHeader(path: string, bytes: Buffer): { header: Record<string, unknown>; data: number } {
  const foreign = notFetched(bytes.subarray(0, foreignHeadBytes));
  if (foreign) throw new NomoatError({ part: path, ...foreign });
  if (bytes.length < 8) throw fault(path, `is no safetensors file: ${bytes.length} bytes`);
  const length = bytes.readBigUInt64LE(0);
  if (length > BigInt(Math.min(maxHeaderBytes, bytes.length - 8))) {
    throw fault(path, `its header claims ${length} bytes of a file of ${bytes.length}`);
  }
  const data = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, data)));
  } catch (error) {
    throw fault(path, `its header is not valid JSON (${(error as Error).message})`);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw fault(path, 'its header is no object');
  return { header: header as Record<string, unknown>, data };
}

function parseMetadata(path: string, value: unknown): Record<string, string> {
  // MLX writes null where there is none.
  if (value === undefined || value === null) return {};
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [['', null]];
  if (entries.some(([, text]) => typeof text !== 'string')) throw fault(path, '__metadata__ is no map of strings');
  return Object.fromEntries(entries as [string, string][]);
}

/** Reads the file at `path`. Throws NomoatError on any violation of the format. */
export function readSafetensors(path: string): SafetensorsFile {
  let bytes: Buffer;
  try {
    if (!statSync(path).isFile()) throw Object.assign(new Error('no file'), { code: 'EISDIR' });
    bytes = readFileSync(path);
  } catch (error) {
    throw new NomoatError({
      part: path,
      fault: `cannot be read (${(error as NodeJS.ErrnoException).code})`,
      remedy: 'Give the path of a .safetensors file.',
      cause: error,
    });
  }
  const { header, data } = parseHeader(path, bytes);
  const tensors = new Map<string, SafetensorsTensor>();
  const spans: [number, number][] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: span } = (entry ?? {}) as Record<string, unknown>;
    if (typeof dtype !== 'string' || !Object.hasOwn(dtypes, dtype)) {
      throw fault(path, `tensor ${name} has the type ${String(dtype)}; F32, F16 and BF16 are supported`);
    }
    const whole = (value: unknown): value is number[] =>
      Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
    if (!whole(shape) || !whole(span) || span.length !== 2)
      throw fault(path, `tensor ${name} has no valid shape and offsets`);
    const [begin, end] = span as [number, number];
    const kind = dtypes[dtype as SafetensorsDtype];
    const elements = shape.reduce((a, b) => a * b, 1);
    if (end > bytes.length - data || end - begin !== elements * kind.bytes) {
      throw fault(
        path,
        `tensor ${name}: offsets ${begin}..${end} do not fit shape [${shape.join(', ')}] of ${dtype} in this file`,
      );
    }
    spans.push([begin, end]);
    tensors.set(name, {
      dtype: dtype as SafetensorsDtype,
      shape,
      float32: () => {
        const out = new Float32Array(elements);
        dequantize(kind.type, bytes.subarray(data + begin, data + end), out);
        return out;
      },
    });
  }
  spans.sort((a, b) => a[0] - b[0]);
  let position = 0;
  for (const [begin, end] of spans) {
    if (begin !== position) throw fault(path, `its tensors leave a hole or overlap at byte ${position}`);
    position = end;
  }
  if (position !== bytes.length - data)
    throw fault(path, `holds ${bytes.length - data - position} bytes that belong to no tensor`);
  return { metadata: parseMetadata(path, header.__metadata__), tensors };
}

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Writes float32 tensors in name order, whole or not at all. */
export function writeSafetensors(
  path: string,
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): void {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, shape, values } of sorted) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  // The format asks for a header padded with spaces so that the data is aligned to 8 bytes.
  let text = JSON.stringify(header);
  while (Buffer.byteLength(text) % 8 !== 0) text += ' ';
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
  writeChunksAtomic(path, [
    length,
    text,
    ...sorted.map(({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ]);
}
