/**
 * Which elements of an update are kept: by magnitude, by chance, or by both. Promises: repeatable by seed. Pure.
 * TIES: arXiv 2306.01708; DARE: 2311.03099; Model Breadcrumbs: 2312.06795; DELLA: 2406.11617.
 */
import type { Random } from '../batches/random.ts';

export interface PruneOptions {
  /** Share of the elements that is kept, above 0 and up to 1. */
  readonly density: number;
  readonly random: Random;
  /** Elements of a row, which DELLA ranks by itself. */
  readonly width: number;
}

/** Fresh values, zero where they are dropped. */
export type Prune = (values: Float32Array, options: PruneOptions) => Float32Array;

const halfBits = 16;
const buckets = 1 << halfBits;

/** Bits of |value|, which order as the values do. */
function magnitudeBits(values: Float32Array): Uint32Array {
  const bits = new Uint32Array(values.slice().buffer);
  for (let i = 0; i < bits.length; i++) bits[i]! &= 0x7fffffff;
  return bits;
}

/** The count-th largest of `bits`, in two passes over their halves: exact, and without sorting millions. */
function countThLargest(bits: Uint32Array, count: number): number {
  const find = (counts: Uint32Array, wanted: number): { bucket: number; before: number } => {
    let before = 0;
    for (let bucket = buckets - 1; bucket >= 0; bucket--) {
      if (before + counts[bucket]! >= wanted) return { bucket, before };
      before += counts[bucket]!;
    }
    return { bucket: 0, before };
  };
  const high = new Uint32Array(buckets);
  for (const value of bits) high[value >>> halfBits]!++;
  const upper = find(high, count);
  const low = new Uint32Array(buckets);
  for (const value of bits) if (value >>> halfBits === upper.bucket) low[value & (buckets - 1)]!++;
  return upper.bucket * buckets + find(low, count - upper.before).bucket;
}

/** Without the `dropped` largest of |values|, the next `kept`; of equal ones the first. */
function band(values: Float32Array, dropped: number, kept: number): Float32Array {
  if (kept >= values.length) return values.slice();
  const out = new Float32Array(values.length);
  if (kept === 0) return out;
  const bits = magnitudeBits(values);
  const least = countThLargest(bits, dropped + kept);
  const most = dropped === 0 ? Number.POSITIVE_INFINITY : countThLargest(bits, dropped);
  // What equals a bound is shared out, so that exactly as many are kept.
  let above = 0;
  for (const value of bits) if (value > least && value < most) above++;
  let equal = kept - above;
  for (let i = 0; i < values.length; i++) {
    const value = bits[i]!;
    const inside = value > least && value < most;
    if (inside || (equal > 0 && (value === least || value === most))) out[i] = values[i]!;
    if (!inside && out[i] !== 0) equal--;
  }
  return out;
}

/** The largest |values|. */
export const byMagnitude: Prune = (values, { density }) => band(values, 0, Math.floor(density * values.length));

/** Any, each with the same chance, and the kept ones divided by it. */
export const byChance: Prune = (values, { density, random }) =>
  density >= 1 ? values.slice() : values.map((value) => (random.uniform() < density ? value / density : 0));

/** Share of the largest that Model Breadcrumbs takes for outliers, as in the paper's experiments. */
const outliers = 0.01;

/** Neither the largest nor the smallest. */
export const breadcrumbs: Prune = (values, { density }) => {
  const kept = Math.floor(density * values.length);
  return band(values, Math.min(values.length - kept, Math.floor(outliers * values.length)), kept);
};

/** Half the difference between the chances of a row's smallest and largest element; the paper tries up to 0.2 in all. */
const chanceSpread = 0.05;

/** By chance, larger ones of a row with a higher one (MagPrune), the kept ones divided by theirs. */
export const byRankedChance: Prune = (values, { density, random, width }) => {
  if (density >= 1) return values.slice();
  const out = new Float32Array(values.length);
  const spread = Math.min(chanceSpread, density / 2, 1 - density);
  const order = Array.from({ length: width }, (_, i) => i);
  for (let start = 0; start < values.length; start += width) {
    const ranked = order.toSorted((i, j) => Math.abs(values[start + i]!) - Math.abs(values[start + j]!));
    ranked.forEach((i, rank) => {
      const chance = density + spread * ((2 * rank) / Math.max(1, width - 1) - 1);
      if (random.uniform() < chance) out[start + i] = values[start + i]! / chance;
    });
  }
  return out;
};
