/** Of several answers that were drawn to each question: how often at least one of k is right, and how often all are. Pure. */
import { meanInterval } from './statistics/mean-interval.ts';
import { type Interval, passAllK, passAtK } from './statistics/proportions.ts';
import { mean } from './statistics/sums.ts';
import type { TestSet } from './test-set.ts';

/** Shares for one k. */
export interface PassShare {
  readonly k: number;
  /** pass@k: at least one of k answers is right (https://arxiv.org/abs/2107.03374), by the unbiased estimate. */
  readonly any: number;
  readonly anyInterval: Interval;
  /** pass^k: all of k answers are right (https://arxiv.org/abs/2406.12045), likewise. */
  readonly all: number;
  readonly allInterval: Interval;
}

/** By one metric, for each k from 1 to the samples drawn. */
export interface Passes {
  readonly metric: string;
  readonly shares: readonly PassShare[];
}

/** `right` has how many of `samples` answers were right, of each example. */
export function passesOf(metric: string, right: readonly number[], samples: number, { clusters }: TestSet): Passes {
  const bounded = ([low, high]: Interval): Interval => [Math.max(0, low), Math.min(1, high)];
  const shareOf = (values: readonly number[]) => ({
    share: mean(values),
    interval: bounded(meanInterval(values, clusters?.names)),
  });
  const shares = Array.from({ length: samples }, (_, i): PassShare => {
    const k = i + 1;
    const [any, all] = [passAtK, passAllK].map((of) => shareOf(right.map((count) => of(samples, count, k))));
    return { k, any: any!.share, anyInterval: any!.interval, all: all!.share, allInterval: all!.interval };
  });
  return { metric, shares };
}
