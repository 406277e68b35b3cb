/** Which examples are shown, and of what kind each is. Pure. */
import type { Evaluation } from '../../evaluate/evaluation.ts';
import { pairOf } from '../content.ts';

/**
 * Against the model that it is compared with: `lost` where only that one is right (or scored higher), `wrong` where both are wrong, `gained`
 * where only this one is right (or scored higher), `right` where both are. Without another model: wrong or right.
 */
export type Outcome = 'lost' | 'wrong' | 'gained' | 'right';
/** What a reader looks for first comes first. */
export const outcomes: readonly Outcome[] = ['lost', 'wrong', 'gained', 'right'];

/** Answers that a reader looks through. */
export const shownExamples = 20;

/** Of each example, in their order, by the metric that decides. */
export function outcomesOf(evaluation: Evaluation): Outcome[] {
  const { first, rival } = pairOf(evaluation);
  const scores = rival?.results[0]?.scores;
  const isBinary = evaluation.metrics[0]!.binary;
  return first.results[0]!.scores.map((score, i): Outcome => {
    const other = scores ? scores[i]! : score;
    if (score !== other) return score > other ? 'gained' : 'lost';
    return (isBinary ? score === 1 : score >= 1) ? 'right' : 'wrong';
  });
}

/** Places of examples to show: of each kind in turn the next one of the data, until there are enough; in order of kinds, then of the data. */
export function chosenExamples(kinds: readonly Outcome[], most = shownExamples): number[] {
  const queues = outcomes.map((outcome) => kinds.flatMap((kind, i) => (kind === outcome ? [i] : [])));
  const taken = queues.map(() => 0);
  const wanted = Math.min(most, kinds.length);
  for (let total = 0, turn = 0; total < wanted; turn++) {
    const kind = turn % queues.length;
    if (taken[kind]! >= queues[kind]!.length) continue;
    taken[kind]!++;
    total++;
  }
  return queues.flatMap((queue, kind) => queue.slice(0, taken[kind]));
}
