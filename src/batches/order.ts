/**
 * Which rows a step trains on: a pure function of the step, so that a run resumes anywhere.
 */

/** Uniform numbers in [0, 1) from a seed; mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** 0 .. count-1 in an order that `seed` determines (Fisher and Yates). */
export function shuffled(count: number, seed: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  const next = seededRandom(seed);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

export interface OrderOptions {
  readonly rows: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly shuffle: boolean;
}

export function stepsPerEpoch(rows: number, batchSize: number): number {
  return Math.ceil(rows / batchSize);
}

/** Row indices of `step` (from 0); the last batch of an epoch may be short, and every epoch has its own order. */
export function batchIndices(step: number, { rows, batchSize, seed, shuffle }: OrderOptions): number[] {
  const perEpoch = stepsPerEpoch(rows, batchSize);
  const epoch = Math.floor(step / perEpoch);
  const first = (step % perEpoch) * batchSize;
  const order = shuffle
    ? shuffled(rows, Math.imul(seed + 1, 0x9e3779b1) ^ epoch)
    : Array.from({ length: rows }, (_, i) => i);
  return order.slice(first, first + batchSize);
}
