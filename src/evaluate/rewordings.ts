/**
 * The same questions in other words: changes that leave what is asked as it is, and a reader's answer with it. A model whose scores fall with
 * them has learnt the form of its training data. Pure.
 */
import type { TestQuestion } from './test-set.ts';

const withoutEnd = (text: string): string => text.replace(/[\s.!?。！？]+$/u, '');

/** What is changed, of the last thing that is asked. */
const changes = {
  'in lower case': (text: string) => text.toLowerCase(),
  'without its last punctuation': withoutEnd,
  'with a polite beginning': (text: string) => `Hello, I have a question. ${text}`,
  'in quotation marks': (text: string) => `"${text.trim()}"`,
  'with white space around it': (text: string) => `\n  ${text}  \n`,
} as const;

/** One way of asking. */
export type Rewording = keyof typeof changes;

/** All ways of asking otherwise, in the order in which they are asked. */
export const rewordings = Object.keys(changes) as readonly Rewording[];

/** A question asked so; a prompt that is continued as it is has no such form, and stays. */
export function reworded(question: TestQuestion, how: Rewording): TestQuestion {
  const { ask, expected } = question;
  if ('prompt' in ask) return question;
  const last = ask.messages.findLastIndex(({ role }) => role === 'user');
  const messages = ask.messages.map((message, i) =>
    i === last && message.content !== null ? { ...message, content: changes[how](message.content) } : message,
  );
  return { ask: { messages }, expected };
}

/** How one way of asking scored beside the usual one, on the same examples. */
export interface RewordingScore {
  readonly how: Rewording;
  readonly score: number;
  /** Less the score of the questions as they are. */
  readonly difference: number;
  /** Paired, two-sided, corrected for all ways (Holm). */
  readonly pValue: number;
}

/** What asking otherwise came to, by the first metric. */
export interface Sensitivity {
  /** Examples that were asked in each way. */
  readonly examples: number;
  /** Of these, as they are. */
  readonly score: number;
  readonly rewordings: readonly RewordingScore[];
}
