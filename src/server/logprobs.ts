/** Log-probabilities in the forms of OpenAI's two routes. Pure. */
import type { TokenProbability } from '../chat/chat-model.ts';
import type { PlacedToken } from './token-places.ts';

/** The most alternatives that OpenAI's chat gives; its completions give five. */
export const mostTopLogprobs = 20;

type Token = PlacedToken['token'];

const entry = ({ bytes, logProbability, text }: Pick<Token, 'bytes' | 'logProbability' | 'text'>) => ({
  token: text,
  logprob: logProbability,
  bytes: [...bytes],
});

/** Of a chat: of the tokens of its text alone. */
export const chatLogprobs = (tokens: readonly PlacedToken[]): object => ({
  content: tokens
    .filter(({ token }) => !token.endsAnswer)
    .map(({ token }) => ({ ...entry(token), top_logprobs: token.alternatives.map(entry) })),
  refusal: null,
});

/** By texts; null of a prompt's first token. Of two tokens that read alike the likelier one stands there. The token itself is always among them. */
function byText({ alternatives, logProbability: value, ...own }: Token): Record<string, number> | null {
  if (value === null) return null;
  const all: Pick<TokenProbability, 'logProbability' | 'text'>[] = [...alternatives, { ...own, logProbability: value }];
  const likeliestLast = all.sort((a, b) => a.logProbability - b.logProbability);
  return Object.fromEntries(likeliestLast.map(({ logProbability, text }) => [text, logProbability]));
}

/** Of a completion: that which ended it is among its tokens, as with vLLM. */
export const completionLogprobs = (tokens: readonly PlacedToken[]): object => ({
  tokens: tokens.map(({ token }) => token.text),
  token_logprobs: tokens.map(({ token }) => token.logProbability),
  top_logprobs: tokens.map(({ token }) => byText(token)),
  text_offset: tokens.map(({ offset }) => offset),
});
