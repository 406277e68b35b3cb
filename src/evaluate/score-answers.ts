/** How a metric scores somebody's answers, with the interval of their mean. Pure. */
import type { Metric } from './metrics/metric.ts';
import { type Interval, wilsonInterval } from './statistics/proportions.ts';
import { bootstrapInterval } from './statistics/resampling.ts';
import type { TestSet } from './test-set.ts';

/** How one metric scored somebody's answers. */
export interface MetricScore {
  readonly metric: string;
  /** Mean score, 0 to 1. */
  readonly score: number;
  /** 95%: Wilson's for scores of 0 and 1, else a bias-corrected bootstrap. */
  readonly interval: Interval;
  /** In the order of the examples. */
  readonly scores: readonly number[];
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Scores answers in the order of the examples. */
export async function scoreAnswers(
  answers: readonly string[],
  { questions }: TestSet,
  { binary, name, of: score }: Metric,
): Promise<MetricScore> {
  const scores: number[] = [];
  for (const [i, text] of answers.entries()) scores.push(await score(text, questions[i]!.expected));
  const right = scores.filter((score) => score === 1).length;
  const interval = binary ? wilsonInterval(right, scores.length) : bootstrapInterval(scores);
  return { metric: name, score: mean(scores), interval, scores };
}
