/**
 * Log-probabilities of single tokens with the likeliest ones beside them. Promises: they are of the model's own distribution, whatever
 * the tokens were drawn by; only the wanted logits leave the engine. Knows nothing of prompts.
 */
import type { ControlledEvaluateIndexOutput, ControlledEvaluateInputItem, LlamaModel, Token } from 'node-llama-cpp';
import type { AnswerToken, GenerateOptions, TokenProbability } from '../chat/chat-model.ts';
import { resolveAlternatives } from '../chat/sampling.ts';
import type { Detokenize } from '../chat/text-stream.ts';
import { NomoatError } from '../errors.ts';
import type { TokenBytes } from '../tokens/token-bytes.ts';
import type { Lane } from './sequences.ts';

/** What is known of the token that follows a position. */
export interface Scored {
  /** ln p of the wanted token, nats. */
  readonly logProbability: number;
  /** The likeliest ones, the likeliest first. */
  readonly top: readonly { readonly token: Token; readonly logProbability: number }[];
}

/** Asks of `token`'s position for `wanted` and the likeliest `count`: greedy selection leaves logits as they are, and names the largest. */
export function asked(token: Token, wanted: Token, count: number): ControlledEvaluateInputItem {
  return askedAll(token, [wanted], count);
}

/** Likewise, for several. */
export function askedAll(token: Token, wanted: Token[], count = 1): ControlledEvaluateInputItem {
  // Of more than one, all have to be sorted.
  const more = count > 1 ? { includeTop: count } : {};
  const logits = { filter: { tokens: wanted, includeSelected: true, ...more } };
  return [token, { generateNext: { token: true, logits, totalLogitWeight: true, options: { temperature: 0 } } }];
}

/** How likely a token is in its place, and whether no other one is likelier. */
export interface Likelihood {
  /** ln p, nats. */
  readonly logProbability: number;
  readonly mostLikely: boolean;
}

/** What was answered to `askedAll`, by token. Throws NomoatError where that is not all there. */
export function likelihoods(
  output: ControlledEvaluateIndexOutput | undefined,
  wanted: readonly Token[],
): Map<number, Likelihood> {
  return new Map(
    wanted.map((token) => {
      const { logProbability, top } = scored(output, token, 1);
      return [token, { logProbability, mostLikely: top[0]?.token === token }];
    }),
  );
}

/** What was answered to `asked`. Throws NomoatError where that is not all there. */
export function scored(output: ControlledEvaluateIndexOutput | undefined, wanted: Token, count: number): Scored {
  const { token, logits, totalLogitWeight } = output?.next ?? {};
  const logit = logits?.get(wanted);
  const largest = token === null || token === undefined ? undefined : logits?.get(token);
  if (logits === undefined || logit === undefined || largest === undefined || totalLogitWeight === undefined) {
    throw new NomoatError({
      code: 'engine-failed',
      part: 'llama.cpp',
      fault: `gave no logit for token ${wanted}`,
      remedy: 'This is a fault of nomoat or of its engine: please report it.',
      kind: 'failed',
    });
  }
  // ln softmax = logit - max - ln(sum of exp(l - max))
  const total = largest + Math.log(totalLogitWeight);
  const sorted = [...logits].sort(([, a], [, b]) => b - a).slice(0, count);
  return {
    logProbability: logit - total,
    top: sorted.map(([each, value]) => ({ token: each, logProbability: value - total })),
  };
}

/** The model's texts of tokens: control tokens are spelled out, or are no text. */
export const detokenizer =
  (model: LlamaModel, isSpelled: boolean): Detokenize<Token> =>
  (tokens, before) =>
    model.detokenize(tokens, isSpelled, before);

const decoder = new TextDecoder();

/** Words tokens by what the vocabulary says of them: what a part of a character reads like behind its beginning depends on the engine. */
export class TokenWords {
  private readonly bytes: TokenBytes;

  constructor(bytes: TokenBytes) {
    this.bytes = bytes;
  }

  probability(id: Token, logProbability: number): TokenProbability {
    const bytes = this.bytes.of(id);
    return { id, text: decoder.decode(bytes), bytes, logProbability };
  }

  alternatives({ top }: Scored): TokenProbability[] {
    return top.map(({ token, logProbability }) => this.probability(token, logProbability));
  }
}

/** What is to be known of an answer's tokens. */
interface AnswerScoring {
  /** How many of the likeliest tokens. */
  readonly count: number;
  readonly words: TokenWords;
  readonly onToken: ((token: AnswerToken) => void) | undefined;
}

/**
 * The tokens of an answer with their log-probabilities. What a token was drawn from is gone when it is drawn, by way of penalties and
 * temperature: the position before it is evaluated once more, which gives the very same logits and leaves the sequence as it was.
 */
class AnswerScores {
  readonly tokens: AnswerToken[] = [];
  private readonly lane: Lane;
  private readonly scoring: AnswerScoring;

  constructor(lane: Lane, scoring: AnswerScoring) {
    this.lane = lane;
    this.scoring = scoring;
  }

  /** Of a token that was just drawn, and is not evaluated yet. */
  async add(drawn: Token, endsAnswer: boolean): Promise<void> {
    const { batches, sequence } = this.lane;
    const { count, onToken, words } = this.scoring;
    const before = sequence.contextTokens;
    const start = before.length - 1;
    await batches.change(() => sequence.eraseContextTokenRanges([{ start, end: start + 1 }]));
    await batches.letChange();
    const [output] = await sequence.controlledEvaluate([asked(before[start]!, drawn, count)]);
    const score = scored(output, drawn, count);
    const token = {
      ...words.probability(drawn, score.logProbability),
      alternatives: words.alternatives(score),
      endsAnswer,
    };
    this.tokens.push(token);
    onToken?.(token);
  }
}

/** null where no log-probabilities are asked for. Throws NomoatError. */
export function answerScores(
  lane: Lane,
  words: TokenWords,
  { logProbabilities, onToken }: GenerateOptions,
): AnswerScores | null {
  const count = resolveAlternatives(logProbabilities, 'logProbabilities');
  return count === null ? null : new AnswerScores(lane, { count, words, onToken });
}
