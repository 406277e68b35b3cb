/** Answers of a model to questions, as users get them. Promises: side by side where the model can; what was answered before is not computed again. */
import { createHash } from 'node:crypto';
import type { Generated, GenerateOptions, Model } from '../chat/chat-model.ts';
import { unlessTooLong } from '../chat/refusals.ts';
import { sideBySide } from './side-by-side.ts';
import type { TestQuestion } from './test-set.ts';

/** An answer, and whether it ended by itself. */
export interface TestAnswer {
  readonly text: string;
  readonly ended: boolean;
}

/** What a question gets that does not fit the context. */
export const noAnswer: TestAnswer = { text: '', ended: false };

/** Answers from before, and where new ones are kept. */
export interface AnswerStore {
  find(question: TestQuestion): TestAnswer | null;
  keep(question: TestQuestion, answer: TestAnswer): void;
}

/** What is asked: a model, or several that share the work. */
export type Askable = Pick<Model, 'generate' | 'continue'>;

export interface AskOptions {
  readonly maxTokens: number;
  /** 0, the default, takes the likeliest token at each step. */
  readonly temperature?: number;
  /**
   * Of answers that are drawn: with the same one, the same answers. Each question draws by one of its own that this and the question decide:
   * with one for all, every answer would begin with the same random number, and comparisons count questions as independent.
   */
  readonly seed?: number | null;
  /** Questions at once. */
  readonly atOnce: number;
  /** Without one, everything is computed and nothing is kept. */
  readonly store?: AnswerStore;
  readonly signal?: AbortSignal;
  /** Told after each answer how many there are. */
  readonly onAnswer?: (done: number) => void;
}

/** What a question draws by, whatever is asked beside it. */
const seedOf = ({ ask }: TestQuestion, seed: number | null): number | null =>
  seed === null
    ? null
    : createHash('sha256')
        .update(`${seed} ${JSON.stringify(ask)}`)
        .digest()
        .readUInt32LE();

/** The answer; null where the question does not fit the context. */
const answerOf = (model: Askable, { ask }: TestQuestion, options: GenerateOptions): Promise<Generated | null> =>
  unlessTooLong(() =>
    'messages' in ask ? model.generate(ask.messages, options) : model.continue(ask.prompt, options),
  );

/** Answers in the order of the questions; null where a question does not fit. Rejects with the signal's reason. */
export async function askAll(
  model: Askable,
  questions: readonly TestQuestion[],
  options: AskOptions,
): Promise<(TestAnswer | null)[]> {
  const { atOnce, maxTokens, onAnswer, seed = null, signal, store, temperature = 0 } = options;
  const sampling = { temperature, maxTokens, ...(signal ? { signal } : {}) };
  const answers = new Array<TestAnswer | null>(questions.length).fill(null);
  let done = 0;
  await sideBySide(questions.length, atOnce, async (i) => {
    const question = questions[i]!;
    const known = store?.find(question) ?? null;
    const generated = known ? null : await answerOf(model, question, { ...sampling, seed: seedOf(question, seed) });
    signal?.throwIfAborted();
    answers[i] = known ?? (generated && { text: generated.text, ended: generated.stopReason === 'end-of-turn' });
    if (!known && answers[i]) store?.keep(question, answers[i]!);
    onAnswer?.(++done);
  });
  return answers;
}
