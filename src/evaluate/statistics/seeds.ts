/**
 * Repeats of a training with other seeds, on the same examples: how much of what is seen is noise of seeds, and how much of the examples. A two-way
 * random-effects model (https://doi.org/10.1037/0033-2909.86.2.420 has its mean squares), by whole clusters where examples belong together. Pure.
 */
import { standardError } from './clusters.ts';
import { confidence, type Interval } from './proportions.ts';
import { studentQuantile, studentTail } from './student.ts';
import { mean, sum } from './sums.ts';

/** Scores of each repeat, in the order of the examples. */
export type BySeed = readonly (readonly number[])[];

/** Mean of the repeats, of each example. */
export const meanOverSeeds = (bySeed: BySeed): number[] => bySeed[0]!.map((_, i) => mean(bySeed.map((own) => own[i]!)));

/**
 * Variance between seeds, as other seeds on other examples would show it: that of the repeats' mean scores, less what chance in these examples
 * alone would give them. At least 0; 0 of a single one, of which nothing is known.
 */
export function seedVariance(bySeed: BySeed, clusters?: readonly string[]): number {
  const count = bySeed.length;
  if (count < 2) return 0;
  const own = bySeed.map(mean);
  const overall = mean(own);
  const between = own.reduce((sum, each) => sum + (each - overall) ** 2, 0) / (count - 1);
  const usual = meanOverSeeds(bySeed);
  const errors = bySeed.map(
    (scores) =>
      standardError(
        scores.map((score, i) => score - usual[i]!),
        clusters,
      ) ** 2,
  );
  const byChance = sum(errors) / (count - 1);
  return Math.max(0, between - byChance);
}

/** A mean over examples and seeds, with what it is uncertain by. */
export interface SeededMean {
  readonly mean: number;
  readonly interval: Interval;
  /** Two-sided: that it is 0. */
  readonly pValue: number;
  /** Standard error by the examples alone, and by the seeds alone. */
  readonly examplesError: number;
  readonly seedsError: number;
}

/** Repeats on one side: how many, and their variance. */
export interface Repeats {
  readonly count: number;
  readonly variance: number;
}

export interface SeededMeanOptions {
  /** To which cluster each value belongs; without, each is one by itself. */
  readonly clusters?: readonly string[] | undefined;
  /** The figure itself, where the values are its pseudo-values, whose mean is near it. */
  readonly centre?: number;
}

/**
 * The mean of values that are means over repeats (of one side, or differences of two): its standard error is that of the examples and that of the
 * seeds together, its t has degrees of freedom by Satterthwaite (https://doi.org/10.2307/3002019), few where seeds are most of it.
 */
export function seededMean(
  values: readonly number[],
  repeats: readonly Repeats[],
  { centre = mean(values), clusters }: SeededMeanOptions = {},
): SeededMean {
  const units = clusters ? new Set(clusters).size : values.length;
  const examples = standardError(values, clusters) ** 2;
  const seeds = repeats
    .filter(({ count }) => count > 1)
    .map(({ count, variance }) => ({ error: variance / count, freedom: count - 1 }));
  const parts = [{ error: examples, freedom: units - 1 }, ...seeds];
  const total = parts.reduce((sum, { error }) => sum + error, 0);
  const error = Math.sqrt(total);
  const freedom =
    total === 0 ? units - 1 : total ** 2 / parts.reduce((sum, part) => sum + part.error ** 2 / part.freedom, 0);
  const half = Number.isFinite(error) ? studentQuantile(confidence, freedom) * error : error;
  return {
    mean: centre,
    interval: [centre - half, centre + half],
    pValue: error === 0 ? (centre === 0 ? 1 : 0) : Number.isFinite(error) ? studentTail(centre / error, freedom) : 1,
    examplesError: Math.sqrt(examples),
    seedsError: Math.sqrt(seeds.reduce((sum, each) => sum + each.error, 0)),
  };
}
