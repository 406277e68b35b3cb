/** Of several answers that were drawn to each question: how often at least one of k is right, and how often all are. Pure. */
import { meanInterval } from './statistics/mean-interval.ts';
import { type Interval, passAllK, passAtK } from './statistics/proportions.ts';
import { type BySeed, meanOverSeeds, seededMean, seedVariance } from './statistics/seeds.ts';
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

/** `right` has how many of `samples` answers were right, of each example; of repeats of a training, of each repeat. */
export function passesOf(metric: string, right: BySeed, samples: number, test: TestSet): Passes {
  const clusters = test.clusters?.names;
  const bounded = ([low, high]: Interval): Interval => [Math.max(0, low), Math.min(1, high)];
  const shareOf = (bySeed: BySeed) => {
    const values = meanOverSeeds(bySeed);
    if (bySeed.length === 1) return { share: mean(values), interval: bounded(meanInterval(values, clusters)) };
    const repeats = [{ count: bySeed.length, variance: seedVariance(bySeed, clusters) }];
    const over = seededMean(values, repeats, { clusters });
    return { share: over.mean, interval: bounded(over.interval) };
  };
  const shares = Array.from({ length: samples }, (_, i): PassShare => {
    const k = i + 1;
    const [any, all] = [passAtK, passAllK].map((of) =>
      shareOf(right.map((counts) => counts.map((count) => of(samples, count, k)))),
    );
    return { k, any: any!.share, anyInterval: any!.interval, all: all!.share, allInterval: all!.interval };
  });
  return { metric, shares };
}
