/**
 * What a data set holds after parsing and before tokenising. Pure: no Node, no engine.
 */

/** One turn of a conversation. `weight` 0 keeps an assistant turn out of the loss (OpenAI's field). */
export interface Message {
  readonly role: string;
  readonly content: string | null;
  readonly weight?: 0 | 1;
  readonly name?: string;
  /** What the model thought before its answer, where its template has a place for it (Qwen3). */
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
}

/** Where a record came from, so that every refusal can name it. `line` counts from 1 (CSV: the record's first line). */
export interface RecordSource {
  readonly file: string;
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
}

export type Example = Described &
  (
    | { readonly kind: 'chat'; readonly messages: readonly Message[]; readonly tools?: readonly unknown[] }
    | { readonly kind: 'completion'; readonly prompt: string; readonly completion: string }
    | { readonly kind: 'text'; readonly text: string }
  );
