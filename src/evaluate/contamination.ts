/** Test examples that a model was trained on: word for word, and nearly so. Pure. */
import { nearDuplicatesBetween } from '../similarity/near-duplicates.ts';
import type { TestQuestion, TestSet } from './test-set.ts';

/** A test example whose prompt is nearly one of the training data. */
export interface NearlyTrained {
  /** Place of the test example, from 0. */
  readonly example: number;
  /** The training prompt that is most like it. */
  readonly similar: string;
  /** Weighted Jaccard index of the words of both, up to 1. */
  readonly similarity: number;
}

/** What was trained on already. */
export interface Contamination {
  /** Examples whose prompt stands in the training data. */
  readonly trainedOn: number;
  /** The others whose prompt is nearly one of the training data. */
  readonly nearlyTrainedOn: readonly NearlyTrained[];
}

/** All that a user says in a question; system prompts and earlier answers are the same in many. */
export function userText({ ask }: TestQuestion): string {
  if ('prompt' in ask) return ask.prompt;
  return ask.messages
    .filter(({ role }) => role === 'user')
    .map(({ content }) => content ?? '')
    .join('\n');
}

/** Looks for the test examples among the training examples. Rejects with the reason of `signal`. */
export async function contaminationOf(
  { questions }: TestSet,
  learnt: readonly TestQuestion[],
  signal?: AbortSignal,
): Promise<Contamination> {
  const texts = questions.map(userText);
  const learntTexts = [...new Set(learnt.map(userText))];
  const known = new Set(learntTexts);
  const isNew = texts.map((text) => !known.has(text));
  const near = await nearDuplicatesBetween(texts, learntTexts, signal ? { signal } : {});
  return {
    trainedOn: isNew.filter((each) => !each).length,
    nearlyTrainedOn: near
      .filter(({ index }) => isNew[index])
      .map(({ index, of, similarity }) => ({ example: index, similar: learntTexts[of]!, similarity })),
  };
}
