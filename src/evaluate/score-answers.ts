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
  /** In the order of the examples. */
  readonly scores: readonly number[];
}

/** Whether a metric's scores are 0 and 1 alone, by what it says, or by what these came out as. */
export const isBinary = ({ binary }: Metric, results: readonly { readonly scores: readonly number[] }[]): boolean =>
  binary ?? results.every(({ scores }) => scores.every((score) => score === 0 || score === 1));

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const bounded = ([low, high]: Interval): Interval => [Math.max(0, low), Math.min(1, high)];

/** Scores answers in the order of the examples. */
export async function scoreAnswers(
  answers: readonly string[],
  { clusters, questions }: TestSet,
  metric: Metric,
): Promise<MetricScore> {
  const { name, of: score, together } = metric;
  const scores: number[] = [];
  for (const [i, text] of answers.entries()) scores.push(await score(text, questions[i]!.expected));
  const grouped = clusters ? { clusters: clusters.names } : {};
  if (together) {
    const statistic = together(answers, questions.map(({ expected }) => expected)); // biome-ignore format: one line
    const all = [...scores.keys()];
    return { metric: name, score: statistic(all), interval: bounded(bootstrapStatistic(statistic, all.length, grouped)), scores }; // biome-ignore format: one line
  }
  const right = scores.filter((each) => each === 1).length;
  const share = (): Interval => (clusters ? clusteredWilson(scores, clusters.names) : wilsonInterval(right, scores.length)); // biome-ignore format: one line
  return { metric: name, score: mean(scores), interval: isBinary(metric, [{ scores }]) ? share() : bounded(bootstrapInterval(scores, grouped)), scores }; // biome-ignore format: one line
}
