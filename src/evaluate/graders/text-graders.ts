/**
 * Graders of OpenAI's evals that look at texts alone, as metrics. What OpenAI computes by a library that is named is computed as that library does;
 * what needs a model of words, or is not said, is refused. Pure.
 */
import { NomoatError } from '../../errors.ts';
import type { Metric } from '../metrics/metric.ts';
import { normalised } from '../metrics/normalise.ts';
import { bleu, characterRatio, rougeL, rougeN } from '../metrics/overlap.ts';
import type { TestQuestion } from '../test-set.ts';
import type { StringCheck, TextSimilarity } from './definition.ts';
import { filled } from './template.ts';

const operations: Readonly<Record<StringCheck['operation'], (text: string, reference: string) => boolean>> = {
  eq: (text, reference) => text === reference,
  ne: (text, reference) => text !== reference,
  like: (text, reference) => text.includes(reference),
  ilike: (text, reference) => text.toLowerCase().includes(reference.toLowerCase()),
};

const percent = 100;
const mostWords = 5;
const similarities: Readonly<Record<string, (text: string, reference: string) => number>> = {
  fuzzy_match: characterRatio,
  bleu: (text, reference) => bleu([[text, reference]], { effectiveOrder: true }) / percent,
  rouge_l: rougeL,
  ...Object.fromEntries(
    Array.from({ length: mostWords }, (_, i) => [
      `rouge_${i + 1}`,
      (text: string, reference: string) => rougeN(text, reference, i + 1),
    ]),
  ),
};

/** Both texts of a grader, filled in with an example and its answer. */
const both = (
  { input, reference }: { readonly input: string; readonly reference: string },
  answer: string,
  question: TestQuestion | undefined,
): [string, string] => {
  const values = { item: question?.item ?? {}, sample: { output_text: answer } };
  return [filled(input, values), filled(reference, values)];
};

/** `string_check`: right or wrong. */
export const stringCheckMetric = (name: string, grader: StringCheck): Metric => ({
  name,
  summary: `string_check of OpenAI's evals: ${grader.operation}`,
  binary: true,
  of: (answer, _, question) => Number(operations[grader.operation](...both(grader, answer, question))),
});

/** `text_similarity`: whether it reaches the threshold, or how alike they are where there is none. Throws NomoatError for a measure that is not computed here. */
export function textSimilarityMetric(name: string, grader: TextSimilarity): Metric {
  const { evaluation_metric: by, pass_threshold: least } = grader;
  const similarity = Object.hasOwn(similarities, by) ? similarities[by]! : null;
  if (similarity === null)
    throw new NomoatError({
      code: 'invalid-settings',
      part: `the grader ${name}`,
      fault: `compares texts by ${by}, which is not computed here`,
      remedy: `Take one of ${Object.keys(similarities).join(', ')}.`,
    });
  return {
    name,
    summary: `text_similarity of OpenAI's evals: ${by}${least == null ? '' : `, at least ${least}`}`,
    binary: least == null ? false : true,
    of: (answer, _, question) => {
      const score = similarity(...both(grader, answer, question));
      return least == null ? score : Number(score >= least);
    },
  };
}

/** What a sample of the registry expects: one text, or any of several. */
const ideals = (question: TestQuestion | undefined): string[] => [question?.item?.['ideal'] ?? []].flat().map(String);

const sameJson = (a: string, b: string): boolean => {
  const canonical = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(canonical)
      : typeof value === 'object' && value !== null
        ? Object.entries(value)
            .sort(([x], [y]) => (x < y ? -1 : 1))
            .map(([key, each]) => [key, canonical(each)])
        : value;
  try {
    return JSON.stringify(canonical(JSON.parse(a))) === JSON.stringify(canonical(JSON.parse(b)));
  } catch {
    return false;
  }
};

/** The registry's classes that compare texts: https://github.com/openai/evals/blob/main/docs/eval-templates.md */
const classes: Readonly<Record<string, (answer: string, ideal: string) => boolean>> = {
  Match: (answer, ideal) => answer.startsWith(ideal),
  Includes: (answer, ideal) => answer.includes(ideal),
  FuzzyMatch: (answer, ideal) => {
    const [given, wanted] = [normalised(answer), normalised(ideal)];
    return given === '' || wanted === '' ? given === wanted : given.includes(wanted) || wanted.includes(given);
  },
  JsonMatch: sameJson,
};

/** A class of the registry as a metric; null where it is another one. */
export function registryMetric(type: string): Metric | null {
  const holds = Object.hasOwn(classes, type) ? classes[type]! : null;
  return (
    holds && {
      name: type,
      summary: `${type} of OpenAI's evals`,
      binary: true,
      of: (answer, _, question) => Number(ideals(question).some((ideal) => holds(answer.trim(), ideal))),
    }
  );
}
