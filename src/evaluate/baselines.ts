/** What somebody without training would have answered. A new baseline is a kind, and answers in the order of the examples, given to `evaluateAnswers`. Pure. */
import type { TestSet } from './test-set.ts';

/** majority: always the answer that is expected most often. */
export type BaselineKind = 'majority';

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
