/**
 * A few answers before and after the run, for the eye. Promises: a question that the model's context does not hold is passed over, a
 * sample is no reason for a run to fail; what was cut says so.
 */
import type { GenerateOptions, Model } from '../chat/chat-model.ts';
import type { Question } from '../dataset/prepared.ts';
import { NomoatError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import type { AnswerTeam } from '../llama/answer-team.ts';

const sampleCount = 3;
/** Questions that are looked at for them. */
const sampleCandidates = 20;
/** A sample shows what the model does; a model that does not stop need not be shown for long. */
export const sampleTokens = 80;

/** What can be asked for them. */
type Asked = Pick<Model, 'complete' | 'continue' | 'generate'>;

/** The answer, marked where it was cut; null where the question does not fit into the context. */
async function answerOf(chat: Asked, question: Question, options: GenerateOptions): Promise<string | null> {
  try {
    const { stopReason, text } =
      'messages' in question
        ? await chat.generate(question.messages, options)
        : 'prompt' in question
          ? await chat.continue(question.prompt, options)
          : await chat.complete(question.beginning, options);
    if (stopReason === 'aborted') throw new Error('interrupted');
    return stopReason === 'length' ? `${text} ...` : text;
  } catch (error) {
    if (error instanceof NomoatError && error.kind === 'input') return null;
    throw error;
  }
}

const promptOf = (question: Question): string =>
  'messages' in question
    ? (question.messages.at(-1)?.content ?? '')
    : 'prompt' in question
      ? question.prompt
      : question.beginning;

/** The base, and what came of it, as they answer. */
export interface BeforeAndAfter {
  readonly before: AnswerTeam;
  readonly after: AnswerTeam;
}

/** A question as it is shown, with the model's answer. */
interface Answered {
  readonly question: Question;
  readonly prompt: string;
  readonly expected: string;
  readonly answer: string;
}

/** The first of the questions that fit, each with the model's answer as soon as it is there. Throws when `signal` aborts. */
export async function* answersTo(
  chat: Asked,
  questions: readonly Question[],
  signal: AbortSignal,
): AsyncGenerator<Answered, void> {
  let made = 0;
  for (const question of questions.slice(0, sampleCandidates)) {
    if (made === sampleCount) break;
    const answer = await answerOf(chat, question, { temperature: 0, maxTokens: sampleTokens, seed: 0, signal });
    if (answer === null) continue;
    made++;
    yield { question, prompt: promptOf(question), expected: question.expected, answer };
  }
}

async function allAnswers(...given: Parameters<typeof answersTo>): Promise<Answered[]> {
  const all: Answered[] = [];
  for await (const answered of answersTo(...given)) all.push(answered);
  return all;
}

/** Events of the samples, or the notice that there are none. Throws when `signal` aborts. */
export async function makeSamples(
  questions: readonly Question[],
  models: BeforeAndAfter,
  signal: AbortSignal,
): Promise<RunEvent[]> {
  if (questions.length === 0) return [];
  const before = await allAnswers(models.before, questions, signal);
  if (before.length === 0)
    return [{ type: 'notice', code: 'no-samples', message: "No samples: the questions fill the model's context." }];
  const asked = before.map(({ question }) => question);
  const after = await allAnswers(models.after, asked, signal);
  return before.map(({ answer, expected, prompt }, i) => ({
    type: 'sample',
    prompt,
    expected,
    before: answer,
    after: after[i]!.answer,
  }));
}
