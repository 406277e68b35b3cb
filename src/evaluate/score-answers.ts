/** How a metric scores somebody's answers, with the interval of their mean. Pure. */
import type { Metric } from './metrics/metric.ts';
import { clusteredWilson } from './statistics/clusters.ts';
import { meanInterval } from './statistics/mean-interval.ts';
import { type Interval, wilsonInterval } from './statistics/proportions.ts';
import { bootstrapStatistic } from './statistics/resample-rows.ts';
import { type BySeed, seededMean, seedVariance } from './statistics/seeds.ts';
import { mean, sum } from './statistics/sums.ts';
import type { TestSet } from './test-set.ts';

/** How one metric scored somebody's answers. */
export interface MetricScore {
  readonly metric: string;
  /** Mean score, 0 to 1; of metrics such as macro F1, that of all answers together. */
  readonly score: number;
  /** 95%: Wilson's for scores of 0 and 1 (of clusters, as if there were fewer), else the wider of Student's and a bias-corrected bootstrap; of repeats Student's, with the noise of seeds in it. */
  readonly interval: Interval;
  /** In the order of the examples; where there are several answers, their means. */
  readonly scores: readonly number[];
  /** Where several were drawn, and each is right or wrong: how many of an example's are right; else null. */
  readonly right: readonly number[] | null;
  /** Of repeats of a training with other seeds; null where there is one. */
  readonly seeds: SeedScores | null;
}

/** How repeats of a training scored. */
export interface SeedScores {
  /** Mean score of each repeat. */
  readonly means: readonly number[];
  /** Standard deviation between repeats, what chance in these examples gives them taken off. */
  readonly deviation: number;
  /** Scores of each repeat, in the order of the examples. */
  readonly scores: readonly (readonly number[])[];
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
    for (const [i, text] of answers.entries()) own.push(await score(text, questions[i]!.expected, questions[i]!));
    scores.push(own);
  }
  return scores;
}

/** Several answers to each question: drawn by one model, or one of each repeat of a training. */
export interface Draws {
  readonly answers: readonly (readonly string[])[];
  readonly of: 'samples' | 'seeds';
}

/** 95%, of an example's scores. */
function intervalOf(metric: Metric, scores: readonly number[], { clusters }: TestSet): Interval {
  if (!isBinary(metric, [{ scores }])) return meanInterval(scores, clusters?.names);
  return clusters ? clusteredWilson(scores, clusters.names) : wilsonInterval(sum(scores), scores.length);
}

/**
 * Scores answers in the order of the examples: of one draw, or of several, whose mean is an example's score then. `given` are scores of
 * likelihoods, which answers do not show, of each repeat.
 */
export async function scoreAnswers(
  { answers: draws, of: kind }: Draws,
  test: TestSet,
  metric: Metric,
  given: BySeed = [],
): Promise<MetricScore> {
  const { name, together } = metric;
  const { clusters, questions } = test;
  const each = given.length > 0 ? given : await scoresOf(draws, test, metric);
  const sums = questions.map((_, i) => sum(each.map((own) => own[i]!)));
  const scores = sums.map((all) => all / each.length);
  const several = each.length > 1 ? kind : null;
  const right =
    several === 'samples' &&
    isBinary(
      metric,
      each.map((own) => ({ scores: own })),
    )
      ? sums
      : null;
  const found = { metric: name, scores, right, seeds: null };
  if (together) {
    const statistic = together(
      draws[0]!,
      questions.map(({ expected }) => expected),
    );
    const grouped = clusters ? { clusters: clusters.names } : {};
    return {
      ...found,
      score: statistic([...scores.keys()]),
      interval: bounded(bootstrapStatistic(statistic, scores.length, grouped)),
    };
  }
  const score = mean(scores);
  if (several !== 'seeds') return { ...found, score, interval: bounded(intervalOf(metric, scores, test)) };
  const variance = seedVariance(each, clusters?.names);
  const { interval } = seededMean(scores, [{ count: each.length, variance }], clusters?.names);
  const seeds = { means: each.map(mean), deviation: Math.sqrt(variance), scores: each };
  return { ...found, score, interval: bounded(interval), seeds };
}
