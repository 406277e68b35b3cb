/**
 * The answers to one request, computed on an open model: those to several prompts side by side, choices of one prompt one after the other,
 * so that it is evaluated once. Knows nothing of HTTP.
 */
import type { Generated, GenerateOptions, Model } from '../chat/chat-model.ts';
import { Choice, type ChoiceOptions, type ChoicePart, type FinishReason } from './choice.ts';
import type { Asked } from './conversation.ts';
import type { Echo } from './echo.ts';
import type { PlacedToken } from './token-places.ts';

/** What is to be computed. */
export interface Job extends ChoiceOptions {
  /** The model's name, as it was asked for. */
  readonly model: string;
  /** Adapters beside the model's own, by the names of their runs. */
  readonly lora: readonly { readonly id: string; readonly scale: number }[];
  /** One for each prompt. */
  readonly asks: readonly ((model: Model, options: GenerateOptions) => Promise<Generated>)[];
  /** One for each prompt where prompts are given back before their answers. */
  readonly echoes?: readonly ((model: Model, signal: AbortSignal) => Promise<Echo>)[];
  /** Choices for each prompt. */
  readonly n: number;
  /** How its tokens are drawn. */
  readonly sampling: Omit<GenerateOptions, 'signal' | 'onText' | 'onToken'>;
  readonly stream: boolean;
  /** Of a stream: whether a last piece has the count of tokens. */
  readonly includeUsage: boolean;
  /** How a conversation is asked and its answers are read; throws ApiError. null: the answers are text. */
  readonly conversation: ((model: Model) => Asked) | null;
}

/** A piece of a choice, or its end, with the tokens that it is made of where log-probabilities are asked for. */
export type AnswerEvent = { readonly index: number; readonly tokens: readonly PlacedToken[] } & (
  | ChoicePart
  | { readonly kind: 'end'; readonly reason: FinishReason }
);

/** Tokens, as OpenAI's API counts them. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

const seedCount = 2 ** 32;

/** Choices differ, and with a seed they are the same ones each time. */
const seedOf = (seed: number | null | undefined, index: number): number | null =>
  seed === null || seed === undefined ? null : (seed + index) % seedCount;

type Say = (event: AnswerEvent) => void;

const textOnly: Asked = {
  options: { markup: [] },
  form: { thoughts: null, calls: null, noCalls: null },
  tools: null,
};

/** Prompts of one request that are computed side by side, at most: others want their turn too. */
const promptsAtOnce = 4;

/** Computes every choice. Rejects with the reason of `signal` where it is aborted: the computation ends with the token at hand. */
export async function answer(model: Model, job: Job, signal: AbortSignal, say: Say): Promise<Usage> {
  const asked = job.conversation?.(model) ?? textOnly;
  const all: Generated[] = [];
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const prompts = job.asks.keys();
  const lane = async (): Promise<void> => {
    // Each takes the next prompt that no other has taken.
    for (const prompt of prompts)
      for (let index = prompt * job.n; index < (prompt + 1) * job.n; index++)
        all[index] = await generate(model, job, asked, { index, signal: either, say });
  };
  const lanes = Array.from({ length: Math.min(promptsAtOnce, job.asks.length) }, () =>
    lane().catch((error: unknown) => failed.abort(error)),
  );
  await Promise.all(lanes);
  either.throwIfAborted();
  return usageOf(all, job.n);
}

interface Place {
  readonly index: number;
  readonly signal: AbortSignal;
  readonly say: Say;
}

async function generate(model: Model, job: Job, asked: Asked, { index, say, signal }: Place): Promise<Generated> {
  signal.throwIfAborted();
  const echo = await job.echoes?.[Math.floor(index / job.n)]?.(model, signal);
  if (echo) say({ kind: 'text', index, text: echo.text, tokens: echo.tokens });
  const begun = echo?.text.length ?? 0;
  const choice = new Choice({ ...job, begun }, asked, (part, tokens) => say({ ...part, index, tokens }));
  const generated = await job.asks[Math.floor(index / job.n)]!(model, {
    ...job.sampling,
    ...asked.options,
    seed: seedOf(job.sampling.seed, index),
    signal: AbortSignal.any([signal, choice.ended.signal]),
    onToken: (token) => choice.token(token),
    onText: (piece) => choice.push(piece),
  });
  signal.throwIfAborted();
  say({ kind: 'end', index, ...choice.end(generated) });
  return { ...generated, reusedTokens: echo?.reusedTokens ?? generated.reusedTokens };
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

/** Every answer is counted, and each prompt once, however many choices it has. */
function usageOf(all: readonly Generated[], n: number): Usage {
  const first = all.filter((_, index) => index % n === 0);
  const prompt = sum(first.map(({ promptTokens }) => promptTokens));
  const completion = sum(all.map(({ tokens }) => tokens));
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: sum(first.map(({ reusedTokens }) => reusedTokens)) },
  };
}
