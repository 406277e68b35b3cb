import type { RecordSource } from '../text/example.ts';

/**
 * One example as tokens with its loss mask. Pure.
 *
 * `supervised[t]` is 1 where token t itself is a target: position t-1 predicts it. `supervised[0]` is always 0,
 * since nothing predicts the first token of a row.
 */
export interface TokenRow {
  /** [T] token ids. */
  readonly tokens: Int32Array;
  /** [T] 0 or 1. */
  readonly supervised: Uint8Array;
  /** [T] what a supervised token's loss counts, not negative; absent: 1 each. */
  readonly weights?: Float32Array;
  /** Another answer to the same prompt, which this row's answer is preferred to. */
  readonly rejected?: Answer;
  /** What the loss of a pair, or of an answer with a label, counts beside those of other rows; absent: 1. */
  readonly weight?: number;
  /** Whether the row's answer was found good, where answers are labelled one by one. */
  readonly label?: boolean;
  readonly source: RecordSource;
}

/** Tokens of the row, or of the longer answer of a pair. */
export const rowLength = ({ rejected, tokens }: Pick<TokenRow, 'tokens' | 'rejected'>): number =>
  Math.max(tokens.length, rejected?.tokens.length ?? 0);

/** A row without its record: tokens and mask as in TokenRow. */
export type Answer = Pick<TokenRow, 'tokens' | 'supervised'>;

/** Tokens of a loss mask that are learnt. */
export function countSupervised(mask: ArrayLike<number>): number {
  let count = 0;
  for (let t = 0; t < mask.length; t++) count += mask[t]!;
  return count;
}

/** What a model thinks of a row. */
export interface RowLogProbabilities {
  /** ln p of each supervised token of the row, in order. */
  readonly logProbabilities: Float32Array;
  /** 1 where that token is also the most likely one: all 1 means that greedy generation gives the row's answer. */
  readonly mostLikely: Uint8Array;
}
