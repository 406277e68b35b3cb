/** Log-probabilities in the forms of OpenAI's two routes. Pure. */
import type { AnswerToken, TokenProbability } from '../chat/chat-model.ts';
import type { PlacedToken } from './token-places.ts';

/** The most alternatives that OpenAI's chat gives; its completions give five. */
export const mostTopLogprobs = 20;

const entry = ({ bytes, logProbability, text }: TokenProbability) => ({
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

/** By texts: of two tokens that read alike the likelier one stands there. The token itself is always among them. */
function byText({ alternatives, ...own }: AnswerToken): Record<string, number> {
  const likeliestLast = [...alternatives, own].sort((a, b) => a.logProbability - b.logProbability);
  return Object.fromEntries(likeliestLast.map(({ logProbability, text }) => [text, logProbability]));
}

/** Of a completion: that which ended it is among its tokens, as with vLLM. */
export const completionLogprobs = (tokens: readonly PlacedToken[]): object => ({
  tokens: tokens.map(({ token }) => token.text),
  token_logprobs: tokens.map(({ token }) => token.logProbability),
  top_logprobs: tokens.map(({ token }) => byText(token)),
  text_offset: tokens.map(({ offset }) => offset),
});
