/**
 * llama.cpp's own rounding to Q4_0, Q5_0, Q4_K and Q6_K, without an importance matrix: the bytes of llama-quantize.
 * Promises: every operation is rounded to float32 in llama.cpp's order. Pure.
 * After ggml-quants.c of https://github.com/ggml-org/ggml: quantize_row_*_ref, make_qx_quants, make_qkx2_quants.
 */
import { float16Table } from './dequantize.ts';
import { toFloat16 } from './float16.ts';

const f = Math.fround;

/** C's lrintf as ggml's nearest_int does it: halves to even, by adding 1.5 * 2^23 in float32. */
const magic = 12582912;
const nearest = (value: number): number => f(f(value) + magic) - magic;
const clamp = (value: number, low: number, high: number): number => (value < low ? low : value > high ? high : value);

function setHalf(out: Uint8Array, at: number, value: number): number {
  const half = toFloat16(value);
  out[at] = half & 255;
  out[at + 1] = half >> 8;
  return float16Table()[half]!;
}

/** The value of the largest magnitude. */
function extreme(values: Float32Array, start: number, count: number): number {
  let [most, found] = [0, 0];
  for (let i = start; i < start + count; i++) {
    const size = Math.abs(values[i]!);
    if (most < size) [most, found] = [size, values[i]!];
  }
  return found;
}

/** Q4_0 and Q5_0: a scale and whole numbers from 0 to 2 * half - 1. */
function simpleLevels(values: Float32Array, block: number, half: number): { scale: number; levels: Uint8Array } {
  const scale = f(extreme(values, block, 32) / -half);
  const inverse = scale ? f(1 / scale) : 0;
  const levels = new Uint8Array(32);
  for (let i = 0; i < 32; i++) {
    // C cuts to int8.
    const level = Math.trunc(f(f(values[block + i]! * inverse) + f(half + 0.5)));
    levels[i] = Math.min(2 * half - 1, (level << 24) >> 24);
  }
  return { scale, levels };
}

export function quantizeQ4_0(values: Float32Array, out: Uint8Array): void {
  for (let block = 0, at = 0; block < values.length; block += 32, at += 18) {
    const { levels, scale } = simpleLevels(values, block, 8);
    setHalf(out, at, scale);
    for (let j = 0; j < 16; j++) out[at + 2 + j] = levels[j]! | (levels[j + 16]! << 4);
  }
}

export function quantizeQ5_0(values: Float32Array, out: Uint8Array): void {
  for (let block = 0, at = 0; block < values.length; block += 32, at += 22) {
    const { levels, scale } = simpleLevels(values, block, 16);
    setHalf(out, at, scale);
    let high = 0;
    for (let j = 0; j < 16; j++) {
      out[at + 6 + j] = (levels[j]! & 15) | ((levels[j + 16]! & 15) << 4);
      high |= ((levels[j]! & 16) >> 4) << j;
      high |= ((levels[j + 16]! & 16) >> 4) << (j + 16);
    }
    for (let byte = 0; byte < 4; byte++) out[at + 2 + byte] = (high >>> (8 * byte)) & 255;
  }
}

/** Below this, a group is zero. */
const leastMagnitude = f(1e-15);
const steps = 9;

/** The scale of 16 values that whole numbers of -32 to 31 keep best, errors weighted by the square of the value; make_qx_quants. */
function bestScale(x: Float32Array): { scale: number; levels: ArrayLike<number> } {
  const max = extreme(x, 0, x.length);
  const none = { scale: 0, levels: new Uint8Array(x.length) };
  if (Math.abs(max) < leastMagnitude) return none;
  const sums = (inverse: number): readonly [number, number] => {
    let [lx, l2] = [0, 0];
    for (const value of x) {
      const level = clamp(nearest(f(inverse * value)), -32, 31);
      const weight = f(value * value);
      lx = f(lx + f(f(weight * value) * level));
      l2 = f(l2 + f(f(weight * level) * level));
    }
    return [lx, l2];
  };
  let inverse = f(-32 / max);
  const [lx, l2] = sums(inverse);
  let scale = l2 ? f(lx / l2) : 0;
  let best = f(scale * lx);
  for (let step = -steps; step <= steps; step++) {
    if (step === 0) continue;
    const tried = f(-f(32 + f(f(0.1) * step)) / max);
    const [sumLx, sumL2] = sums(tried);
    if (!(sumL2 > 0 && f(sumLx * sumLx) > f(best * sumL2))) continue;
    inverse = tried;
    scale = f(sumLx / sumL2);
    best = f(scale * sumLx);
  }
  return { scale, levels: Array.from(x, (value) => clamp(nearest(f(inverse * value)), -32, 31) + 32) };
}

export function quantizeQ6_K(values: Float32Array, out: Uint8Array): void {
  const levels = new Uint8Array(256);
  for (let block = 0, at = 0; block < values.length; block += 256, at += 210) {
    const found = Array.from({ length: 16 }, (_, j) => bestScale(values.subarray(block + 16 * j, block + 16 * j + 16)));
    const most = extreme(
      Float32Array.from(found, ({ scale }) => scale),
      0,
      16,
    );
    if (Math.abs(most) < leastMagnitude) {
      out.fill(0, at, at + 210);
      continue;
    }
    const inverse = f(-128 / most);
    const d = setHalf(out, at + 208, f(1 / inverse));
    for (let j = 0; j < 16; j++) {
      const scale = Math.min(127, nearest(f(inverse * found[j]!.scale)));
      out[at + 192 + j] = scale & 255;
      const own = f(d * scale);
      for (let i = 16 * j; i < 16 * j + 16; i++)
        levels[i] = own ? clamp(nearest(f(values[block + i]! / own)), -32, 31) + 32 : found[j]!.levels[i - 16 * j]!;
    }
    packQ6(levels, out, at);
  }
}

function packQ6(levels: Uint8Array, out: Uint8Array, at: number): void {
  for (let half = 0; half < 2; half++)
    for (let l = 0; l < 32; l++) {
      const [a, b, c, d] = [0, 32, 64, 96].map((offset) => levels[128 * half + offset + l]!) as [
        number,
        number,
        number,
        number,
      ];
      out[at + 64 * half + l] = (a & 15) | ((c & 15) << 4);
      out[at + 64 * half + 32 + l] = (b & 15) | ((d & 15) << 4);
      out[at + 128 + 32 * half + l] = (a >> 4) | ((b >> 4) << 2) | ((c >> 4) << 4) | ((d >> 4) << 6);
    }
}

interface ScaleAndMinimum {
  /** Of the values, by this scale and minimum: what stays where both are too small for float16. */
  readonly levels: ArrayLike<number>;
  readonly scale: number;
  /** What is taken off, not negative. */
  readonly minimum: number;
}

/** Scale and minimum of 32 values that levels 0 to 15 keep best; make_qkx2_quants. */
function bestScaleAndMinimum(x: Float32Array, weights: Float32Array): ScaleAndMinimum {
  let [min, max, sumW, sumX] = [x[0]!, x[0]!, weights[0]!, f(weights[0]! * x[0]!)];
  for (let i = 1; i < x.length; i++) {
    if (x[i]! < min) min = x[i]!;
    if (x[i]! > max) max = x[i]!;
    sumW = f(sumW + weights[i]!);
    sumX = f(sumX + f(weights[i]! * x[i]!));
  }
  if (min > 0) min = 0;
  if (max === min) return { levels: new Uint8Array(x.length), scale: 0, minimum: -min };
  const levels = new Int32Array(x.length);
  const round = (inverse: number): void => {
    for (let i = 0; i < x.length; i++) levels[i] = clamp(nearest(f(inverse * f(x[i]! - min))), 0, 15);
  };
  const error = (scale: number, minimum: number): number => {
    let total = 0;
    for (let i = 0; i < x.length; i++) {
      const off = f(f(f(scale * levels[i]!) + minimum) - x[i]!);
      total = f(total + f(weights[i]! * f(off * off)));
    }
    return total;
  };
  const first = f(15 / f(max - min));
  round(first);
  let kept = levels.slice();
  let scale = f(1 / first);
  let best = error(scale, min);
  for (let step = 0; step <= 20; step++) {
    // The minimum of the best so far, as in C.
    round(f(f(f(-1 + f(f(0.1) * step)) + 15) / f(max - min)));
    let [sumL, sumL2, sumXL] = [0, 0, 0];
    for (let i = 0; i < x.length; i++) {
      const [level, weight] = [levels[i]!, weights[i]!];
      const weighted = f(weight * level);
      sumL = f(sumL + weighted);
      sumL2 = f(sumL2 + f(weighted * level));
      sumXL = f(sumXL + f(weighted * x[i]!));
    }
    const determinant = f(f(sumW * sumL2) - f(sumL * sumL));
    if (!(determinant > 0)) continue;
    let ownScale = f(f(f(sumW * sumXL) - f(sumX * sumL)) / determinant);
    let ownMinimum = f(f(f(sumL2 * sumX) - f(sumL * sumXL)) / determinant);
    if (ownMinimum > 0) [ownMinimum, ownScale] = [0, f(sumXL / sumL2)];
    const own = error(ownScale, ownMinimum);
    if (own < best) [best, scale, min, kept] = [own, ownScale, ownMinimum, levels.slice()];
  }
  return { levels: kept, scale, minimum: -min };
}

function scalesOfBlock(x: Float32Array): ScaleAndMinimum[] {
  return Array.from({ length: 8 }, (_, j) => {
    const group = x.subarray(32 * j, 32 * j + 32);
    let squares = 0;
    for (const value of group) squares = f(squares + f(value * value));
    const average = f(Math.sqrt(f(squares / 32)));
    return bestScaleAndMinimum(
      group,
      group.map((value) => f(average + Math.abs(value))),
    );
  });
}

export function quantizeQ4_K(values: Float32Array, out: Uint8Array): void {
  const levels = new Uint8Array(256);
  for (let block = 0, at = 0; block < values.length; block += 256, at += 144) {
    const x = values.subarray(block, block + 256);
    const found = scalesOfBlock(x);
    const [mostScale, mostMinimum] = (['scale', 'minimum'] as const).map((name) =>
      found.reduce((most, each) => Math.max(most, each[name]), 0),
    ) as [number, number];
    const inverses = [mostScale, mostMinimum].map((most) => (most > 0 ? f(63 / most) : 0)) as [number, number];
    const d = setHalf(out, at, f(mostScale / 63));
    const dMin = setHalf(out, at + 2, f(mostMinimum / 63));
    out.fill(0, at + 4, at + 16);
    found.forEach(({ levels: own32, minimum, scale }, j) => {
      // As bytes: a negative one would be 255 and is cut to 63 in C as well.
      const [s, m] = [
        Math.min(63, nearest(f(inverses[0] * scale)) & 255),
        Math.min(63, nearest(f(inverses[1] * minimum)) & 255),
      ];
      if (j < 4) {
        out[at + 4 + j] = s;
        out[at + 8 + j] = m;
      } else {
        out[at + 8 + j] = (s & 15) | ((m & 15) << 4);
        out[at + j]! |= (s >> 4) << 6;
        out[at + 4 + j]! |= (m >> 4) << 6;
      }
      const [own, lowest] = [f(d * s), f(dMin * m)];
      for (let i = 32 * j; i < 32 * j + 32; i++)
        levels[i] = own ? clamp(nearest(f(f(x[i]! + lowest) / own)), 0, 15) : own32[i - 32 * j]!;
    });
    for (let j = 0; j < 4; j++)
      for (let l = 0; l < 32; l++) out[at + 16 + 32 * j + l] = levels[64 * j + l]! | (levels[64 * j + 32 + l]! << 4);
  }
}
