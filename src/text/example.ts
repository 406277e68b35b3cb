/**
 * What a data set holds after parsing and before tokenising. Pure: no Node, no engine.
 */

/** One turn of a conversation. */
export interface Message {
  /** Such as `system`, `user`, `assistant`, `tool`. */
  readonly role: string;
  /** Null for an answer that only calls tools. */
  readonly content: string | null;
  /** Of an answer, what the loss of its tokens counts: 0 keeps it out (OpenAI's field, in which 0 and 1 alone stand), absent: 1. */
  readonly weight?: number;
  /** Of the function or the person, where the template has a place for it. */
  readonly name?: string;
  /** What the model thought before its answer, where its template has a place for it (Qwen3). */
  readonly reasoning_content?: string;
  /** An answer's calls, in OpenAI's form. */
  readonly tool_calls?: readonly unknown[];
  /** Of the call that a tool message answers. */
  readonly tool_call_id?: string;
}

/** Where a record came from, so that every refusal can name it. `line` counts from 1 (CSV: the record's first line). */
export interface RecordSource {
  /** Path. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** Of a JSON list, which may stand on one line: which of its elements, from 1. */
  readonly record?: number;
}

export const placeOf = ({ file, line, record }: RecordSource): string =>
  `${file}:${line}${record === undefined ? '' : `, record ${record}`}`;

interface Described {
  readonly source: RecordSource;
  /** What of the record is not learnt as it stands, in sentences that are equal for equal causes; rows are counted by them. */
  readonly notes?: readonly string[];
  /** Whether its last answer was cut and goes on: nothing of its end is learnt. */
  readonly unfinished?: true;
  /** What its loss counts beside those of other records, above 0; absent: 1. */
  readonly weight?: number;
  /** Of the column that was asked for beside the example itself, as text; absent where the record has none. */
  readonly kept?: string;
}

/** What is said: a conversation, a prompt with its completion, or a text. */
export type Content =
  | { readonly kind: 'chat'; readonly messages: readonly Message[]; readonly tools?: readonly unknown[] }
  | { readonly kind: 'completion'; readonly prompt: string; readonly completion: string }
  | { readonly kind: 'text'; readonly text: string };

/** What people think of an answer. */
export interface Preference {
  /** The same prompt with another answer, which the example's own is preferred to. */
  readonly rejected?: Content;
  /** Whether the example's last answer was found good. */
  readonly label?: boolean;
}

export type Example = Described & Preference & Content;
