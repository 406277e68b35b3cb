/** Answers that no user would want. Pure. */
import type { TestAnswer } from './ask.ts';

/** A text's last words again and again: this many of the same in a row. */
const repeats = 4;
const longestLoop = 8;

function loops(text: string): boolean {
  const words = text.split(/\s+/).filter(Boolean);
  for (let size = 1; size <= longestLoop; size++) {
    const tail = words.slice(-size * repeats);
    if (tail.length === size * repeats && tail.every((word, i) => word === tail[i % size])) return true;
  }
  return false;
}

/** Answers that no user would want, by kind. */
export interface Degenerate {
  readonly empty: number;
  /** Cut at the most tokens. */
  readonly unended: number;
  /** The same words again and again at the end. */
  readonly repeating: number;
}

/** Counts them. */
export function degenerateOf(answers: readonly TestAnswer[]): Degenerate {
  const count = (is: (answer: TestAnswer) => boolean): number => answers.filter(is).length;
  return {
    empty: count(({ text }) => text.trim() === ''),
    unended: count(({ ended }) => !ended),
    repeating: count(({ text }) => loops(text)),
  };
}
