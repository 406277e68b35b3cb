/**
 * Whether it worked, at the end of a run: held-out examples asked of the result and of the base, in a bounded share of the run's time. Promises:
 * the share is kept; as many examples as it allows, drawn at random, and how many they are is said; whoever stops the run now has a finished one.
 */
import { basename } from 'node:path';
import { shuffled } from '../batches/order.ts';
import { learntExamples } from '../dataset/divide.ts';
import type { Prepared } from '../dataset/prepared.ts';
import { questionOf, testQuestions } from '../dataset/questions.ts';
import { type AnsweredWithin, askWithin } from '../evaluate/ask-within.ts';
import { type Baseline, majorityAnswer, nearestAnswer } from '../evaluate/baselines.ts';
import { contaminationOf } from '../evaluate/contamination.ts';
import { evaluateAnswers } from '../evaluate/evaluate-answers.ts';
import type { BaselineEvaluation, Evaluation } from '../evaluate/evaluation.ts';
import type { Findings } from '../evaluate/findings.ts';
import { countLook } from '../evaluate/looks.ts';
import { metricOf, suggestMetric } from '../evaluate/metrics/metric.ts';
import { type TestQuestion, type TestSet, testSetOf } from '../evaluate/test-set.ts';
import type { NoticeEvent } from '../events.ts';
import { adapterName } from '../store/hub-cache.ts';
import { countSupervised } from '../tokens/token-row.ts';
import type { VerdictEvent, VerdictScore } from '../verdict-event.ts';
import type { Running } from './load-run.ts';
import type { BeforeAndAfter } from './samples.ts';

/** An answer may be this many times longer than the longest expected one; more of it changes no score. */
const roomForAnswers = 2;
const leastAnswerTokens = 16;
/** Reading the training data, baselines and statistics come after the answers: what they are given of the time. */
const shareForAnswers = 0.8;

/** Held-out examples with an answer, in a random order of the run's seed; none where the setting, or the method, wants none. */
export function verdictQuestions({ questions, settings, validation }: Prepared): readonly TestQuestion[] {
  if (validation.length === 0 || settings.method === 'pretrain' || verdictShareOf(settings) === 0) return [];
  const asked = testQuestions(questions);
  return shuffled(asked.length, settings.seed).map((i) => asked[i]!);
}

/** Runs from before there was a verdict get none. */
const verdictShareOf = ({ verdictShare = 0 }: Prepared['settings']): number => verdictShare;

/** Tokens of an answer at most: of the longest expected one, twice. */
export function mostAnswerTokens({ validation }: Pick<Prepared, 'validation'>): number {
  const longest = validation.reduce((most, { supervised }) => Math.max(most, countSupervised(supervised)), 0);
  return Math.max(leastAnswerTokens, roomForAnswers * longest);
}

/** Seconds that the evaluation may take, by the run's time so far. */
export function verdictSeconds({ meter, opened }: Running): number {
  const share = verdictShareOf(opened.prepared.settings);
  const { seconds, secondsBefore } = meter.measured;
  return ((seconds + secondsBefore) * share) / (1 - share);
}

/** Evaluates and says what came of it, or why nothing did. */
export async function quickVerdict(
  running: Running,
  { after, before }: BeforeAndAfter,
  questions: readonly TestQuestion[],
  budget = verdictSeconds(running),
): Promise<Evaluation | null> {
  const began = performance.now();
  const { journal, opened, signal } = running;
  const share = verdictShareOf(opened.prepared.settings);
  const none = (why: string): null => {
    journal.emit(noVerdict(why));
    return null;
  };
  try {
    const answered = await askWithin([after, before], questions, {
      atOnce: after.atOnce,
      maxTokens: mostAnswerTokens(opened.prepared),
      seconds: shareForAnswers * budget,
      signal,
    });
    const count = answered[0]!.answers.length;
    if (count === 0)
      return none(
        `${budget.toFixed(1)} seconds, ${(100 * share).toFixed(0)}% of the run's time, were too few for any answers`,
      );
    const evaluation = await evaluated(
      running,
      { all: questions, test: testSetOf(questions.slice(0, count)) },
      answered,
    );
    journal.emit(verdictEvent(evaluation, { heldOut: questions.length, seconds: (performance.now() - began) / 1000 }));
    return evaluation;
  } catch (error) {
    return none(signal.aborted ? 'it was stopped' : error instanceof Error ? error.message : String(error));
  }
}

/** Said without a verdict: nothing is missing without a word. */
const noVerdict = (why: string): NoticeEvent => ({
  type: 'notice',
  code: 'no-verdict',
  message: `No verdict on the held-out examples: ${why}. \`evaluate()\` takes the time that it needs.`,
});

/** What the run learnt, or null where its data is not there any more. */
async function learntBy({ opened }: Running): Promise<TestQuestion[] | null> {
  try {
    const examples = await learntExamples(opened.prepared.settings);
    return testQuestions(examples.map((example) => questionOf(example, opened.model)));
  } catch {
    return null;
  }
}

interface Tested {
  readonly all: readonly TestQuestion[];
  /** Those that there was time for. */
  readonly test: TestSet;
}

/** What the result is held against: the base, or the adapter that the run went on from. */
const beforeName = ({ initialAdapter, model }: Prepared['settings']): string =>
  initialAdapter
    ? `the adapter that it went on from, ${adapterName(initialAdapter)}`
    : `the base ${basename(model).replace(/\.gguf$/i, '')}`;

async function evaluated(
  running: Running,
  { all, test }: Tested,
  answered: readonly AnsweredWithin[],
): Promise<Evaluation> {
  const { signal } = running;
  const { settings } = running.opened.prepared;
  const learnt = await learntBy(running);
  const baselines: Baseline[] = [majorityAnswer(test), ...(learnt?.length ? [nearestAnswer(test, learnt)] : [])];
  // All that is held out, in the order of the data: what `evaluate` counts when it is given the file.
  const looks = countLook(testSetOf(testQuestions(running.opened.prepared.questions)).digest);
  const findings: Findings = { looks, ...(learnt ? await contaminationOf(test, learnt, signal) : {}) };
  // What the answers are is seen in all of them: labels come once each in a few.
  const { name, why } = suggestMetric(all.map(({ expected }) => expected));
  const names = [basename(settings.run), beforeName(settings)];
  return evaluateAnswers({
    test,
    metrics: [metricOf(name)],
    suggested: why,
    models: answered.map(({ answers, seconds }, i) => ({
      name: names[i]!,
      answers,
      costs: { seconds, computed: answers.length },
    })),
    baselines,
    findings,
  });
}

/** The evaluation as the event that tells of it. */
function verdictEvent(evaluation: Evaluation, took: Pick<VerdictEvent, 'heldOut' | 'seconds'>): VerdictEvent {
  const { baselines, comparisons, examples, findings, metrics, models, verdict } = evaluation;
  const [trained, base] = models;
  const scoreOf = (
    kind: VerdictScore['kind'],
    { name, results }: Pick<BaselineEvaluation, 'name' | 'results'>,
  ): VerdictScore => ({ name, kind, score: results[0]!.score, interval: results[0]!.interval });
  return {
    type: 'verdict',
    examples,
    ...took,
    metric: metrics[0]!.name,
    scores: [
      scoreOf('trained', trained!),
      scoreOf('base', base!),
      ...baselines.map((each) => scoreOf(each.kind, each)),
    ],
    comparisons: comparisons.map(({ adjustedPValue, difference, interval, second, verdict: outcome }) => ({
      with: second,
      outcome,
      difference,
      interval,
      pValue: adjustedPValue,
    })),
    degenerate: { ...trained!.degenerate },
    trainedOn: findings.trainedOn ?? null,
    nearlyTrainedOn: findings.nearlyTrainedOn?.length ?? null,
    sentences: verdict,
  };
}
