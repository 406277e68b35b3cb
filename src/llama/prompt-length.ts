/**
 * Whether long texts can fit a context, before they are tokenised whole: megabytes take most of a second, in which a server answers nobody.
 * Promises: short ones cost nothing; between slices others have their turn; what is refused would not have fitted. Knows no template: the
 * texts alone, without the markup around them.
 */
import { tooLong } from '../chat/refusals.ts';
import type { Message } from '../text/example.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';

/** Characters that are tokenised in some milliseconds. */
const sliceCharacters = 16_384;
/** A word that is cut in two, and the space before it, may count this many tokens more than whole. */
const perCut = 8;

export interface Room {
  readonly contextSize: number;
  /** Tokens that the model was trained on. */
  readonly trained: number;
}

/** What a conversation is made of, as far as it is one. */
export const contentsOf = (messages: readonly Message[]): unknown[] =>
  Array.isArray(messages) ? messages.map((message: Message | null) => message?.content) : [];

/** Rejects with NomoatError where those parts that are texts have more tokens than the context. */
export async function assertMayFit(
  parts: readonly unknown[],
  tokenizer: Pick<Tokenizer, 'encode'>,
  { contextSize, trained }: Room,
  signal?: AbortSignal,
): Promise<void> {
  const long = parts.filter((part) => typeof part === 'string').filter(({ length }) => length > sliceCharacters);
  let tokens = 0;
  for (const text of long)
    for (let at = 0; at < text.length; at += sliceCharacters) {
      // Whoever does not wait for the answer any more is told so where its turn comes.
      if (signal?.aborted) return;
      tokens += Math.max(0, tokenizer.encode(text.slice(at, at + sliceCharacters), false).length - perCut);
      if (tokens > contextSize) throw tooLong(tokens, contextSize, trained, 'at least ');
      await new Promise((resolve) => setImmediate(resolve));
    }
}
