/**
 * What learning from preferences did to answers: how long they are and how far from what the run began with. Preferences can be won by longer
 * answers, and by a model that has left its base; neither shows in the accuracy of pairs. Promises: the time that it is given is kept but for
 * one round of answers.
 */
import { unlessTooLong } from '../chat/refusals.ts';
import type { ScoreRow } from '../chat/score-row.ts';
import { sum } from '../evaluate/statistics/sums.ts';
import type { TestQuestion } from '../evaluate/test-set.ts';
import type { AnswerTeam } from '../llama/answer-team.ts';
import type { AnswerDriftEvent } from '../verdict-event.ts';
import type { BeforeAndAfter } from './samples.ts';

/** Prompts at most: lengths of answers vary by about their mean, so that this many tell a third from chance. */
const mostPrompts = 32;
/** Longer answers are cut: lengths are compared, and a model that never stops need not be waited for. */
const mostTokens = 128;

/** The model's own distribution. */
const unchanged = {
  temperature: 1,
  topP: 1,
  topK: 0,
  minP: 0,
  repeatPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
} as const;

interface Drawn {
  readonly question: TestQuestion;
  readonly text: string;
  readonly tokens: number;
  readonly cut: boolean;
}

interface DriftOptions {
  /** Time for all of it. */
  readonly seconds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** One answer to each question, by the model's own distribution; null to one that the context does not hold. */
async function draw(
  team: AnswerTeam,
  questions: readonly TestQuestion[],
  { seed, signal }: DriftOptions,
): Promise<(Drawn | null)[]> {
  return await Promise.all(
    questions.map(async (question, i) => {
      const options = { ...unchanged, maxTokens: mostTokens, seed: seed + i, signal };
      const { ask } = question;
      const answer = await unlessTooLong(() =>
        'messages' in ask ? team.generate(ask.messages, options) : team.continue(ask.prompt, options),
      );
      return answer && { question, text: answer.text, tokens: answer.tokens, cut: answer.stopReason !== 'end-of-turn' };
    }),
  );
}

const rowOf = ({ question: { ask }, text }: Drawn): ScoreRow => ({ ...ask, answer: text });

/** ln of how much likelier the result holds its own answers than what it began with, summed, and over how many tokens. */
async function logRatio(
  drawn: readonly Drawn[],
  { after, before }: BeforeAndAfter,
): Promise<{ sum: number; tokens: number }> {
  const rows = drawn.map(rowOf);
  const [own, base] = [await after.scoreRows(rows), await before.scoreRows(rows)];
  const total = { sum: 0, tokens: 0 };
  for (const [i, { cut }] of drawn.entries()) {
    // What a cut answer ends with was not drawn.
    const [of, to] = [own[i], base[i]].map((score) => score?.logProbabilities.slice(0, cut ? -1 : undefined) ?? []) as [
      number[],
      number[],
    ];
    if (of.length !== to.length) continue;
    total.sum += sum(of) - sum(to);
    total.tokens += of.length;
  }
  return total;
}

/** As many of the questions as there is time for; null where it does not suffice for any, or nothing was answered. */
export async function answerDrift(
  models: BeforeAndAfter,
  questions: readonly TestQuestion[],
  options: DriftOptions,
): Promise<AnswerDriftEvent | null> {
  const began = performance.now();
  const drawn: { before: Drawn; after: Drawn }[] = [];
  let ratio = { sum: 0, tokens: 0 };
  const all = questions.slice(0, mostPrompts);
  const size = Math.max(1, models.after.atOnce);
  for (let at = 0; at < all.length && (performance.now() - began) / 1000 < options.seconds; at += size) {
    options.signal.throwIfAborted();
    const round = all.slice(at, at + size);
    const [own, base] = [await draw(models.after, round, options), await draw(models.before, round, options)];
    const both = own.flatMap((after, i) => (after && base[i] ? [{ after, before: base[i] }] : []));
    const more = await logRatio(
      both.flatMap(({ after }) => (after.text.trim() === '' ? [] : [after])),
      models,
    );
    ratio = { sum: ratio.sum + more.sum, tokens: ratio.tokens + more.tokens };
    drawn.push(...both);
  }
  if (ratio.tokens === 0) return null;
  const meanOf = (side: 'before' | 'after'): number => sum(drawn.map((each) => each[side].tokens)) / drawn.length;
  const cutOf = (side: 'before' | 'after'): number => drawn.filter((each) => each[side].cut).length;
  return {
    type: 'answer-drift',
    prompts: drawn.length,
    tokensBefore: meanOf('before'),
    tokensAfter: meanOf('after'),
    cutBefore: cutOf('before'),
    cutAfter: cutOf('after'),
    divergence: ratio.sum / ratio.tokens,
  };
}
