/** Answers of a model to questions, as users get them. Promises: greedy; side by side where the model can; what was answered before is not computed again. */
import type { Generated, GenerateOptions, Model } from '../chat/chat-model.ts';
import { NomoatError } from '../errors.ts';
import type { Message } from '../text/example.ts';

/** What a model is asked, and what is expected. */
export interface TestQuestion {
  readonly ask: { readonly messages: readonly Message[] } | { readonly prompt: string };
  readonly expected: string;
}

/** An answer, and whether it ended by itself. */
export interface TestAnswer {
  readonly text: string;
  readonly ended: boolean;
}

/** Answers from before, and where new ones are kept. */
export interface AnswerStore {
  find(question: TestQuestion): TestAnswer | null;
  keep(question: TestQuestion, answer: TestAnswer): void;
}

export interface AskOptions {
  readonly maxTokens: number;
  /** Questions at once. */
  readonly atOnce: number;
  readonly store: AnswerStore;
  readonly signal?: AbortSignal;
  /** Told after each answer how many there are. */
  readonly onAnswer?: (done: number) => void;
}

/** The answer; null where the question does not fit the context. */
async function answerOf(model: Model, { ask }: TestQuestion, options: GenerateOptions): Promise<Generated | null> {
  try {
    return 'messages' in ask ? await model.generate(ask.messages, options) : await model.continue(ask.prompt, options);
  } catch (error) {
    if (error instanceof NomoatError && error.code === 'context-full') return null;
    throw error;
  }
}

/** Answers in the order of the questions; null where a question does not fit. Rejects with the signal's reason. */
export async function askAll(
  model: Model,
  questions: readonly TestQuestion[],
  options: AskOptions,
): Promise<(TestAnswer | null)[]> {
  const { atOnce, maxTokens, onAnswer, signal, store } = options;
  const answers = new Array<TestAnswer | null>(questions.length).fill(null);
  let [next, done] = [0, 0];
  const work = async (): Promise<void> => {
    for (let i = next++; i < questions.length; i = next++) {
      const question = questions[i]!;
      const known = store.find(question);
      const generated = known ? null : await answerOf(model, question, { temperature: 0, maxTokens, ...(signal ? { signal } : {}) }); // biome-ignore format: one line
      signal?.throwIfAborted();
      answers[i] = known ?? (generated && { text: generated.text, ended: generated.stopReason === 'end-of-turn' });
      if (!known && answers[i]) store.keep(question, answers[i]!);
      onAnswer?.(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, questions.length) }, work));
  return answers;
}

/** A text's last words again and again: this many of the same in a row. */
const repeats = 4;
const longestLoop = 8;

function loops(text: string): boolean {
  const words = text.split(/\s+/).filter(Boolean);
  for (let size = 1; size <= longestLoop; size++) {
    const tail = words.slice(-size * repeats);
    if (tail.length === size * repeats && tail.every((word, i) => word === tail[i % size])) return true;
  }
  return false;
}

/** Answers that no user would want, by kind. */
export interface Degenerate {
  readonly empty: number;
  /** Cut at the most tokens. */
  readonly unended: number;
  /** The same words again and again at the end. */
  readonly repeating: number;
}

export function degenerateOf(answers: readonly TestAnswer[]): Degenerate {
  const count = (is: (answer: TestAnswer) => boolean): number => answers.filter(is).length;
  return {
    empty: count(({ text }) => text.trim() === ''),
    unended: count(({ ended }) => !ended),
    repeating: count(({ text }) => loops(text)),
  };
}
