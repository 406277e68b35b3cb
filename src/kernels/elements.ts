/**
 * Tensors as one, element by element, as WebAssembly: native/wasm/elements.c, built by native/wasm/build.mjs. Which magnitude is the k-th largest is found by a
 * sample that says where to look and one pass that proves it; nothing is sorted. One instance a thread, made when first asked for.
 */
import { wasm } from './gen/elements-wasm.ts';
import { instantiate, places, type WasmModule } from './wasm-memory.ts';

/** As elements.c has them; pointers are bytes from the beginning of the memory. */
interface Kernels extends WasmModule {
  split(bits: number, length: number, low: number, high: number, found: number, count: number): number;
  band(bits: number, length: number, low: number, high: number, equal: number): void;
  chance(values: number, length: number, first: number, ...drawn: readonly number[]): void;
  ranked(values: number, width: number, first: number, ...drawn: readonly number[]): void;
  fuse(tensors: number, count: number, stride: number, ...more: readonly number[]): number;
}

/** Elements that are kept: those between two magnitudes, given as bits, with the first `equal` of what equals one of them. */
export interface KeptBand {
  readonly by: 'magnitude';
  readonly least: number;
  readonly most: number;
  readonly equal: number;
}
/** By chance, each kept one divided by its chance: `density`, or by the rank of its magnitude in its row from `density - spread` to `density + spread`. */
export interface KeptByChance {
  readonly by: 'chance';
  readonly density: number;
  readonly spread: number;
  /** Of the draws: two numbers of 32 bits. */
  readonly key: readonly [number, number];
}
export type Kept = { readonly by: 'all' } | KeptBand | KeptByChance;

/** Floats that are handed over at once: with what is made of them they stay in a processor's second cache. */
const floatsAtOnce = 32_768;
const floatBytes = Float32Array.BYTES_PER_ELEMENT;

let instance: Kernels | undefined;
function kernels(): Kernels {
  instance ??= instantiate<Kernels>(wasm);
  return instance;
}

const magnitude = 0x7fffffff;
/** Above the bits of every number: no bound. */
export const noMost = 0x7fffffff;

/** A count of magnitudes beside one of them. */
export interface MagnitudeAt {
  readonly bits: number;
  readonly greater: number;
  readonly equal: number;
}

/** Few enough to be sorted in milliseconds; the k-th of n lies within 4 deviations, 0.8% of all, of where the sample has it. */
const sampleSize = 65_536;
const sampleMargin = Math.ceil(4 * Math.sqrt(sampleSize / 4));
/** Steps by it fall evenly, and into every column of a matrix. */
const goldenRatio = 0.6180339887498949;

const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** The two magnitudes between which the count-th largest is to be looked for. */
function bracket(bits: Uint32Array, count: number): readonly [number, number] {
  if (bits.length <= 2 * sampleSize) return [0, noMost];
  const sample = new Uint32Array(sampleSize);
  for (let i = 0; i < sampleSize; i++) sample[i] = bits[Math.floor(((i * goldenRatio) % 1) * bits.length)]! & magnitude;
  sample.sort();
  const at = sampleSize - Math.round((count / bits.length) * sampleSize);
  return [sample[at - sampleMargin] ?? 0, sample[at + sampleMargin] ?? noMost];
}

/** Magnitudes above `high`, and those from `low` to it, of which there is a part at a time. */
function splitAt(bits: Uint32Array, low: number, high: number): { above: number; inside: Uint32Array } {
  const all = kernels();
  const [from, found, count] = places(all, [floatsAtOnce * floatBytes, (floatsAtOnce + 1) * floatBytes, 4]) as Three;
  const { buffer } = all.memory;
  const input = new Uint32Array(buffer, from, floatsAtOnce);
  const output = new Uint32Array(buffer, found, floatsAtOnce);
  const counted = new Uint32Array(buffer, count, 1);
  const parts: Uint32Array[] = [];
  let above = 0;
  for (let first = 0; first < bits.length; first += floatsAtOnce) {
    const part = bits.subarray(first, first + floatsAtOnce);
    input.set(part);
    above += all.split(from, part.length, low, high, found, count);
    parts.push(output.slice(0, counted[0]!));
  }
  const inside = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    inside.set(part, at);
    at += part.length;
  }
  return { above, inside };
}
type Three = [number, number, number];

/** The `count`-th largest magnitude, 1 to the length: exactly. */
export function magnitudeAt(values: Float32Array, count: number): MagnitudeAt {
  const bits = bitsOf(values);
  const [low, high] = bracket(bits, count);
  let { above, inside } = splitAt(bits, low, high);
  // A sample that misled: everything is looked at.
  if (above >= count || above + inside.length < count) ({ above, inside } = splitAt(bits, 0, magnitude));
  const found = largestOf(inside, count - above);
  return { ...found, greater: above + found.greater };
}

const bucketBits = 16;

/** The `count`-th largest of numbers that lie near each other: by buckets first, then of one bucket. */
function largestOf(numbers: Uint32Array, count: number): MagnitudeAt {
  let [least, most] = [0xffffffff, 0];
  for (const number of numbers) {
    if (number < least) least = number;
    if (number > most) most = number;
  }
  const shift = Math.max(0, 32 - Math.clz32(most - least) - bucketBits);
  const counts = new Uint32Array(1 << bucketBits);
  for (const number of numbers) counts[(number - least) >>> shift]!++;
  let [bucket, greater] = [counts.length - 1, 0];
  while (greater + counts[bucket]! < count) greater += counts[bucket--]!;
  const inside = numbers.filter((number) => (number - least) >>> shift === bucket).sort();
  const bits = inside[inside.length - (count - greater)]!;
  const larger = inside.length - 1 - inside.lastIndexOf(bits);
  return { bits, greater: greater + larger, equal: inside.length - larger - inside.indexOf(bits) };
}

export interface Fusing {
  /** What is kept of each tensor. */
  readonly kept: readonly Kept[];
  readonly weights: readonly number[];
  /** Whether it is the mean of what agrees with the sum's sign (TIES), or the weighted sum of all. */
  readonly elects: boolean;
  /** Elements of a row. */
  readonly width: number;
}

/** Of 2^32, at most the largest that 32 bits hold: the kernels keep what is drawn below it. */
const drawnBelow = (chance: number): number => Math.min(0xffffffff, Math.floor(chance * 2 ** 32));

/** Puts what the pruned tensors, of one length, come to in place of the first. Gives the sum of its squares. */
export function fuseElements(tensors: readonly Float32Array[], { elects, kept, weights, width }: Fusing): number {
  const all = kernels();
  const rows = Math.max(1, Math.floor(floatsAtOnce / width));
  const stride = Math.ceil((rows * width) / 4) * 4;
  const sizes = [tensors.length * stride, tensors.length, 4 * width, tensors.length].map((count) => count * floatBytes);
  const [from, factors, room, equals] = places(all, sizes) as [number, number, number, number];
  const { buffer } = all.memory;
  new Float32Array(buffer, factors).set(weights);
  new Uint32Array(buffer, equals).set(kept.map((each) => (each.by === 'magnitude' ? each.equal : 0)));
  const parts = tensors.map((_, k) => new Float32Array(buffer, from + k * stride * floatBytes, stride));
  const out = tensors[0]!;
  let squares = 0;
  for (let first = 0; first < out.length; first += rows * width) {
    const length = Math.min(rows * width, out.length - first);
    tensors.forEach((tensor, k) => {
      parts[k]!.set(tensor.subarray(first, first + length));
      const at = parts[k]!.byteOffset;
      const each = kept[k]!;
      if (each.by === 'magnitude') all.band(at, length, each.least, each.most, equals + k * floatBytes);
      else if (each.by === 'chance' && each.spread === 0)
        all.chance(at, length, first, ...each.key, drawnBelow(each.density), 1 / each.density);
      else if (each.by === 'chance')
        for (let row = 0; row < length; row += width)
          all.ranked(at + row * floatBytes, width, first + row, ...each.key, each.density, each.spread, room);
    });
    squares += all.fuse(from, tensors.length, stride, length, factors, elects ? 1 : 0);
    out.set(parts[0]!.subarray(0, length), first);
  }
  return squares;
}
