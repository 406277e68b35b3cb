/**
 * Whether one model is better than others on the same examples. Promises: every comparison is paired; the p-values of all of them together are
 * corrected; a difference that was not shown is called that, with the smallest one that so many examples would have shown. Pure.
 */
import type { MetricScore } from './score-answers.ts';
import { holm } from './statistics/multiple.ts';
import { deviationOf, examplesNeeded, smallestShown } from './statistics/power.ts';
import { confidence, type Interval, mcnemarExact } from './statistics/proportions.ts';
import { bootstrapInterval, pairedPermutation } from './statistics/resampling.ts';

/** Fewer examples (or clusters of them) show next to nothing, and intervals of them promise too much. */
export const fewestExamples = 20;

/** Somebody with scores by each metric. */
interface Scored {
  readonly name: string;
  readonly results: readonly MetricScore[];
}

/** What a comparison came to: `too-few-examples` where nothing can be said, `no-difference-shown` where one may still be there. */
export type Verdict = 'better' | 'worse' | 'no-difference-shown' | 'too-few-examples';

/** What was found of two models. */
export interface Comparison {
  readonly metric: string;
  readonly first: string;
  readonly second: string;
  /** What the second is. */
  readonly with: 'model' | 'baseline';
  /** Mean score of the first less that of the second. */
  readonly difference: number;
  /** Of the difference, 95%. */
  readonly interval: Interval;
  /** McNemar's exact test for scores of 0 and 1, else (and for clusters) a paired permutation test. */
  readonly test: 'mcnemar' | 'permutation';
  /** Two-sided, of this comparison alone. */
  readonly pValue: number;
  /** Holm's, over all comparisons that were made together. */
  readonly adjustedPValue: number;
  readonly verdict: Verdict;
  /** Difference that so many examples would have shown four times in five. */
  readonly smallestShown: number;
  /** Examples that the difference seen would need to be shown four times in five; null where there is none. */
  readonly examplesNeeded: number | null;
}

/** Who is compared: the first model with every other one and with every baseline, by each metric. */
export interface Compared {
  readonly models: readonly Scored[];
  readonly baselines: readonly Scored[];
  readonly metrics: readonly { readonly name: string; readonly binary: boolean }[];
  /** To which cluster each example belongs; without, each is one by itself. */
  readonly clusters?: readonly string[];
}

type Raw = Omit<Comparison, 'adjustedPValue' | 'verdict' | 'metric' | 'first' | 'second' | 'with'>;

interface CompareOptions {
  readonly binary: boolean;
  readonly clusters?: readonly string[];
}

/** Scores of two, in the order of the examples. */
function compareTwo(first: readonly number[], second: readonly number[], { binary, clusters }: CompareOptions): Raw {
  const differences = first.map((score, i) => score - second[i]!);
  const options = clusters ? { clusters } : {};
  const test = binary && !clusters ? 'mcnemar' : 'permutation';
  const count = (sign: number): number => differences.filter((each) => each === sign).length;
  const pValue = test === 'mcnemar' ? mcnemarExact(count(1), count(-1)) : pairedPermutation(differences, options);
  const difference = differences.reduce((sum, each) => sum + each, 0) / differences.length;
  const deviation = deviationOf(differences);
  const needed = examplesNeeded(difference, deviation);
  return {
    difference,
    interval: bootstrapInterval(differences, options),
    test,
    pValue,
    smallestShown: smallestShown(deviation, differences.length),
    examplesNeeded: Number.isFinite(needed) ? needed : null,
  };
}

/** Compares the first model with all others; their p-values are corrected together. */
export function compareAll({ baselines, clusters, metrics, models: [first, ...models] }: Compared): Comparison[] {
  const others = [
    ...baselines.map((scored) => ({ scored, with: 'baseline' as const })),
    ...models.map((scored) => ({ scored, with: 'model' as const })),
  ];
  const raw = metrics.flatMap(({ binary, name: metric }, i) =>
    others.map(({ scored, with: kind }) => ({
      metric,
      first: first!.name,
      second: scored.name,
      with: kind,
      ...compareTwo(first!.results[i]!.scores, scored.results[i]!.scores, { binary, ...(clusters ? { clusters } : {}) }), // biome-ignore format: one line
    })),
  );
  const adjusted = holm(raw.map(({ pValue }) => pValue));
  const units = clusters ? new Set(clusters).size : first!.results[0]!.scores.length;
  return raw.map((each, i) => {
    const shown = adjusted[i]! < 1 - confidence;
    const verdict = units < fewestExamples ? 'too-few-examples' : !shown ? 'no-difference-shown' : each.difference > 0 ? 'better' : 'worse'; // biome-ignore format: one line
    return { ...each, adjustedPValue: adjusted[i]!, verdict };
  });
}

const points = (value: number): string => `${(100 * value).toFixed(1)}`;
const pText = (p: number): string => (p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`);

/** A comparison as a sentence. */
export function comparisonText(
  comparison: Comparison,
  { examples, severalMetrics }: { readonly examples: number; readonly severalMetrics: boolean },
): string {
  const { adjustedPValue, difference, examplesNeeded: needed, first, interval, metric, second, smallestShown: least, verdict } = comparison; // biome-ignore format: one line
  const by = severalMetrics ? ` by ${metric}` : '';
  const seen = `${points(Math.abs(difference))} points ${difference >= 0 ? 'above' : 'below'} ${second}, 95% interval ${points(interval[0])} to ${points(interval[1])}, ${pText(adjustedPValue)}`; // biome-ignore format: one line
  if (verdict === 'better' || verdict === 'worse') return `${first} is ${verdict} than ${second}${by}: ${seen}.`;
  if (verdict === 'too-few-examples') return `${examples} examples are too few to compare ${first} with ${second}${by}: ${seen}; give at least ${fewestExamples}, better some hundred.`; // biome-ignore format: one line
  const more = needed !== null && needed > examples ? ` The difference seen would need about ${needed} examples.` : '';
  return `No difference shown between ${first} and ${second}${by}: ${seen}. With ${examples} examples, one of ${points(least)} points would have been shown four times in five.${more}`; // biome-ignore format: one line
}
