/**
 * The parts of the GGUF format that its reader, writer and users share.
 * Spec: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

/** Tensor types that nomoat reads. */
export const supportedGgmlTypes = [
  'F32',
  'F16',
  'BF16',
  'Q8_0',
  'Q4_0',
  'Q4_1',
  'Q5_0',
  'Q5_1',
  'Q4_K',
  'Q5_K',
  'Q6_K',
] as const;
export type GgmlType = (typeof supportedGgmlTypes)[number];

/** Names of the types that nomoat does not read, for the message. */
export const otherTypes: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/** A metadata value with its GGUF type name, so that a rewritten file keeps every type. 64-bit integers are bigint. */
export type GgufValue =
  | { readonly type: GgufScalarType; readonly value: number | bigint | boolean | string }
  | { readonly type: 'array'; readonly elementType: GgufScalarType; readonly value: GgufArray }
  | { readonly type: 'array'; readonly elementType: 'array'; readonly value: readonly GgufValue[] };
export type GgufScalarType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'float32'
  | 'bool'
  | 'string'
  | 'uint64'
  | 'int64'
  | 'float64';
export type GgufArray = readonly (number | bigint | boolean | string)[];

export interface GgufTensorInfo {
  readonly name: string;
  /** Row-major, outermost first: a matrix W [out, in] has shape [out, in] (GGUF stores dimensions the other way round). */
  readonly shape: readonly number[];
  readonly type: GgmlType;
  /** Byte offset from the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

/** An open GGUF file. Reads are synchronous: they happen in the training process, block by block. */
export interface GgufFile {
  /** The file's; of a model in several files the first one's, which llama.cpp opens. */
  readonly path: string;
  /** All files, in order: one, or the parts of a divided model. */
  readonly parts: readonly string[];
  /** Of all files. */
  readonly byteLength: number;
  readonly version: number;
  readonly alignment: number;
  /** In file order. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensorInfo>;
  /** The tensor's bytes as stored. */
  readBytes(name: string): Uint8Array;
  /** Rows [firstRow, firstRow + rows) of the tensor dequantized to float32, row-major; a vector is one row. `out` receives them when given. */
  readFloat32(name: string, options?: { firstRow?: number; rows?: number; out?: Float32Array }): Float32Array;
  /** The scalar under `key`, or undefined where the key is absent or of another kind. */
  number(key: string): number | undefined;
  string(key: string): string | undefined;
  boolean(key: string): boolean | undefined;
  close(): void;
}

type Metadata = ReadonlyMap<string, GgufValue>;

export function numberIn(metadata: Metadata, key: string): number | undefined {
  const value = metadata.get(key)?.value;
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' ? value : undefined;
}

export function stringIn(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key)?.value;
  return typeof value === 'string' ? value : undefined;
}

export function booleanIn(metadata: Metadata, key: string): boolean | undefined {
  const value = metadata.get(key)?.value;
  return typeof value === 'boolean' ? value : undefined;
}
