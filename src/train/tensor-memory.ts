/**
 * Arrays that WebAssembly's vector instructions reach, and what the trainer does with them: sums of squares and AdamW, four numbers at a
 * time where JavaScript converts each to float64 and back. In full fine-tuning that is six times as fast; everything also works on ordinary arrays.
 * Binary format: https://webassembly.github.io/spec/core/binary/.
 */

/** Numbers of a WebAssembly vector. */
const lanes = 4;
const floatBytes = 4;
const pageBytes = 65536;
/** 32-bit addresses. */
const maxPages = 65536;
/** Numbers whose squares are summed in float32 before the sums are added in float64. */
const partLength = 4096;

/** What one AdamW update needs beside the arrays; see optimizer.ts. */
export interface AdamWFactors {
  readonly beta1: number;
  readonly beta2: number;
  /** Of the gradient. */
  readonly clip: number;
  readonly step: number;
  readonly least: number;
  readonly keep: number;
}

/** What the module exports. */
interface Kernels {
  readonly squares: (at: number, bytes: number) => number;
  /** Places of value, gradient and moments, their bytes, and the factors; see `update` below. */
  readonly update: (...numbers: number[]) => void;
}

function kernelsOf({ exports: { squares, update } }: WebAssembly.Instance): Kernels {
  if (typeof squares !== 'function' || typeof update !== 'function')
    throw new Error('tensor memory: the module does not export its two functions');
  return { squares: squares as Kernels['squares'], update: update as Kernels['update'] };
}

const memories = new WeakMap<ArrayBufferLike, TensorMemory>();

export class TensorMemory {
  private readonly memory: WebAssembly.Memory;
  private readonly kernels: Kernels;
  private used = 0;

  private constructor(pages: number) {
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const module = new WebAssembly.Module(kernelModule());
    this.kernels = kernelsOf(new WebAssembly.Instance(module, { e: { m: this.memory } }));
    memories.set(this.memory.buffer, this);
  }

  /**
   * Room for arrays of these lengths; null where that is more than addresses reach, or than the system gives addresses for. Pages are
   * taken from the system when first written to.
   */
  static for(lengths: readonly number[]): TensorMemory | null {
    const pages = Math.ceil(lengths.reduce((sum, length) => sum + padded(length), 0) / pageBytes);
    if (pages > maxPages) return null;
    try {
      return new TensorMemory(pages);
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  /** The memory that an array is in, if it is in one. */
  static of(array: Float32Array): TensorMemory | null {
    return memories.get(array.buffer) ?? null;
  }

  /** An array of zeros; null where there is no room left. */
  take(length: number): Float32Array | null {
    if (this.used + padded(length) > this.memory.buffer.byteLength) return null;
    const array = new Float32Array(this.memory.buffer, this.used, length);
    this.used += padded(length);
    return array;
  }

  sumOfSquares(array: Float32Array): number {
    const bytes = padded(array.length);
    const part = partLength * floatBytes;
    let sum = 0;
    for (let at = 0; at < bytes; at += part)
      sum += this.kernels.squares(array.byteOffset + at, Math.min(part, bytes - at));
    return sum;
  }

  /** AdamW on arrays that are all in this memory. */
  update(
    arrays: Readonly<Record<'value' | 'gradient' | 'first' | 'second', Float32Array>>,
    { beta1, beta2, clip, keep, least, step }: AdamWFactors,
  ): void {
    const { first, gradient, second, value } = arrays;
    const factors = [beta1, (1 - beta1) * clip, beta2, (1 - beta2) * clip * clip, step, least, keep];
    const places = [value, gradient, first, second].map((array) => array.byteOffset);
    this.kernels.update(...places, padded(value.length), ...factors);
  }
}

/** Bytes that an array takes: whole vectors, whose filling stays zero. */
const padded = (length: number): number => Math.ceil(length / lanes) * lanes * floatBytes;

/** An array of zeros as long as another, beside it in its memory if it is in one with room. */
export function zerosLike(array: Float32Array): Float32Array {
  return TensorMemory.of(array)?.take(array.length) ?? new Float32Array(array.length);
}

/** Value types and instructions, by the names of the specification's text format. */
const code = {
  i32: 0x7f,
  f32: 0x7d,
  v128: 0x7b,
  loop: 0x03,
  noResult: 0x40,
  end: 0x0b,
  br_if: 0x0d,
  'local.get': 0x20,
  'local.set': 0x21,
  'i32.const': 0x41,
  'i32.lt_u': 0x49,
  'i32.add': 0x6a,
  'f32.add': 0x92,
} as const;
/** After the vector prefix. */
const vector = {
  load: [0x00],
  store: [0x0b],
  splat: [0x13],
  lane: [0x1f],
  sqrt: [0xe3, 0x01],
  add: [0xe4, 0x01],
  sub: [0xe5, 0x01],
  mul: [0xe6, 0x01],
  div: [0xe7, 0x01],
} as const;

/** LEB128 of a small number. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}
const section = (id: number, content: readonly number[]): number[] => [id, ...leb(content.length), ...content];
const list = (items: readonly (readonly number[])[]): number[] => [...leb(items.length), ...items.flat()];
const text = (name: string): number[] => list([...name].map((letter) => [letter.charCodeAt(0)]));

const get = (local: number): number[] => [code['local.get'], local];
const set = (local: number, value: readonly number[]): number[] => [...value, code['local.set'], local];
const v = (op: keyof typeof vector, ...operands: readonly (readonly number[])[]): number[] => [
  ...operands.flat(),
  0xfd,
  ...vector[op],
];
/** Addresses are multiples of 16: 2^4. */
const load = (address: readonly number[]): number[] => [...v('load', address), 4, 0];
const store = (address: readonly number[], value: readonly number[]): number[] => [...v('store', address, value), 4, 0];
/** Goes over `bytes` in steps of a vector; `offset` is a local that begins at 0. */
const eachVector = (offset: number, bytes: number, body: readonly number[]): number[] => [
  ...[code.loop, code.noResult, ...body],
  ...set(offset, [...get(offset), code['i32.const'], lanes * floatBytes, code['i32.add']]),
  ...[...get(offset), ...get(bytes), code['i32.lt_u'], code['br_if'], 0, code.end],
];
const func = (locals: readonly (readonly [number, number])[], body: readonly number[]): number[] => {
  const content = [...list(locals.map(([count, type]) => [count, type])), ...body, code.end];
  return [...leb(content.length), ...content];
};

/** (at, bytes) -> sum of the squares. */
function squares(): number[] {
  const [at, bytes, offset, sum, x] = [0, 1, 2, 3, 4];
  const lane = (i: number): number[] => [...v('lane', get(sum)), i];
  const body = [
    ...set(x, load([...get(at), ...get(offset), code['i32.add']])),
    ...set(sum, v('add', get(sum), v('mul', get(x), get(x)))),
  ];
  const total = [...lane(0), ...lane(1), code['f32.add'], ...lane(2), code['f32.add'], ...lane(3), code['f32.add']];
  return func(
    [
      [1, code.i32],
      [2, code.v128],
    ],
    [...eachVector(offset, bytes, body), ...total],
  );
}

/** (value, gradient, first, second, bytes, beta1, new1, beta2, new2, step, least, keep): one update. */
function update(): number[] {
  const [value, gradient, first, second, bytes] = [0, 1, 2, 3, 4];
  const [beta1, new1, beta2, new2, step, least, keep] = [5, 6, 7, 8, 9, 10, 11];
  const [offset, g, m, w] = [12, 13, 14, 15];
  const at = (base: number): number[] => [...get(base), ...get(offset), code['i32.add']];
  const all = (factor: number): number[] => v('splat', get(factor));
  const body = [
    ...set(g, load(at(gradient))),
    ...set(m, v('add', v('mul', load(at(first)), all(beta1)), v('mul', get(g), all(new1)))),
    ...store(at(first), get(m)),
    ...set(w, v('add', v('mul', load(at(second)), all(beta2)), v('mul', v('mul', get(g), get(g)), all(new2)))),
    ...store(at(second), get(w)),
    ...set(w, v('div', v('mul', get(m), all(step)), v('add', v('sqrt', get(w)), all(least)))),
    ...store(at(value), v('sub', v('mul', load(at(value)), all(keep)), get(w))),
  ];
  return func(
    [
      [1, code.i32],
      [3, code.v128],
    ],
    eachVector(offset, bytes, body),
  );
}

function kernelModule(): Uint8Array<ArrayBuffer> {
  const signature = (inputs: readonly number[], outputs: readonly number[]): number[] => [
    0x60,
    ...list(inputs.map((type) => [type])),
    ...list(outputs.map((type) => [type])),
  ];
  const { f32, i32 } = code;
  const types = [signature([i32, i32], [f32]), signature([...Array(5).fill(i32), ...Array(7).fill(f32)], [])];
  // Imports its memory of at least one page as e.m; 2 is the kind of memories, 0 that of functions.
  const memory = [...text('e'), ...text('m'), 2, 0, 1];
  const exported = ['squares', 'update'].map((name, i) => [...text(name), 0, i]);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list([memory])),
    ...section(3, list([[0], [1]])),
    ...section(7, list(exported)),
    ...section(10, list([squares(), update()])),
  ]);
}
