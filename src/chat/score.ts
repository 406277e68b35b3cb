/**
 * How likely a model holds an answer, token by token. Promises: the answer's tokens are those that training learns of it, its end of
 * turn among them. Knows nothing of engines but their log-probabilities.
 */

import { NomoatError } from '../errors.ts';
import { type ChatTemplate, noChatTemplate } from '../text/chat-template.ts';
import type { Example, Message } from '../text/example.ts';
import { type EncodeOptions, encodeExample } from '../tokens/encode-example.ts';
import type { RowLogProbabilities, TokenRow } from '../tokens/token-row.ts';

/** A token of the answer, and how likely it was there. */
export interface ScoredToken {
  /** In the model's vocabulary. */
  readonly id: number;
  /** May be part of a character. */
  readonly text: string;
  /** ln p of this token after all before it, nats. */
  readonly logProbability: number;
  /** Whether it is the likeliest one there: where all are, temperature 0 gives this answer. */
  readonly mostLikely: boolean;
}

/** How likely a model holds an answer. */
export interface Score {
  /** The answer's tokens in order, the one that ends its turn last. */
  readonly tokens: readonly ScoredToken[];
  /** Their sum: ln p of the whole answer, nats. */
  readonly logProbability: number;
  /** Tokens before them. */
  readonly promptTokens: number;
}

const refuse = (fault: string): NomoatError =>
  new NomoatError({
    code: 'invalid-conversation',
    part: 'the conversation',
    fault,
    remedy: 'Give messages of which the last is the answer to score: { role: "assistant", content: "..." }.',
  });

function exampleOf(messages: readonly Message[], template: ChatTemplate | null): Example {
  const answer = messages.at(-1)!;
  if (answer.role !== 'assistant') throw refuse('does not end in an answer');
  const source = { file: 'the conversation', line: 1 };
  if (template) {
    // Only the last answer is asked about.
    const before = messages.slice(0, -1).map((message) => ({ ...message, weight: 0 as const }));
    return { kind: 'chat', messages: [...before, { ...answer, weight: 1 }], source };
  }
  const [only, ...more] = messages.slice(0, -1);
  if (only?.role !== 'user' || more.length > 0)
    throw refuse('is more than one prompt and its answer, and the model has no chat template for it');
  return { kind: 'completion', prompt: only.content ?? '', completion: answer.content ?? '', source };
}

/** As chatTemplateOf says it. */
function none(): never {
  throw new NomoatError({
    code: 'no-chat-template',
    part: 'the model',
    fault: 'has no chat template',
    remedy: 'Give one.',
    fields: { code: noChatTemplate },
  });
}

type RowOptions = Omit<EncodeOptions, 'supervise' | 'template'> & { readonly template: ChatTemplate | null };

/** The conversation as a row of which only the last answer is asked about. Throws NomoatError. */
export const answerRow = (messages: readonly Message[], options: RowOptions): TokenRow =>
  rowOf(exampleOf(messages, options.template), options);

/** A prompt and its completion as training takes them. Throws NomoatError. */
export const completionRow = (prompt: string, completion: string, options: RowOptions): TokenRow =>
  rowOf({ kind: 'completion', prompt, completion, source: { file: 'the prompt', line: 1 } }, options);

function rowOf(example: Example, { template, ...options }: RowOptions): TokenRow {
  const encoded = encodeExample(example, { ...options, template: () => template ?? none(), supervise: 'answers' });
  if ('reason' in encoded)
    throw refuse(`cannot be scored: ${encoded.reason}${encoded.detail ? ` (${encoded.detail})` : ''}`);
  const sequence = encoded.sequences.at(-1)!;
  return {
    tokens: Int32Array.from(sequence.tokens),
    supervised: Uint8Array.from(sequence.supervised),
    source: example.source,
  };
}

/** What was measured of `row`, with the texts of its tokens. */
export function scoreOf(
  row: TokenRow,
  { logProbabilities, mostLikely }: RowLogProbabilities,
  textOf: (id: number) => string,
): Score {
  const targets = [...row.tokens.keys()].filter((t) => t > 0 && row.supervised[t]);
  const tokens = targets.map((t, i) => ({
    id: row.tokens[t]!,
    text: textOf(row.tokens[t]!),
    logProbability: logProbabilities[i]!,
    mostLikely: mostLikely[i] === 1,
  }));
  const logProbability = tokens.reduce((sum, { logProbability: each }) => sum + each, 0);
  return { tokens, logProbability, promptTokens: targets[0] ?? 0 };
}
