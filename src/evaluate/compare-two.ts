/** The numbers of one paired comparison. Pure. */
import type { Metric } from './metrics/metric.ts';
import { isBinary } from './score-answers.ts';
import { standardError } from './statistics/clusters.ts';
import { examplesNeeded, smallestShown } from './statistics/power.ts';
import { type Interval, mcnemarExact, pairedInterval } from './statistics/proportions.ts';
import { bootstrapStatistic, permuteStatistic, type Statistic } from './statistics/resample-rows.ts';
import { bootstrapInterval, pairedPermutation } from './statistics/resampling.ts';

/** What two are compared by. */
export interface CompareOptions {
  readonly metric: Metric;
  /** What is expected, in the order of the examples. */
  readonly expected: readonly string[];
  /** To which cluster each example belongs; without, each is one by itself. */
  readonly clusters?: readonly string[];
}

/** One of the two. */
export interface Side {
  readonly score: number;
  readonly scores: readonly number[];
  readonly answers: readonly string[];
}

/** What two on the same examples come to. */
export interface Paired {
  /** Score of the first less that of the second. */
  readonly difference: number;
  /** Of the difference, 95%: Tango's for scores of 0 and 1 (Wilson's for pairs), else, and for clusters, a bootstrap of the difference. */
  readonly interval: Interval;
  /** McNemar's exact test for scores of 0 and 1, else (and for clusters) a paired permutation test. */
  readonly test: 'mcnemar' | 'permutation';
  /** Two-sided, of this comparison alone. */
  readonly pValue: number;
  /** Difference that so many examples would have shown four times in five. */
  readonly smallestShown: number;
  /** Examples that the difference seen would need to be shown four times in five; null where there is none. */
  readonly examplesNeeded: number | null;
}

/** No difference of two scores from 0 to 1 is larger. */
const bounded = ([low, high]: Interval): Interval => [Math.max(-1, low), Math.min(1, high)];

const differencesOf = (first: Side, second: Side): number[] => first.scores.map((score, i) => score - second.scores[i]!); // biome-ignore format: one line

const count = (differences: readonly number[], sign: number): number => differences.filter((each) => each === sign).length; // biome-ignore format: one line

/** Of both one after the other, as `permuteStatistic` wants it. */
const bothOf = (first: Side, second: Side, { expected, metric }: CompareOptions): Statistic | null =>
  metric.together?.([...first.answers, ...second.answers], [...expected, ...expected]) ?? null;

/** Which test is made, and its p-value. */
export function testTwo(first: Side, second: Side, options: CompareOptions): Pick<Paired, 'test' | 'pValue'> {
  const { clusters, metric } = options;
  const grouped = clusters ? { clusters } : {};
  const both = bothOf(first, second, options);
  const differences = differencesOf(first, second);
  if (both) return { test: 'permutation', pValue: permuteStatistic(both, differences.length, grouped) };
  return isBinary(metric, [first, second]) && !clusters
    ? { test: 'mcnemar', pValue: mcnemarExact(count(differences, 1), count(differences, -1)) }
    : { test: 'permutation', pValue: pairedPermutation(differences, grouped) };
}

function intervalOf(first: Side, second: Side, options: CompareOptions): Interval {
  const { clusters, metric } = options;
  const grouped = clusters ? { clusters } : {};
  const both = bothOf(first, second, options);
  const differences = differencesOf(first, second);
  const total = differences.length;
  if (both) return bootstrapStatistic((rows) => both(rows) - both(rows.map((row) => row + total)), total, grouped);
  return isBinary(metric, [first, second]) && !clusters
    ? pairedInterval(count(differences, 1), count(differences, -1), total)
    : bootstrapInterval(differences, grouped);
}

/** Compares two on the same examples. */
export function compareTwo(first: Side, second: Side, options: CompareOptions): Paired {
  const difference = first.score - second.score;
  const differences = differencesOf(first, second);
  const error = standardError(differences, options.clusters);
  const needed = examplesNeeded(difference, error, differences.length);
  return {
    difference,
    interval: bounded(intervalOf(first, second, options)),
    ...testTwo(first, second, options),
    smallestShown: Math.min(1, smallestShown(error)),
    examplesNeeded: Number.isFinite(needed) ? needed : null,
  };
}
