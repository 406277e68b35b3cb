/**
 * Tokens of an answer as text. Control tokens are none of it, but for those of markup that somebody wants to read, such as Mistral's
 * [TOOL_CALLS].
 */
import type { LlamaModel, Token } from 'node-llama-cpp';
import type { Detokenize } from '../chat/text-stream.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import { detokenizer } from './token-scores.ts';

/** Shows the control tokens that stand in one of the `markup` texts. */
export function shownTokens(model: LlamaModel, tokenizer: Tokenizer, markup: readonly string[]): Detokenize<Token> {
  const plain = detokenizer(model, false);
  const wanted = tokenizer.controlTexts.filter((text) => markup.some((each) => each.includes(text)));
  if (wanted.length === 0) return plain;
  const shown = new Map(wanted.map((text) => [tokenizer.encode(text, true)[0], text]));
  return (tokens, before) => {
    const parts: string[] = [];
    let from = 0;
    for (const [i, token] of tokens.entries()) {
      const text = shown.get(token);
      if (text === undefined) continue;
      if (i > from) parts.push(plain(tokens.slice(from, i), [...before, ...tokens.slice(0, from)]));
      parts.push(text);
      from = i + 1;
    }
    if (from < tokens.length) parts.push(plain(tokens.slice(from), [...before, ...tokens.slice(0, from)]));
    return parts.join('');
  };
}
