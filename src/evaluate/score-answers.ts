/** How a metric scores somebody's answers, with the interval of their mean. Pure. */
import type { Metric } from './metrics/metric.ts';
import { clusteredWilson } from './statistics/clusters.ts';
import { meanInterval } from './statistics/mean-interval.ts';
import { type Interval, wilsonInterval } from './statistics/proportions.ts';
import { bootstrapStatistic, meanOf, pseudoValues } from './statistics/resample-rows.ts';
import { type BySeed, meanOverSeeds, seededMean, seedVariance } from './statistics/seeds.ts';
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
  /**
   * Scores of each repeat, in the order of the examples (means, where several answers were drawn); of metrics such as macro F1 pseudo-values of each
   * example, or cluster of them, which show how much of the figure hangs on it.
   */
  readonly scores: readonly (readonly number[])[];
  /** Answers of each repeat to each question. */
  readonly draws: number;
  /** Where there are several, and each is right or wrong: how many of an example's are right, of each repeat; else null. */
  readonly right: readonly (readonly number[])[] | null;
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

/** Several answers to each question: drawn by one model, or by each repeat of a training. */
export interface Draws {
  readonly answers: readonly (readonly string[])[];
  readonly of: 'samples' | 'seeds';
  /** Of repeats, how many draws in a row are one repeat's (1 without). */
  readonly draws?: number;
}

/** What each repeat has of a list of all its draws. */
const byRepeat = <T>(all: readonly T[], draws: number): T[][] =>
  Array.from({ length: all.length / draws }, (_, repeat) => all.slice(repeat * draws, (repeat + 1) * draws));

/** Of each example, over draws. */
const sumsOf = (draws: readonly (readonly number[])[]): number[] =>
  draws[0]!.map((_, i) => sum(draws.map((own) => own[i]!)));

/** 95%, of an example's scores. */
function intervalOf(metric: Metric, scores: readonly number[], { clusters }: TestSet): Interval {
  if (!isBinary(metric, [{ scores }])) return meanInterval(scores, clusters?.names);
  return clusters ? clusteredWilson(scores, clusters.names) : wilsonInterval(sum(scores), scores.length);
}

/** What repeats come to: `values` are those of each repeat, whose means over repeats the interval is of; `means` their figures. */
function overRepeats(values: BySeed, means: readonly number[], clusters?: readonly string[]) {
  const variance = seedVariance(values, clusters);
  const score = mean(means);
  const repeats = [{ count: values.length, variance }];
  const { interval } = seededMean(meanOverSeeds(values), repeats, { clusters, centre: score });
  const seeds = { means, deviation: Math.sqrt(variance), scores: values };
  return { score, interval: bounded(interval), seeds };
}

/** A figure of all answers together: of several draws, and of repeats, the mean of theirs. */
function scoreTogether(
  { answers, draws = 1, of: kind }: Draws,
  { clusters, questions }: TestSet,
  together: NonNullable<Metric['together']>,
): Pick<MetricScore, 'score' | 'interval' | 'seeds'> {
  const expected = questions.map((question) => question.expected);
  const rows = [...questions.keys()];
  const figures = answers.map((own) => together(own, expected));
  if (kind === 'seeds' && answers.length > draws) {
    const statistics = byRepeat(figures, draws).map(meanOf);
    const values = statistics.map((statistic) => pseudoValues(statistic, rows.length, clusters?.names));
    const found = overRepeats(
      values,
      statistics.map((statistic) => statistic(rows)),
    );
    return { ...found, seeds: { ...found.seeds, draws, right: null } };
  }
  const statistic = meanOf(figures);
  const grouped = clusters ? { clusters: clusters.names } : {};
  return {
    score: statistic(rows),
    interval: bounded(bootstrapStatistic(statistic, rows.length, grouped)),
    seeds: null,
  };
}

/**
 * Scores answers in the order of the examples: of one draw, or of several, whose mean is an example's score then. `likelihoods` are scores
 * by likelihood, which answers do not show, of each repeat.
 */
export async function scoreAnswers(
  given: Draws,
  test: TestSet,
  metric: Metric,
  likelihoods: BySeed = [],
): Promise<MetricScore> {
  const { answers, draws = 1, of: kind } = given;
  const { name, together } = metric;
  const each = likelihoods.length > 0 ? likelihoods : await scoresOf(answers, test, metric);
  const sums = sumsOf(each);
  const scores = sums.map((all) => all / each.length);
  const binary = isBinary(
    metric,
    each.map((own) => ({ scores: own })),
  );
  const right = each.length > 1 && kind === 'samples' && binary ? sums : null;
  const found = { metric: name, scores, right };
  if (together) return { ...found, ...scoreTogether(given, test, together) };
  const repeats = likelihoods.length > 0 ? likelihoods.map((own) => [own]) : byRepeat(each, draws);
  if (kind === 'seeds' && repeats.length > 1) {
    const bySeed = repeats.map((own) => sumsOf(own).map((all) => all / own.length));
    const over = overRepeats(bySeed, bySeed.map(mean), test.clusters?.names);
    const counts = repeats[0]!.length > 1 && binary ? repeats.map(sumsOf) : null;
    return { ...found, ...over, seeds: { ...over.seeds, draws, right: counts } };
  }
  return { ...found, score: mean(scores), interval: bounded(intervalOf(metric, scores, test)), seeds: null };
}
