import type { TokenRow } from '../tokens/token-row.ts';

/**
 * A segment that is a beginning and two answers to it: rows of the first, [first, second), and of the second, [second, end), which do not see
 * each other. Positions of both go on from the beginning's, so that each answer's results are as if it stood behind the beginning alone.
 */
export interface Fork {
  readonly first: number;
  readonly second: number;
  readonly end: number;
}

/**
 * One micro-batch as the model sees it: all its tokens in one flat row of N, block-diagonal by segment. Pure type.
 *
 * Attention never crosses a segment boundary, but to a prefix, and is causal inside one; positions restart at each segment. So the result is
 * that of each conversation alone and padding costs nothing. What all conversations begin with may stand there once (`prefix`). A padded (unpacked) batch is the same thing with its padding
 * tokens as segments of their own, unsupervised.
 */
export interface PackedBatch {
  /** Segments in which two answers share their beginning; absent: none. Not together with a prefix. */
  readonly forks?: readonly Fork[];
  /** [N] token ids, padding included where there is any. */
  readonly tokens: Int32Array;
  /** [N] position inside the segment, from 0, or from the prefix's length in those that go on from one. */
  readonly positions: Int32Array;
  /**
   * Rows of the first segment where every other segment goes on from its end: their tokens see those rows and their positions count from
   * there. Absent or 0: every segment stands for itself.
   */
  readonly prefix?: number;
  /** Start of each segment, ascending, beginning with 0, and N as its last element: segment i is [starts[i], starts[i+1]). */
  readonly segmentStarts: Int32Array;
  /** [N] 1 where token n is a target that position n-1 (of the same segment) predicts. */
  readonly supervised: Uint8Array;
  /** The rows that it was packed of, in order; supervised tokens of a pair are those of its preferred answer, then the other's. */
  readonly rows?: readonly TokenRow[];
  /** [N] what a supervised token's loss counts, not negative; absent: 1 each. */
  readonly weights?: Float32Array;
  /** Tokens of the conversations, padding excluded; those of a prefix count in each of them. */
  readonly realTokens: number;
  readonly supervisedTokens: number;
}

/** What the supervised tokens of micro-batches count together: the loss is the sum of their losses by their weights, over this. */
export function totalWeight(batches: readonly PackedBatch[]): number {
  let sum = 0;
  for (const { supervised, supervisedTokens, weights } of batches) {
    if (!weights) sum += supervisedTokens;
    else for (let n = 0; n < weights.length; n++) sum += supervised[n]! * weights[n]!;
  }
  return sum;
}
