/** How a metric scores somebody's answers, with the interval of their mean. Pure. */
import type { Metric } from './metrics/metric.ts';
import { clusteredWilson } from './statistics/clusters.ts';
import { type Interval, wilsonInterval } from './statistics/proportions.ts';
import { bootstrapStatistic } from './statistics/resample-rows.ts';
import { bootstrapInterval } from './statistics/resampling.ts';
import type { TestSet } from './test-set.ts';

/** How one metric scored somebody's answers. */
export interface MetricScore {
  readonly metric: string;
  /** Mean score, 0 to 1; of metrics such as macro F1, that of all answers together. */
  readonly score: number;
  /** 95%: Wilson's for scores of 0 and 1 (of clusters, as if there were fewer), else a bias-corrected bootstrap. */
  readonly interval: Interval;
  /** In the order of the examples; where several answers were drawn, their means. */
  readonly scores: readonly number[];
  /** Where several were drawn, and each is right or wrong: how many of an example's are right; else null. */
  readonly right: readonly number[] | null;
}

/** Whether a metric's scores are 0 and 1 alone: it does not say otherwise, and these are (means of several draws need not be). */
export const isBinary = ({ binary }: Metric, results: readonly { readonly scores: readonly number[] }[]): boolean =>
  binary !== false && results.every(({ scores }) => scores.every((score) => score === 0 || score === 1));

const bounded = ([low, high]: Interval): Interval => [Math.max(0, low), Math.min(1, high)];

/** Scores of each draw, in the order of the examples. */
async function scoresOf(
  draws: readonly (readonly string[])[],
  { questions }: TestSet,
  { of: score }: Metric,
): Promise<number[][]> {
  const scores: number[][] = [];
  for (const answers of draws) {
    const own: number[] = [];
    for (const [i, text] of answers.entries()) own.push(await score(text, questions[i]!.expected));
    scores.push(own);
  }
  return scores;
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/**
 * Scores answers in the order of the examples: of one draw, or of several, whose mean is an example's score then. `given` are scores of
 * likelihoods, which answers do not show.
 */
export async function scoreAnswers(
  draws: readonly (readonly string[])[],
  test: TestSet,
  metric: Metric,
  given?: readonly number[],
): Promise<MetricScore> {
  const { name, together } = metric;
  const { clusters, questions } = test;
  const each = given ? draws.map(() => given) : await scoresOf(draws, test, metric);
  const sums = questions.map((_, i) => sum(each.map((own) => own[i]!)));
  const scores = sums.map((all) => all / draws.length);
  const right =
    draws.length > 1 &&
    isBinary(
      metric,
      each.map((own) => ({ scores: own })),
    )
      ? sums
      : null;
  const grouped = clusters ? { clusters: clusters.names } : {};
  if (together) {
    const statistic = together(draws[0]!, questions.map(({ expected }) => expected)); // biome-ignore format: one line
    const all = [...scores.keys()];
    return { metric: name, score: statistic(all), interval: bounded(bootstrapStatistic(statistic, all.length, grouped)), scores, right }; // biome-ignore format: one line
  }
  const share = (): Interval => (clusters ? clusteredWilson(scores, clusters.names) : wilsonInterval(sum(scores), scores.length)); // biome-ignore format: one line
  return { metric: name, score: sum(scores) / scores.length, interval: isBinary(metric, [{ scores }]) ? share() : bounded(bootstrapInterval(scores, grouped)), scores, right }; // biome-ignore format: one line
}
