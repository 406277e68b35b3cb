/** A run's data once it is rows, with all counts that the user is shown. Pure types. */

import type { RunSettings } from '../settings/run-settings.ts';
import type { Message } from '../text/example.ts';
import type { RowsReport } from '../tokens/rows.ts';
import type { TokenRow } from '../tokens/token-row.ts';

/** What the model is asked before and after the run: a conversation, a prompt that is taken as it is, or the beginning of a text. */
export type Question = { readonly expected: string } & (
  | { readonly messages: readonly Message[] }
  | { readonly prompt: string }
  | { readonly beginning: string }
);

export interface Prepared {
  /** With what the data decided. */
  readonly settings: RunSettings;
  /** The line that says what it decided, or null. */
  readonly chosen: string | null;
  readonly format: string;
  /** Those held out among them. */
  readonly files: readonly string[];
  /** What else a person should know of the data. */
  readonly notes: readonly string[];
  /** Settings that the initial adapter overrules, in sentences. */
  readonly overruled: readonly string[];
  /** Tokens that all rows begin with and that each micro-batch computes once; 0: none. */
  readonly prefix: number;
  /** The system prompt that all conversations share, or null. */
  readonly systemPrompt: string | null;
  readonly train: readonly TokenRow[];
  readonly validation: readonly TokenRow[];
  /** Held out where there is anything held out. */
  readonly questions: readonly Question[];
  readonly report: RowsReport;
  readonly leaked: number;
  readonly validationReport: RowsReport | null;
  /** Bytes of the validation text where every token is learnt, for bits per byte; else null. */
  readonly validationBytes: number | null;
}
