import type { RecordSource } from '../text/example.ts';

/**
 * One example as tokens with its loss mask. Pure type.
 *
 * `supervised[t]` is 1 where token t itself is a target: position t-1 predicts it. `supervised[0]` is always 0,
 * since nothing predicts the first token of a row.
 */
export interface TokenRow {
  /** [T] token ids. */
  readonly tokens: Int32Array;
  /** [T] 0 or 1. */
  readonly supervised: Uint8Array;
  readonly source: RecordSource;
}

/** What a model thinks of a row. */
export interface RowLogProbabilities {
  /** ln p of each supervised token of the row, in order. */
  readonly logProbabilities: Float32Array;
  /** 1 where that token is also the most likely one: all 1 means that greedy generation gives the row's answer. */
  readonly mostLikely: Uint8Array;
}
