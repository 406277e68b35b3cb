/**
 * Text as tokens where parts of it are data: a control token that stands in data is text, not structure, unless asked. Promises: text
 * without such parts is tokenised by llama.cpp as one piece; chat and training call this same function. Pure.
 */
import { remembered } from '../text/remembered.ts';
import type { Tokenizer } from './tokenizer.ts';

/** `text`: control tokens spelled in data are ordinary tokens; `control`: they are control tokens. */
export type SpecialTokens = 'text' | 'control';

/** A half-open range of characters (UTF-16 units). */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What is found out of a tokenizer once. */
interface Facts {
  /** Finds control tokens, the longest first, as llama.cpp does; null where there are none. */
  readonly pattern: RegExp | null;
  readonly ids: ReadonlyMap<string, number>;
  /** Whether text behind a control token is tokenised as if a space stood before it (SentencePiece's dummy prefix, as llama.cpp has it). */
  readonly addsSpaceAfterControl: boolean;
}

const factsOf = new WeakMap<Tokenizer, Facts>();
const facts = (tokenizer: Tokenizer): Facts => remembered(factsOf, tokenizer, () => findFacts(tokenizer));

function findFacts(tokenizer: Tokenizer): Facts {
  const texts = [...tokenizer.controlTexts].sort((a, b) => b.length - a.length);
  const escaped = texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const behind = texts.length === 0 ? [] : tokenizer.encode(`${texts[0]}a`, true).slice(1);
  const plain = tokenizer.encode('a', false);
  return {
    pattern: texts.length > 0 ? new RegExp(escaped.join('|'), 'g') : null,
    ids: new Map(texts.map((text) => [text, tokenizer.encode(text, true)[0]!])),
    addsSpaceAfterControl:
      behind.length > 0 && (behind.length !== plain.length || behind.some((token, i) => token !== plain[i])),
  };
}

/** The token of each control text. */
export const controlIds = (tokenizer: Tokenizer): ReadonlyMap<string, number> => facts(tokenizer).ids;

/** Where control tokens are spelled in `text`. */
export function controlTokensIn(text: string, tokenizer: Tokenizer): (Range & { readonly text: string })[] {
  const { pattern } = facts(tokenizer);
  if (!pattern) return [];
  return [...text.matchAll(pattern)].map(({ 0: found, index }) => ({
    start: index,
    end: index + found.length,
    text: found,
  }));
}

/** Index of the first of `data`, in order, that ends behind `position`. */
export function firstBehind(data: readonly Range[], position: number): number {
  let [low, high] = [0, data.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (data[middle]!.end > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Whether the range shares a character with data. `data` in order. */
export function touches(data: readonly Range[], { start, end }: Range): boolean {
  const first = firstBehind(data, start);
  return first < data.length && data[first]!.start < end;
}

/** Token ids of `text`, of which `data` are the parts that came from a user's data, in order. Throws TextRefused. */
export function encodeText(
  text: string,
  data: readonly Range[],
  tokenizer: Tokenizer,
  specialTokens: SpecialTokens,
): number[] {
  const control = specialTokens === 'control' || data.length === 0 ? [] : controlTokensIn(text, tokenizer);
  if (!control.some((range) => touches(data, range))) return tokenizer.encode(text, true);
  const tokens: number[] = [];
  const { addsSpaceAfterControl: addSpace } = facts(tokenizer);
  let position = 0;
  const addText = (end: number): void => {
    if (end === position) return;
    const piece = text.slice(position, end);
    for (const token of tokenizer.encode(position > 0 && addSpace ? ` ${piece}` : piece, false)) tokens.push(token);
  };
  for (const range of control) {
    if (touches(data, range)) continue;
    addText(range.start);
    tokens.push(...tokenizer.encode(range.text, true));
    position = range.end;
  }
  addText(text.length);
  return tokens;
}
