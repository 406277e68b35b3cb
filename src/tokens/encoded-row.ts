/** Examples as tokens before any cutting, and how they are cut. Pure types. */
import type { RecordSource } from '../text/example.ts';
import type { TooLong } from './cut.ts';
import type { Encoded, Refused } from './encode-example.ts';
import type { TokenFacts } from './tokenizer.ts';

export interface CutOptions {
  readonly tokenizer: TokenFacts;
  /** Longest row in tokens. */
  readonly sequenceLength: number;
  readonly tooLong: TooLong;
}

/** An example's tokens before any cutting, or why there are none. */
export interface EncodedRow {
  readonly source: RecordSource;
  readonly encoded: EncodedAnswer;
  /** Of a pair the other answer, behind the same prompt. */
  readonly rejected?: EncodedAnswer;
  readonly label?: boolean;
  /** What the record's loss counts beside others'; absent: 1. */
  readonly weight?: number;
}

export type EncodedAnswer = Refused | (Omit<Encoded, 'sequences'> & { readonly sequences: readonly CompactSequence[] });

/** A sequence in a fifth of the memory. */
export interface CompactSequence {
  readonly tokens: Int32Array;
  readonly supervised: Uint8Array;
  /** What the loss of each token counts; absent: 1 each. */
  readonly weights?: Float32Array;
}
