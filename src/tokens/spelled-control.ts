/**
 * Control tokens that a record spells: ends of turns behind answers, and what becomes of the others. Promises: none of them changes a turn
 * without a note, and none is learnt beside the one that the template writes. Pure.
 */
import type { Message } from '../text/example.ts';
import { isObject } from '../text/refused.ts';
import type { Rendering } from '../text/unroll.ts';
import { controlTokensIn, type Range, type SpecialTokens } from './encode-text.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Whether a control token's text is one that ends a turn. */
const endsTurn = (text: string, tokenizer: Tokenizer): boolean =>
  tokenizer.isEndOfGeneration(tokenizer.encode(text, true)[0]!);

/** The text without the end-of-turn tokens that it spells at its end, or null where it spells none. */
export function withoutEnds(text: string, tokenizer: Tokenizer): string | null {
  let kept: string | null = null;
  for (let rest = text.trimEnd(); ; rest = kept.trimEnd()) {
    const last = controlTokensIn(rest, tokenizer).at(-1);
    const ends = last?.end === rest.length && endsTurn(last.text, tokenizer);
    // White space before the first of them is the answer's own.
    if (!ends) return kept;
    kept = rest.slice(0, last.start);
  }
}

/** Answers without the end-of-turn tokens that their text spells at its end: the template adds one, and as text it would be learnt twice. */
export function plainEnds(
  messages: readonly Message[],
  tokenizer: Tokenizer,
): { readonly messages: readonly Message[]; readonly cut: boolean; readonly emptied: boolean } {
  let [cut, emptied] = [false, false];
  const plain = messages.map((message) => {
    if (message.role !== 'assistant' || !message.content) return message;
    const content = withoutEnds(message.content, tokenizer);
    if (content === null) return message;
    cut = true;
    if (content.trim() === '' && message.weight !== 0 && !message.tool_calls) emptied = true;
    return { ...message, content };
  });
  return { messages: plain, cut, emptied };
}

/** What became of control tokens spelled in `data`, as a sentence; null where there are none. */
export function spelledNote(
  text: string,
  data: readonly Range[],
  tokenizer: Tokenizer,
  specialTokens: SpecialTokens,
): string | null {
  if (!data.some(({ start, end }) => controlTokensIn(text.slice(start, end), tokenizer).length > 0)) return null;
  return specialTokens === 'control'
    ? "control tokens spelled in the data are taken as control tokens; `specialTokens: 'text'` makes them text"
    : "control tokens spelled in the data are taken as text; `specialTokens: 'control'` makes them control tokens";
}

/** Whether an answer spells an end-of-turn token inside its text: it would teach the model to stop in the middle of what it says. */
export function stopsInText({ answers, data, text }: Rendering, tokenizer: Tokenizer): boolean {
  const stops = (start: number, end: number): boolean =>
    controlTokensIn(text.slice(start, end), tokenizer).some((found) => endsTurn(found.text, tokenizer));
  return data.some(
    ({ start, end }) => answers.some((answer) => answer.start <= start && end <= answer.end) && stops(start, end),
  );
}

/** A key of calls or tools that spells a control token, or null: keys are written by the template as its own text, not as data. */
export function controlKey(value: unknown, tokenizer: Tokenizer): string | null {
  if (Array.isArray(value)) {
    for (const each of value) {
      const found = controlKey(each, tokenizer);
      if (found !== null) return found;
    }
    return null;
  }
  if (!isObject(value)) return null;
  for (const [key, each] of Object.entries(value)) {
    if (controlTokensIn(key, tokenizer).length > 0) return key;
    const found = controlKey(each, tokenizer);
    if (found !== null) return found;
  }
  return null;
}
