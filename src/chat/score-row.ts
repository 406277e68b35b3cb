/** What is scored of many rows at once: how likely a model holds what follows a prompt. Types alone. */
import type { Message } from '../text/example.ts';

/**
 * A prompt, and what is to follow it. An `answer` is taken as training takes it: in the chat template, with the end of its turn; with a
 * `prompt` beside it as `tune` takes a prompt and its completion. A `continuation` is taken as it stands: prompt and continuation are one
 * text, of which the tokens behind the prompt's are scored, and white space at the prompt's end counts to the continuation, as
 * lm-evaluation-harness has it; behind the ids of tokens, a continuation may be ids too.
 */
export type ScoreRow =
  | { readonly messages: readonly Message[]; readonly answer: string }
  | { readonly prompt: string; readonly answer: string }
  | { readonly prompt: string | readonly number[]; readonly continuation: string }
  | { readonly prompt: readonly number[]; readonly continuation: readonly number[] };

/** How likely a model holds what follows a row's prompt. */
export interface RowScore {
  /** ln p of all of it, nats. */
  readonly logProbability: number;
  /** Of each of its tokens, in order. */
  readonly logProbabilities: readonly number[];
  /** Whether each of its tokens is the likeliest one there: then temperature 0 gives it. */
  readonly mostLikely: boolean;
}

/** How rows are scored. */
export interface ScoreRowsOptions {
  /** Stops it: it rejects with kind `interrupted`. */
  readonly signal?: AbortSignal;
  /** Called with each row's place among the rows, and its score, as soon as there is one; in no particular order. */
  readonly onRow?: (index: number, score: RowScore) => void;
}
