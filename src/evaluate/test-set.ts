/** The examples that all models are asked, and what is expected of them. Pure. */
import { createHash } from 'node:crypto';
import type { Message } from '../text/example.ts';

/** What a model is asked, and what is expected. */
export interface TestQuestion {
  readonly ask: { readonly messages: readonly Message[] } | { readonly prompt: string };
  readonly expected: string;
}

/** What everything here is computed on: all models answer these questions, in this order. */
export interface TestSet {
  readonly questions: readonly TestQuestion[];
  /** Examples of the data that have no answer, which were left out. */
  readonly skipped: number;
  /** SHA-256 of the questions and expected answers: which test set this is. */
  readonly digest: string;
}

/** A test set of questions. */
export const testSetOf = (questions: readonly TestQuestion[], skipped = 0): TestSet => ({
  questions,
  skipped,
  digest: createHash('sha256').update(JSON.stringify(questions)).digest('hex'),
});

/** The last thing that is asked. */
export const promptOf = ({ ask }: TestQuestion): string =>
  'prompt' in ask ? ask.prompt : (ask.messages.at(-1)?.content ?? '');

/** With a system prompt where the data has none. */
export const withSystem = (questions: readonly TestQuestion[], system: string | null): readonly TestQuestion[] =>
  system === null
    ? questions
    : questions.map((question) =>
        'messages' in question.ask && question.ask.messages[0]?.role !== 'system'
          ? { ...question, ask: { messages: [{ role: 'system', content: system }, ...question.ask.messages] } }
          : question,
      );

/** Bounds of an answer's tokens where nobody says: short labels need few, and a model that never stops is cut. */
const leastTokens = 16;
const mostTokens = 512;

/** Tokens of an answer at most, where nobody says: twice as many as the longest expected answer has characters, within bounds. */
export function roomForAnswers(questions: readonly TestQuestion[]): number {
  const longest = questions.reduce((most, { expected }) => Math.max(most, expected.length), 0);
  return Math.min(mostTokens, Math.max(leastTokens, 2 * longest));
}
