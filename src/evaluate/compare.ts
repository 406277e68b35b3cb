/**
 * Whether one model is better than others on the same examples. Promises: every comparison is paired; the p-values of all of them together are
 * corrected; a difference that was not shown is called that, with the smallest one that so many examples would have shown. Pure.
 */
import { type CompareOptions, compareTwo, type Paired, type Side, testTwo } from './compare-two.ts';
import type { Metric } from './metrics/metric.ts';
import type { MetricScore } from './score-answers.ts';
import { holm, tiedSets } from './statistics/multiple.ts';
import { confidence } from './statistics/proportions.ts';
import { type TestSet, unitsOf } from './test-set.ts';

/** Fewer examples (or clusters of them) show next to nothing, and intervals of them promise too much. */
export const fewestExamples = 20;

/** What a comparison came to: `too-few-examples` where nothing can be said, `no-difference-shown` where one may still be there. */
export type Verdict = 'better' | 'worse' | 'no-difference-shown' | 'too-few-examples';

/** What was found of two models. */
export interface Comparison extends Paired {
  readonly metric: string;
  readonly first: string;
  readonly second: string;
  /** What the second is. */
  readonly with: 'model' | 'baseline';
  /** Holm's, over all comparisons that were made together. */
  readonly adjustedPValue: number;
  readonly verdict: Verdict;
}

/** Those of which no two were shown to differ by a metric. */
export interface Tied {
  readonly metric: string;
  /** Best first; one may be in several sets, since a tie is not transitive. */
  readonly sets: readonly (readonly string[])[];
}

/** Somebody who answered. */
export interface Contestant {
  readonly name: string;
  readonly results: readonly MetricScore[];
  readonly answers: readonly string[];
  /** Where several were drawn to each question: all of them, by question. */
  readonly samples?: readonly (readonly string[])[] | null;
}

/** Who is compared: the first model with every other one and with every baseline, by each metric. */
export interface Compared {
  readonly models: readonly Contestant[];
  readonly baselines: readonly Contestant[];
  readonly metrics: readonly Metric[];
  readonly test: TestSet;
}

const optionsOf = (metric: Metric, { clusters, questions }: TestSet): CompareOptions => ({
  metric,
  expected: questions.map(({ expected }) => expected),
  ...(clusters ? { clusters: clusters.names } : {}),
});

/** By one metric. */
const sideOf = ({ answers, results, samples }: Contestant, metric: number): Side => ({
  ...results[metric]!,
  draws: samples ? samples[0]!.map((_, draw) => samples.map((own) => own[draw]!)) : [answers],
  bySeed: results[metric]!.seeds?.scores ?? null,
});

/** Compares the first model with all others; their p-values are corrected together. */
export function compareAll({ baselines, metrics, models: [first, ...models], test }: Compared): Comparison[] {
  const others = [
    ...baselines.map((other) => ({ other, with: 'baseline' as const })),
    ...models.map((other) => ({ other, with: 'model' as const })),
  ];
  const found = metrics.flatMap((metric, i) =>
    others.map(({ other, with: kind }) => ({
      metric: metric.name,
      first: first!.name,
      second: other.name,
      with: kind,
      ...compareTwo(sideOf(first!, i), sideOf(other, i), optionsOf(metric, test)),
    })),
  );
  const adjusted = holm(found.map(({ pValue }) => pValue));
  const units = unitsOf(test);
  return found.map((each, i) => {
    const shown = adjusted[i]! < 1 - confidence;
    const verdict =
      units < fewestExamples
        ? 'too-few-examples'
        : !shown
          ? 'no-difference-shown'
          : each.difference > 0
            ? 'better'
            : 'worse';
    return { ...each, adjustedPValue: adjusted[i]!, verdict };
  });
}

/** From so many on there is more to say of who ties than each comparison says. */
const fewestTied = 3;

/** Who ties with whom, models and baselines, by each metric; p-values of all pairs of a metric are corrected together. Nothing where there are but two. */
export function tiesOf({ baselines, metrics, models, test }: Compared): Tied[] {
  const all = [...models, ...baselines];
  if (all.length < fewestTied || unitsOf(test) < fewestExamples) return [];
  return metrics.map((metric, i) => {
    const options = optionsOf(metric, test);
    const pairs = all.flatMap((first, at) => all.slice(at + 1).map((second) => ({ first, second })));
    const adjusted = holm(
      pairs.map(({ first, second }) => testTwo(sideOf(first, i), sideOf(second, i), options).pValue),
    );
    const found = pairs.map(({ first, second }, at) => ({
      first: first.name,
      second: second.name,
      differ: adjusted[at]! < 1 - confidence,
    }));
    const best = [...all].sort((a, b) => b.results[i]!.score - a.results[i]!.score);
    return {
      metric: metric.name,
      sets: tiedSets(
        best.map(({ name }) => name),
        found,
      ),
    };
  });
}

const points = (value: number): string => `${(100 * value).toFixed(1)}`;
/** Beside an interval of one comparison alone, a p-value that was corrected for others may look wrong: it says that it was. */
const pText = ({ adjustedPValue: p, pValue }: Comparison): string =>
  `${p === pValue ? '' : 'corrected '}${p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`}`;

/** What a sentence of a comparison says of the test beside it. */
export interface Said {
  /** Such as "200 examples" or "200 examples in 31 clusters". */
  readonly test: string;
  readonly examples: number;
  readonly severalMetrics: boolean;
}

/** A comparison as a sentence. */
export function comparisonText(comparison: Comparison, { examples, severalMetrics, test }: Said): string {
  const {
    difference,
    examplesNeeded: needed,
    first,
    interval,
    metric,
    noise,
    second,
    smallestShown: least,
    verdict,
  } = comparison;
  const by = severalMetrics ? ` by ${metric}` : '';
  const seen = `${points(Math.abs(difference))} points ${difference >= 0 ? 'above' : 'below'} ${second}, 95% interval ${points(interval[0])} to ${points(interval[1])}, ${pText(comparison)}`;
  const noisy = noise
    ? ` Of its uncertainty, ${points(noise.seeds ** 2 / (noise.seeds ** 2 + noise.examples ** 2 || 1))} in a hundred is noise of seeds.`
    : '';
  if (verdict === 'better' || verdict === 'worse')
    return `${first} is ${verdict} than ${second}${by}: ${seen}.${noisy}`;
  if (verdict === 'too-few-examples')
    return `${test} are too few to compare ${first} with ${second}${by}: ${seen}; give at least ${fewestExamples}, better some hundred.`;
  const more = needed !== null && needed > examples ? ` The difference seen would need about ${needed} examples.` : '';
  // Of scores that are alike nothing is known of how differences scatter.
  const shown =
    least === 0
      ? 'Both have the same score on every example.'
      : `With ${test}, one of ${points(least)} points would have been shown four times in five.`;
  return `No difference shown between ${first} and ${second}${by}: ${seen}. ${shown}${more}${noisy}`;
}

/** Ties as a sentence; null where no two tie. */
export function tiedText({ metric, sets }: Tied, severalMetrics: boolean): string | null {
  const several = sets.filter((set) => set.length > 1);
  if (several.length === 0) return null;
  return `Statistically tied${severalMetrics ? ` by ${metric}` : ''}: ${several.map((set) => set.join(', ')).join('; ')}.`;
}
