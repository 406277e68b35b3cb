/** Prompts given back before their answers, with log-probabilities where these are asked for. Knows nothing of HTTP. */
import type { Model, Prompt } from '../chat/chat-model.ts';
import type { PlacedToken } from './token-places.ts';

/** A prompt that is given back. */
export interface Echo {
  readonly text: string;
  readonly tokens: readonly PlacedToken[];
  /** Tokens that were not evaluated anew for it; null where none were evaluated. */
  readonly reusedTokens: number | null;
}

/** Gives back `prompt`; with `alternatives` beside each of its tokens, or null without log-probabilities. */
export const echoOf =
  (prompt: Prompt, alternatives: number | null) =>
  async (model: Model, signal: AbortSignal): Promise<Echo> => {
    if (alternatives === null) {
      const text = typeof prompt === 'string' ? prompt : model.detokenize(prompt);
      return { text, tokens: [], reusedTokens: null };
    }
    try {
      const { reusedTokens, text, tokens } = await model.scoreText(prompt, { alternatives, signal });
      const placed = tokens.map(({ offset, ...token }) => ({ token: { ...token, endsAnswer: false }, offset }));
      return { text, tokens: placed, reusedTokens };
    } catch (error) {
      // The signal's reason says more than that it was stopped.
      signal.throwIfAborted();
      throw error;
    }
  };
