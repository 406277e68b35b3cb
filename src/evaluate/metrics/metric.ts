/** Metrics of single answers by name, and which one a data set asks for. Pure. */
import type { MetricName } from '../../settings/metric-names.ts';
import type { Statistic } from '../statistics/resample-rows.ts';
import type { TestQuestion } from '../test-set.ts';
import { isJson, jsonScore } from './json-fields.ts';
import { macroF1 } from './macro-f1.ts';
import { normalised } from './normalise.ts';
import { bleu, chrF, rougeL, tokenF1 } from './overlap.ts';

/** A score of an answer, 0 to 1, higher is better. */
export interface Metric {
  readonly name: string;
  readonly summary: string;
  /** Whether scores are 0 or 1 only; null: it shows. */
  readonly binary: boolean | null;
  /** A user's own may take its time; some look at more of the question than what is expected. */
  readonly of: (answer: string, expected: string, question?: TestQuestion) => number | Promise<number>;
  /** Where the score is no mean of single ones: that of all answers, or of some of them. */
  readonly together?: (answers: readonly string[], expected: readonly string[]) => Statistic;
}

/** Metrics that need nothing but an answer and what is expected. */
export type ComputedName = Exclude<MetricName, 'regex' | 'label-likelihood' | 'label-likelihood-norm'>;

const percent = 100;
const bit = (holds: boolean): number => (holds ? 1 : 0);

const table: Readonly<Record<ComputedName, Omit<Metric, 'name'>>> = {
  exact: { summary: 'the answer is the expected one, white space at the ends apart', binary: true, of: (answer, expected) => bit(answer.trim() === expected.trim()) },
  normalised: { summary: 'the same without case, punctuation and articles (SQuAD)', binary: true, of: (answer, expected) => bit(normalised(answer) === normalised(expected)) },
  contains: { summary: 'the expected answer stands somewhere in the answer, normalised', binary: true, of: (answer, expected) => bit(normalised(answer).includes(normalised(expected))) },
  'macro-f1': { summary: 'mean of the labels\' F1, white space at the ends apart', binary: false, of: (answer, expected) => bit(answer.trim() === expected.trim()), together: macroF1 },
  json: { summary: 'share of the fields of the expected JSON that the answer has; 0 where it is no JSON', binary: false, of: (answer, expected) => jsonShare(answer, expected) },
  'json-valid': { summary: 'the answer is one JSON value and nothing else', binary: true, of: (answer) => bit(isJson(answer)) },
  'token-f1': { summary: 'F1 of the words (SQuAD)', binary: false, of: tokenF1 },
  'rouge-l': { summary: 'F1 of the longest common subsequence of words', binary: false, of: rougeL },
  chrf: { summary: 'chrF2 of each answer', binary: false, of: (answer, expected) => chrF([[answer, expected]]) / percent },
  bleu: { summary: 'BLEU of each answer', binary: false, of: (answer, expected) => bleu([[answer, expected]], { effectiveOrder: true }) / percent },
}; // biome-ignore format: a table

/** The metric of this name; `patternMetric` makes the one of a pattern. */
export const metricOf = (name: ComputedName): Metric => ({ name, ...table[name] });

function jsonShare(answer: string, expected: string): number {
  const score = jsonScore(answer, expected);
  return score === null || score.fields === 0 ? 0 : score.right / score.fields;
}

/** Labels are few, and each comes several times. */
const mostLabels = 100;
const leastRepeats = 3;
/** Words of an answer that is right or wrong as a whole; longer ones are right in parts. */
const shortWords = 5;

const isObject = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
};

/** The metric that answers such as these ask for, and why. */
export function suggestMetric(expected: readonly string[]): {
  readonly name: ComputedName;
  readonly why: string;
} {
  const labels = new Set(expected.map((text) => text.trim()));
  if (expected.every(isObject)) return { name: 'json', why: 'every expected answer is JSON' };
  if (labels.size <= mostLabels && expected.length >= leastRepeats * labels.size)
    return {
      name: 'exact',
      why: labels.size === 1 ? 'the expected answers are one label' : `the expected answers are ${labels.size} labels`,
    };
  const words = expected.reduce((sum, text) => sum + text.split(/\s+/).length, 0) / expected.length;
  return words <= shortWords
    ? { name: 'normalised', why: `the expected answers are short (${words.toFixed(1)} words)` }
    : { name: 'rouge-l', why: `the expected answers are texts (${words.toFixed(0)} words)` };
}
