/** Texts that go on until something ends them, many side by side. Promises: what ends an answer is no part of it. */
import type { Model } from '../../chat/chat-model.ts';
import { unlessTooLong } from '../../chat/refusals.ts';
import type { KeptAnswers } from '../kept-answers.ts';
import { sideBySide } from '../side-by-side.ts';
import type { TextQuestion } from './task.ts';

export interface UntilOptions {
  /** Questions at once. */
  readonly atOnce: number;
  readonly store: KeptAnswers;
  readonly signal?: AbortSignal;
  /** Told how many there are. */
  readonly onAnswer?: (done: number) => void;
}

/** The part of a text before what ends it, one after the other, as lm-evaluation-harness cuts it. */
export const cutAt = (text: string, until: readonly string[]): string =>
  until.reduce((rest, end) => rest.split(end)[0]!, text);

async function answerOne(
  model: Pick<Model, 'continue'>,
  { maxTokens, prompt, until }: TextQuestion,
  signal?: AbortSignal,
): Promise<string | null> {
  const stop = new AbortController();
  let text = '';
  const onText = (piece: string): void => {
    text += piece;
    if (until.some((end) => text.includes(end))) stop.abort();
  };
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const ended = await unlessTooLong(() => model.continue(prompt, { temperature: 0, maxTokens, onText, signal: both }));
  signal?.throwIfAborted();
  return ended && cutAt(text, until);
}

/** Answers in the order of the questions; null where a prompt does not fit. `open` is called where one was not answered before. Rejects with the signal's reason. */
export async function answerUntil(
  questions: readonly TextQuestion[],
  open: () => Promise<Pick<Model, 'continue'>>,
  { atOnce, onAnswer, signal, store }: UntilOptions,
): Promise<(string | null)[]> {
  const asked = questions.map(({ expected, prompt }) => ({ ask: { prompt }, expected }));
  const answers = asked.map((question) => store.find(question)?.text ?? null);
  const missing = [...questions.keys()].filter((i) => answers[i] === null);
  if (missing.length === 0) return answers;
  const model = await open();
  let done = questions.length - missing.length;
  await sideBySide(missing.length, atOnce, async (at) => {
    const i = missing[at]!;
    const text = await answerOne(model, questions[i]!, signal);
    answers[i] = text;
    if (text !== null) store.keep(asked[i]!, { text, ended: true });
    onAnswer?.(++done);
  });
  return answers;
}
