/** Labels scored by likelihood: of all candidate answers to a question, the likeliest is the model's choice. Pure. */
import type { ScoreRow } from '../../chat/score-row.ts';
import type { Metric } from '../metrics/metric.ts';
import type { TestQuestion } from '../test-set.ts';
import { type Calibration, calibrationOf, largest, softmax } from './calibration.ts';

const isExpected: Metric['of'] = (answer, expected) => Number(answer.trim() === expected.trim());

/** The metrics of choices by likelihood. Baselines, which hold nothing likely, are scored by their answers. */
export const labelMetrics: readonly Metric[] = [
  {
    name: 'label-likelihood',
    summary: 'of all labels, the likeliest answer is the expected one',
    binary: true,
    of: isExpected,
  },
  {
    name: 'label-likelihood-norm',
    summary: 'the same, each log-probability divided by the characters of its label, as acc_norm',
    binary: true,
    of: isExpected,
  },
];

/** More candidates would take longer than generating an answer. */
export const mostCandidates = 200;

/** The labels of a test set, in the order in which they come. */
export const candidatesOf = (questions: readonly TestQuestion[]): string[] => [
  ...new Set(questions.map(({ expected }) => expected)),
];

/** A question with an answer, as a row to score. */
export const rowOf = ({ ask }: TestQuestion, answer: string): ScoreRow =>
  'messages' in ask ? { messages: ask.messages, answer } : { prompt: ask.prompt, answer };

/** What a model's likelihoods chose. */
export interface LabelChoices {
  /** By metric, in the order of the examples. */
  readonly scores: Readonly<Record<string, readonly number[]>>;
  /** The likeliest label of each. */
  readonly chosen: readonly string[];
  readonly calibration: Calibration;
}

/** `logProbabilities[i][k]` is of candidate k as the answer to question i, nats. */
export function labelChoices(
  questions: readonly TestQuestion[],
  candidates: readonly string[],
  logProbabilities: readonly (readonly number[])[],
): LabelChoices {
  const right = questions.map(({ expected }) => candidates.indexOf(expected));
  const plain = logProbabilities.map(largest);
  const normal = logProbabilities.map((logs) =>
    largest(logs.map((log, k) => log / Math.max(1, [...candidates[k]!].length))),
  );
  const scoresOf = (choices: readonly number[]): number[] => choices.map((choice, i) => Number(choice === right[i]));
  return {
    scores: { 'label-likelihood': scoresOf(plain), 'label-likelihood-norm': scoresOf(normal) },
    chosen: plain.map((choice) => candidates[choice]!),
    calibration: calibrationOf(logProbabilities.map((logs, i) => ({ probabilities: softmax(logs), right: right[i]! }))),
  };
}
