/**
 * As many answers as a time allows, of several models to the same questions. Promises: all models have answered all questions that are
 * returned; the time is kept, whatever the models do: a model that never stops is stopped, and its last questions are not counted.
 */
import { type Askable, askAll, noAnswer, type TestAnswer } from './ask.ts';
import type { TestQuestion } from './test-set.ts';

/** How much time there is, and how it is used. */
export interface Within {
  readonly maxTokens: number;
  /** Questions that a model answers at once. */
  readonly atOnce: number;
  /** For all models together. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** What one model answered in the time. */
export interface AnsweredWithin {
  readonly answers: readonly TestAnswer[];
  readonly seconds: number;
}

/** Questions that are begun together are a multiple of those at once, up to this: who is done with its own waits for the longest answer. */
const mostRounds = 8;
/** Share of the time that is left which is planned with: answers differ in length. */
const planned = 0.8;

/** Answers to the first of the questions, as many as the time allows, by model. Rejects with the reason of `signal`. */
export async function askWithin(
  models: readonly Askable[],
  questions: readonly TestQuestion[],
  { atOnce, maxTokens, seconds, signal }: Within,
): Promise<AnsweredWithin[]> {
  const began = performance.now();
  const left = (): number => seconds - (performance.now() - began) / 1000;
  const given = models.map(() => ({ answers: [] as TestAnswer[], seconds: 0 }));
  let size = Math.max(1, atOnce);
  for (let at = 0; at < questions.length && size >= 1 && left() > 0; ) {
    const some = questions.slice(at, at + size);
    const answered = await answerAll(models, some, { atOnce, maxTokens, seconds: left(), signal });
    if (answered === null) break;
    for (const [i, { answers, seconds: took }] of answered.entries()) {
      given[i]!.answers.push(...answers);
      given[i]!.seconds += took;
    }
    at += some.length;
    const perQuestion = (seconds - left()) / at;
    size = Math.min(mostRounds * atOnce, Math.floor((planned * left()) / perQuestion));
  }
  return given;
}

/** All answers of all models; null where the time was over before. */
async function answerAll(
  models: readonly Askable[],
  questions: readonly TestQuestion[],
  { atOnce, maxTokens, seconds, signal }: Within,
): Promise<AnsweredWithin[] | null> {
  const timeout = AbortSignal.timeout(Math.max(1, Math.floor(seconds * 1000)));
  const answered: AnsweredWithin[] = [];
  try {
    for (const model of models) {
      const began = performance.now();
      const found = await askAll(model, questions, { atOnce, maxTokens, signal: AbortSignal.any([signal, timeout]) });
      const answers = found.map((answer) => answer ?? noAnswer);
      answered.push({ answers, seconds: (performance.now() - began) / 1000 });
    }
    return answered;
  } catch (error) {
    if (timeout.aborted && !signal.aborted) return null;
    throw error;
  }
}
