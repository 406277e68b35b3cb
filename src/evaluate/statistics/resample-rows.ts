/**
 * Intervals and permutation tests of figures that are no mean of single scores, such as macro F1: they are computed again on drawn examples.
 * Promises: seeded; by whole clusters where examples belong together. Pure.
 */
import { rowsOf } from './clusters.ts';
import type { Interval } from './proportions.ts';
import { bcaInterval, draws, type ResamplingOptions, randomNumbers } from './resampling.ts';
import { mean } from './sums.ts';

/** A figure of some examples, each as often as its index is named. */
export type Statistic = (rows: readonly number[]) => number;

/** The mean of several figures of the same examples, such as those of several draws. */
export const meanOf = (statistics: readonly Statistic[]): Statistic =>
  statistics.length === 1 ? statistics[0]! : (rows) => mean(statistics.map((statistic) => statistic(rows)));

/** How much an interval bends to a side, from the figure without each cluster in turn. */
function leftOut(statistic: Statistic, clusters: readonly (readonly number[])[]): number[] {
  return clusters.map((_, without) => statistic(clusters.flatMap((rows, i) => (i === without ? [] : rows))));
}

/**
 * The jackknife's pseudo-values of a figure, one for each cluster: means of them have about the uncertainty of the figure, so that what is known
 * of means holds for it (Tukey 1958; https://doi.org/10.1093/biomet/61.1.1). At least two clusters.
 */
export function pseudoValues(statistic: Statistic, count: number, names?: readonly string[]): number[] {
  const clusters = rowsOf(count, names);
  const all = clusters.length * statistic(clusters.flat());
  return leftOut(statistic, clusters).map((without) => all - (clusters.length - 1) * without);
}

/** As `bootstrapInterval`, of any figure of `count` examples. */
export function bootstrapStatistic(statistic: Statistic, count: number, options: ResamplingOptions = {}): Interval {
  const clusters = rowsOf(count, options.clusters);
  if (clusters.length < 2) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const random = randomNumbers(options.seed ?? 0);
  const figures = new Float64Array(options.draws ?? draws);
  for (let i = 0; i < figures.length; i++) {
    const rows: number[] = [];
    for (let j = 0; j < clusters.length; j++)
      for (const row of clusters[Math.floor(random() * clusters.length)]!) rows.push(row);
    figures[i] = statistic(rows);
  }
  return bcaInterval(figures, statistic(clusters.flat()), leftOut(statistic, clusters));
}

/**
 * As `pairedPermutation`, of the difference of any figure of two. `statistic` knows both: rows 0 to count - 1 are the first's answers, count to
 * 2 count - 1 the second's. Seeded draws, the one that was seen among them.
 */
export function permuteStatistic(statistic: Statistic, count: number, options: ResamplingOptions = {}): number {
  const clusters = rowsOf(count, options.clusters);
  const random = randomNumbers(options.seed ?? 0);
  const difference = (isSwapped: () => boolean): number => {
    const [first, second]: [number[], number[]] = [[], []];
    for (const rows of clusters) {
      const [a, b] = isSwapped() ? [count, 0] : [0, count];
      for (const row of rows) {
        first.push(row + a);
        second.push(row + b);
      }
    }
    return Math.abs(statistic(first) - statistic(second));
  };
  // Sums in another order differ in the last bits.
  const enough = difference(() => false) * (1 - 1e-12);
  const most = options.draws ?? draws;
  let found = 1;
  for (let i = 0; i < most; i++) if (difference(() => random() < 0.5) >= enough) found++;
  return found / (most + 1);
}
