/** What somebody without training would have answered. A new baseline is a kind, and answers in the order of the examples, given to `evaluateAnswers`. Pure. */
import { TextIndex } from '../similarity/text-index.ts';
import { userText } from './contamination.ts';
import type { TestQuestion, TestSet } from './test-set.ts';

/**
 * majority: always the answer that is expected most often; nearest: that of the training example whose prompt is most like the question; few-shot: the base's,
 * with training examples in its prompt.
 */
export type BaselineKind = 'majority' | 'nearest' | 'few-shot';

/** A baseline's answers: metrics score them as they score a model's. */
export interface Baseline {
  /** As sentences call it. */
  readonly name: string;
  readonly kind: BaselineKind;
  /** In the order of the examples. */
  readonly answers: readonly string[];
}

/** Who always gives the answer that is expected most often. */
export function majorityAnswer({ questions }: TestSet): Baseline {
  const counts = new Map<string, number>();
  for (const { expected } of questions) counts.set(expected, (counts.get(expected) ?? 0) + 1);
  const [answer = ''] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
  return { name: 'the most frequent answer', kind: 'majority', answers: questions.map(() => answer) };
}

/** Who looks up the training example whose prompt shares most with the question (BM25), and gives its answer; nothing where none shares a word. */
export function nearestAnswer({ questions }: TestSet, learnt: readonly TestQuestion[]): Baseline {
  const index = new TextIndex(learnt.map(userText));
  const answers = questions.map((question) => {
    const [nearest] = index.nearest(userText(question), 1);
    return nearest ? learnt[nearest.index]!.expected : '';
  });
  return { name: 'the answer of the most similar training example', kind: 'nearest', answers };
}
