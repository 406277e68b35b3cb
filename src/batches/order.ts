/**
 * Which rows a step trains on: a pure function of the step, so that a run resumes anywhere.
 * Promises: every epoch holds every row once. Knows nothing of rows but their number. Pure.
 */
import { NomoatError } from '../errors.ts';
import { Random } from './random.ts';

export { seededRandom } from './random.ts';

/** 0 .. count-1 in an order that `seed` and `stream` determine (Fisher and Yates). */
export function shuffled(count: number, seed: number, stream = 0): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  const random = new Random(seed, stream);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
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

export interface RunLength {
  readonly batchSize: number;
  /** Passes over the rows; a part of one is rounded up to whole steps. */
  readonly epochs: number;
  /** null = no limit. */
  readonly maxSteps: number | null;
}

/** Optimizer steps of a run over `rows` training rows. */
export function stepsOf(rows: number, { batchSize, epochs, maxSteps }: RunLength): { steps: number; perEpoch: number } {
  const perEpoch = stepsPerEpoch(rows, batchSize);
  const planned = Math.ceil(perEpoch * epochs);
  return { perEpoch, steps: maxSteps === null ? planned : Math.min(planned, maxSteps) };
}

/** Row indices of `step` (from 0); the last batch of an epoch may be short, and every epoch has its own order. */
export function batchIndices(step: number, { rows, batchSize, seed, shuffle }: OrderOptions): number[] {
  if (![rows, batchSize].every((count) => Number.isSafeInteger(count) && count > 0)) {
    throw new NomoatError({
      part: 'the order of the rows',
      fault: `${rows} rows in batches of ${batchSize}`,
      remedy: 'Both must be whole numbers from 1.',
    });
  }
  const perEpoch = stepsPerEpoch(rows, batchSize);
  const epoch = Math.floor(step / perEpoch);
  const first = (step % perEpoch) * batchSize;
  // Stream 0 is for what is drawn once a run, such as the held-out rows.
  if (shuffle) return epochOrder(rows, seed, epoch + 1).slice(first, first + batchSize);
  return Array.from({ length: Math.min(batchSize, rows - first) }, (_, i) => first + i);
}

/** The order asked for last: the steps of an epoch ask for one order, and drawing a hundred thousand rows takes longer than a small step. */
let latest: { readonly key: string; readonly order: readonly number[] } | null = null;

function epochOrder(rows: number, seed: number, stream: number): readonly number[] {
  const key = `${rows} ${seed} ${stream}`;
  if (latest?.key !== key) latest = { key, order: shuffled(rows, seed, stream) };
  return latest.order;
}
