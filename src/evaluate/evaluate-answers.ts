/**
 * Answers of models and baselines to a test set, scored, compared and put into words. Promises: it resolves no names and opens no models; whoever
 * has asked (`evaluate`, the end of a run) hands in the answers, and gets the same `Evaluation`.
 */
import type { TestAnswer } from './ask.ts';
import type { Baseline } from './baselines.ts';
import { doubtsOf } from './checks.ts';
import { compareAll, tiesOf } from './compare.ts';
import { degenerateOf } from './degenerate.ts';
import {
  type BaselineEvaluation,
  type Costs,
  type Evaluation,
  evaluationVersion,
  type Measured,
  type ModelEvaluation,
} from './evaluation.ts';
import type { Findings } from './findings.ts';
import type { Judgement } from './judge.ts';
import type { Calibration } from './likelihood/calibration.ts';
import { type ExampleLoss, lossReport } from './likelihood/loss.ts';
import { jsonReport } from './metrics/json-fields.ts';
import { labelReport } from './metrics/labels.ts';
import { type Metric, suggestMetric } from './metrics/metric.ts';
import { type Passes, passesOf } from './passes.ts';
import { type Draws, isBinary, type MetricScore, scoreAnswers } from './score-answers.ts';
import { promptOf, type TestSet, unitsOf } from './test-set.ts';
import { verdictOf } from './verdict.ts';

/** What metrics that score likelihoods found of one model. */
export interface Likelihoods {
  /** By metric, in the order of the examples. */
  readonly scores: Readonly<Record<string, readonly number[]>>;
  /** Of choices; null where texts are answered. */
  readonly calibration: Calibration | null;
}

/** What a model answered, in the order of the examples. */
export interface Answered {
  readonly name: string;
  readonly answers: readonly TestAnswer[];
  /** Where several were drawn to each question: all of them, one list a draw; `answers` is the first draw. */
  readonly samples?: readonly (readonly TestAnswer[])[];
  /** Of repeats of a training with other seeds: all their answers, of each repeat one list a draw; `answers` is the first one's first. */
  readonly seeds?: readonly (readonly (readonly TestAnswer[])[])[];
  readonly costs: Costs;
  /** Of metrics that score likelihoods instead of answers: those of the model, or of each repeat. */
  readonly given?: readonly Likelihoods[];
  /** What the expected answers cost the model, in the order of the examples, where it was measured. */
  readonly losses?: readonly ExampleLoss[];
}

/** Everything that an evaluation is made of. */
export interface AnswersGiven {
  readonly test: TestSet;
  /** At least one; the first one decides. */
  readonly metrics: readonly Metric[];
  /** Why the metric was taken; null where it was given. */
  readonly suggested: string | null;
  /** At least one: the one that is evaluated, then those that it is compared with. */
  readonly models: readonly Answered[];
  readonly baselines: readonly Baseline[];
  readonly findings: Findings;
  /** Of a judge, where one was asked. */
  readonly judgements?: readonly Judgement[];
}

/** By every metric, in their order; `likelihoods` are those of each draw. */
const resultsOf = (
  draws: Draws,
  { metrics, test }: AnswersGiven,
  likelihoods: readonly Likelihoods[] = [],
): Promise<MetricScore[]> =>
  Promise.all(
    metrics.map((metric) =>
      scoreAnswers(
        draws,
        test,
        metric,
        likelihoods.flatMap(({ scores }) => {
          const own = scores[metric.name];
          return own ? [own] : [];
        }),
      ),
    ),
  );

async function modelEvaluation(
  { answers, costs, given: likelihoods, name, samples = [answers], seeds }: Answered,
  given: AnswersGiven,
): Promise<ModelEvaluation> {
  const texts = answers.map(({ text }) => text);
  const all = seeds?.flat() ?? samples;
  const draws = seeds?.[0]?.length ?? 1;
  const expected = given.test.questions.map((question) => question.expected.trim());
  const areLabels =
    given.metrics.some((metric) => metric.name === 'exact' || metric.name === 'macro-f1') &&
    suggestMetric(expected).name === 'exact';
  const results = await resultsOf(
    { answers: all.map((draw) => draw.map(({ text }) => text)), of: seeds ? 'seeds' : 'samples', draws },
    given,
    likelihoods,
  );
  return {
    name,
    results,
    passes: passesIn(results, seeds ? draws : samples.length, given.test),
    degenerate: degenerateOf(
      all.flat(),
      all.flatMap(() => given.test.questions),
      await import('../text/text-language.ts'),
    ),
    labels: areLabels
      ? labelReport(
          texts.map((text) => text.trim()),
          expected,
        )
      : null,
    json: given.metrics.some(({ name }) => name.startsWith('json')) ? jsonReport(texts, expected) : null,
    calibration: likelihoods?.[0]?.calibration ?? null,
    answers: texts,
    samples: samples.length > 1 ? texts.map((_, i) => samples.map((draw) => draw[i]!.text)) : null,
    costs,
  };
}

const baselineEvaluation = async (
  { answers, kind, name }: Baseline,
  given: AnswersGiven,
): Promise<BaselineEvaluation> => ({
  name,
  kind,
  results: await resultsOf({ answers: [answers], of: 'samples' }, given),
  answers,
});

/** pass@k and pass^k by the metrics that say right or wrong; null where one answer was drawn. */
function passesIn(results: readonly MetricScore[], samples: number, test: TestSet): Passes[] | null {
  if (samples === 1) return null;
  return results.flatMap(({ metric, right, seeds }) => {
    const counts = seeds?.right ?? (right ? [right] : null);
    return counts ? [passesOf(metric, counts, samples, test)] : [];
  });
}

/** The evaluation of these answers. */
export async function evaluateAnswers(given: AnswersGiven): Promise<Evaluation> {
  const { findings, metrics, suggested, test } = given;
  const models = await Promise.all(given.models.map((model) => modelEvaluation(model, given)));
  const baselines = await Promise.all(given.baselines.map((baseline) => baselineEvaluation(baseline, given)));
  const compared = { models, baselines, metrics, test };
  const measured: Measured = {
    version: evaluationVersion,
    examples: test.questions.length,
    skipped: test.skipped,
    metrics: metrics.map(({ name, summary }, i) => ({
      name,
      summary,
      binary: isBinary(
        metrics[i]!,
        [...models, ...baselines].map(({ results }) => results[i]!),
      ),
    })),
    suggested,
    questions: test.questions.map((question) => ({ prompt: promptOf(question), expected: question.expected })),
    models,
    baselines,
    clusters: test.clusters && { by: test.clusters.by, count: unitsOf(test) },
    comparisons: compareAll(compared),
    ties: tiesOf(compared),
    losses: lossReport(given.models, test),
    judgements: given.judgements ?? [],
    findings,
  };
  const doubts = doubtsOf(measured);
  return { ...measured, doubts, verdict: verdictOf(measured, doubts) };
}
