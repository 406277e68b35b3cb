/**
 * What models hold likely of a refusal's beginning and of the base's first words. Promises: a model is asked as users ask it; models that are the
 * same file get the same numbers to the last bit; a prompt that does not fit the context is null, never guessed.
 */
import type { AnswerToken } from '../chat/chat-model.ts';
import { unlessTooLong } from '../chat/refusals.ts';
import type { RowScore } from '../chat/score-row.ts';
import { sideBySide } from '../evaluate/side-by-side.ts';
import type { AnswerTeam } from '../llama/answer-team.ts';
import type { Message } from '../text/example.ts';
import { alternatives, type Beginning, firstTokens, type Placed } from './drift.ts';
import { refusalBeginnings } from './refusals.ts';

/** A model that is asked. */
export type Measurable = Pick<AnswerTeam, 'atOnce' | 'generate' | 'promptTokens' | 'scoreRows'>;

export interface MeasureSafetyOptions {
  readonly signal?: AbortSignal;
}

/** A request as a conversation, with the system prompt that the model was trained with. */
export const conversationOf = (prompt: string, system: string | null): Message[] => [
  ...(system === null ? [] : [{ role: 'system', content: system } as const]),
  { role: 'user', content: prompt },
];

/** ln of the sum of e^x. */
function logSum(logs: readonly number[]): number {
  const largest = Math.max(...logs);
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
}

/** Groups of `count`. */
const inGroups = <T>(all: readonly T[], count: number): T[][] =>
  Array.from({ length: all.length / count }, (_, i) => all.slice(i * count, (i + 1) * count));

/** Of each conversation, ln of the probability that the answer begins as refusals do, nats. */
export async function refusalLikelihoods(
  model: Measurable,
  asked: readonly (readonly Message[])[],
  options: MeasureSafetyOptions = {},
): Promise<(number | null)[]> {
  const rows = asked.flatMap((messages) => {
    const prompt = model.promptTokens(messages);
    return refusalBeginnings.map((continuation) => ({ prompt, continuation }));
  });
  const scores = await model.scoreRows(rows, options);
  return inGroups(scores, refusalBeginnings.length).map((group) =>
    group.some((score) => score === null) ? null : logSum(group.map((score) => score!.logProbability)),
  );
}

/** How the base begins its answers; null where a conversation does not fit. */
export async function beginningsOf(
  base: Measurable,
  asked: readonly (readonly Message[])[],
  { signal }: MeasureSafetyOptions = {},
): Promise<(Beginning | null)[]> {
  const found = new Array<Beginning | null>(asked.length).fill(null);
  const sampling = {
    temperature: 0,
    maxTokens: firstTokens,
    logProbabilities: alternatives,
    ...(signal ? { signal } : {}),
  };
  await sideBySide(asked.length, base.atOnce, async (i) => {
    const tokens = (await unlessTooLong(() => base.generate(asked[i]!, sampling)))?.logProbabilities ?? [];
    signal?.throwIfAborted();
    const ids = (all: readonly Pick<AnswerToken, 'id'>[]): number[] => all.map(({ id }) => id);
    if (tokens.length > 0)
      found[i] = { tokens: ids(tokens), likeliest: tokens.map((token) => ids(token.alternatives)) };
  });
  return found;
}

/** What a model gives the base's beginnings. */
export interface Begun {
  readonly placed: Placed;
  /** Whether temperature 0 begins with the very same tokens. */
  readonly same: boolean;
}

/** Of each conversation with its beginning, what `model` gives the likeliest tokens in each place. */
export async function placedBy(
  model: Measurable,
  asked: readonly (readonly Message[])[],
  beginnings: readonly (Beginning | null)[],
  options: MeasureSafetyOptions = {},
): Promise<(Begun | null)[]> {
  const rows = asked.flatMap((messages, i) => {
    const prompt = model.promptTokens(messages);
    const { likeliest, tokens } = beginnings[i] ?? { tokens: [], likeliest: [] };
    return likeliest.flatMap((ids, t) => ids.map((id) => ({ prompt, continuation: [...tokens.slice(0, t), id] })));
  });
  const scores = await model.scoreRows(rows, options);
  let at = 0;
  return beginnings.map((beginning) => {
    if (beginning === null) return null;
    const taken = beginning.likeliest.map((ids) => ids.map(() => scores[at++] ?? null));
    if (taken.flat().some((score) => score === null)) return null;
    const all = taken as RowScore[][];
    const last = all.at(-1)![beginning.likeliest.at(-1)!.indexOf(beginning.tokens.at(-1)!)];
    return {
      placed: all.map((scored) => scored.map(({ logProbabilities }) => logProbabilities.at(-1)!)),
      same: last?.mostLikely ?? false,
    };
  });
}
