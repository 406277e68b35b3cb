/** The numbers of one paired comparison. Pure. */
import type { Metric } from './metrics/metric.ts';
import { isBinary } from './score-answers.ts';
import { standardError } from './statistics/clusters.ts';
import { meanInterval } from './statistics/mean-interval.ts';
import { examplesNeeded, smallestShown } from './statistics/power.ts';
import { type Interval, mcnemarExact, pairedInterval } from './statistics/proportions.ts';
import {
  bootstrapStatistic,
  meanOf,
  permuteStatistic,
  pseudoValues,
  type Statistic,
} from './statistics/resample-rows.ts';
import { pairedPermutation } from './statistics/resampling.ts';
import { type BySeed, meanOverSeeds, type SeededMean, seededMean, seedVariance } from './statistics/seeds.ts';

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
  /** In the order of the examples, one list a draw; two sides have as many draws, or one of them a single one. */
  readonly draws: readonly (readonly string[])[];
  /** Scores of each repeat of a training; null where there is one. */
  readonly bySeed: BySeed | null;
}

/** What two on the same examples come to. */
export interface Paired {
  /** Score of the first less that of the second. */
  readonly difference: number;
  /** Of the difference, 95%: Tango's for scores of 0 and 1 (Wilson's for pairs), Student's for clusters, else the wider of Student's and a bootstrap. */
  readonly interval: Interval;
  /**
   * McNemar's exact test for scores of 0 and 1, else (and for clusters) a paired permutation test; where one of the two is repeats of a training,
   * Student's with the noise of seeds in it.
   */
  readonly test: 'mcnemar' | 'permutation' | 'seeds';
  /** Where one of the two is repeats: what the difference is uncertain by, as standard errors; else null. */
  readonly noise: { readonly seeds: number; readonly examples: number } | null;
  /** Two-sided, of this comparison alone. */
  readonly pValue: number;
  /** Difference that so many examples would have shown four times in five. */
  readonly smallestShown: number;
  /** Examples that the difference seen would need to be shown four times in five; null where there is none. */
  readonly examplesNeeded: number | null;
}

/** No difference of two scores from 0 to 1 is larger. */
const bounded = ([low, high]: Interval): Interval => [Math.max(-1, low), Math.min(1, high)];

const differencesOf = (first: Side, second: Side): number[] =>
  first.scores.map((score, i) => score - second.scores[i]!);

const count = (differences: readonly number[], sign: number): number =>
  differences.filter((each) => each === sign).length;

/** Of both one after the other, as `permuteStatistic` wants it: draw by draw, where there are several, and their mean. */
function bothOf(first: Side, second: Side, { expected, metric }: CompareOptions): Statistic | null {
  const { together } = metric;
  if (!together) return null;
  const drawOf = ({ draws }: Side, i: number): readonly string[] => draws[i % draws.length]!;
  const count = Math.max(first.draws.length, second.draws.length);
  const answers = Array.from({ length: count }, (_, i) => [...drawOf(first, i), ...drawOf(second, i)]);
  return meanOf(answers.map((both) => together(both, [...expected, ...expected])));
}

/** What the mean of one side is made of: scores, or pseudo-values of a figure of all answers together. */
function valuesOf({ bySeed, draws, scores }: Side, { clusters, expected, metric }: CompareOptions): readonly number[] {
  const { together } = metric;
  if (!together) return scores;
  if (bySeed) return meanOverSeeds(bySeed);
  return pseudoValues(meanOf(draws.map((answers) => together(answers, expected))), expected.length, clusters);
}

/** The difference with the noise of seeds in it; null where neither is repeats. */
function overSeeds(first: Side, second: Side, options: CompareOptions): SeededMean | null {
  // Pseudo-values are of whole clusters already.
  const clusters = options.metric.together ? undefined : options.clusters;
  const repeats = [first, second].flatMap(({ bySeed }) =>
    bySeed ? [{ count: bySeed.length, variance: seedVariance(bySeed, clusters) }] : [],
  );
  if (repeats.length === 0) return null;
  const [own, others] = [valuesOf(first, options), valuesOf(second, options)];
  const differences = own.map((value, i) => value - others[i]!);
  return seededMean(differences, repeats, { clusters, centre: first.score - second.score });
}

/** Which test is made, and its p-value. */
export function testTwo(first: Side, second: Side, options: CompareOptions): Pick<Paired, 'test' | 'pValue'> {
  const { clusters, metric } = options;
  const grouped = clusters ? { clusters } : {};
  const seeded = overSeeds(first, second, options);
  if (seeded) return { test: 'seeds', pValue: seeded.pValue };
  const both = bothOf(first, second, options);
  const differences = differencesOf(first, second);
  if (both) return { test: 'permutation', pValue: permuteStatistic(both, differences.length, grouped) };
  return isBinary(metric, [first, second]) && !clusters
    ? { test: 'mcnemar', pValue: mcnemarExact(count(differences, 1), count(differences, -1)) }
    : { test: 'permutation', pValue: pairedPermutation(differences, grouped) };
}

function intervalOf(first: Side, second: Side, options: CompareOptions): Interval {
  const { clusters, metric } = options;
  const both = bothOf(first, second, options);
  const differences = differencesOf(first, second);
  const total = differences.length;
  if (both)
    return bootstrapStatistic(
      (rows) => both(rows) - both(rows.map((row) => row + total)),
      total,
      clusters ? { clusters } : {},
    );
  return isBinary(metric, [first, second]) && !clusters
    ? pairedInterval(count(differences, 1), count(differences, -1), total)
    : meanInterval(differences, clusters);
}

/** Compares two on the same examples. */
export function compareTwo(first: Side, second: Side, options: CompareOptions): Paired {
  const difference = first.score - second.score;
  const differences = differencesOf(first, second);
  const seeded = overSeeds(first, second, options);
  const error = seeded
    ? Math.hypot(seeded.examplesError, seeded.seedsError)
    : standardError(differences, options.clusters);
  // More examples take no noise of seeds away.
  const needed = seeded ? Number.POSITIVE_INFINITY : examplesNeeded(difference, error, differences.length);
  return {
    difference,
    interval: bounded(seeded?.interval ?? intervalOf(first, second, options)),
    noise: seeded && { seeds: seeded.seedsError, examples: seeded.examplesError },
    ...testTwo(first, second, options),
    smallestShown: Math.min(1, smallestShown(error)),
    examplesNeeded: Number.isFinite(needed) ? needed : null,
  };
}
