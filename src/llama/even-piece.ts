/**
 * Which sequences are evaluated next, and how many tokens of each, where none waits for an answer. Promises: what is chosen is one piece of work for
 * llama.cpp, which computes together only sequences whose numbers follow each other, and equally many tokens of each (`split_equal`); other
 * batches it takes apart, and each part costs a pass through the graph whose threads wait for each other. Pure.
 */

/** A sequence that has tokens to evaluate. */
export interface Waiting {
  /** The sequence's number, or anything that grows with it by one. */
  readonly order: number;
  /** Tokens to evaluate, one or more. */
  readonly left: number;
}

/** Of the sequences from `first` to `last` (places in what was given), so many tokens each. */
export interface EvenPiece {
  readonly first: number;
  readonly last: number;
  readonly each: number;
}

/** What a piece may have: tokens of one sequence, and of all together. */
export interface PieceBounds {
  readonly each: number;
  readonly together: number;
}

/** The piece of the most tokens (the largest rectangle below a row of columns), the first of equal ones; `waiting` is in the order of the sequences, at least one. */
export function largestPiece(waiting: readonly Waiting[], { each: mostEach, together }: PieceBounds): EvenPiece {
  let best = { first: 0, last: 0, each: 0, tokens: 0 };
  for (let first = 0; first < waiting.length; first++) {
    let lowest = mostEach;
    for (let last = first; last < waiting.length; last++) {
      const { left, order } = waiting[last]!;
      if (last > first && order !== waiting[last - 1]!.order + 1) break;
      lowest = Math.min(lowest, left);
      const count = last - first + 1;
      const each = Math.min(lowest, Math.floor(together / count));
      if (each * count > best.tokens) best = { first, last, each, tokens: each * count };
    }
  }
  const { first, last, each } = best;
  return { first, last, each };
}
