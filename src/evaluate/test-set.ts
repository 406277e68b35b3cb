/** The examples that all models are asked, and what is expected of them. Pure. */
import { createHash } from 'node:crypto';
import type { Message } from '../text/example.ts';

/** What a model is asked, and what is expected. */
export interface TestQuestion {
  readonly ask: { readonly messages: readonly Message[] } | { readonly prompt: string };
  readonly expected: string;
  /** Of OpenAI's evals: the item that its graders look at. */
  readonly item?: Readonly<Record<string, unknown>>;
}

/** Examples that belong together, such as those of one conversation: they are not as many independent ones. */
export interface Clusters {
  /** What they have in common, for people: `the column "dialogue"`. */
  readonly by: string;
  /** Of each example, in their order. */
  readonly names: readonly string[];
}

/** What everything here is computed on: all models answer these questions, in this order. */
export interface TestSet {
  readonly questions: readonly TestQuestion[];
  /** Examples of the data that have no answer, which were left out. */
  readonly skipped: number;
  /** SHA-256 of the questions and expected answers: which test set this is. */
  readonly digest: string;
  /** null: each example is one by itself. */
  readonly clusters: Clusters | null;
}

/** A test set of questions. */
export const testSetOf = (
  questions: readonly TestQuestion[],
  { clusters = null, skipped = 0 }: Partial<Pick<TestSet, 'clusters' | 'skipped'>> = {},
): TestSet => ({
  questions,
  skipped,
  digest: createHash('sha256').update(JSON.stringify(questions)).digest('hex'),
  clusters,
});

/** How many independent ones there are: clusters, or examples. */
export const unitsOf = ({ clusters, questions }: TestSet): number =>
  clusters ? new Set(clusters.names).size : questions.length;

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

/** Tokens of a chat template's markup around a message, at most. */
const markupTokens = 32;

/** An upper bound of the tokens of a question with its answer: no token stands for less than a byte. */
export function mostTokensOf(questions: readonly TestQuestion[], answerTokens: number): number {
  const partsOf = ({ ask }: TestQuestion): readonly string[] =>
    'prompt' in ask ? [ask.prompt] : ask.messages.map(({ content }) => content ?? '');
  const tokensOf = (parts: readonly string[]): number =>
    parts.reduce((sum, part) => sum + Buffer.byteLength(part) + markupTokens, markupTokens);
  return questions.reduce((most, question) => Math.max(most, tokensOf(partsOf(question))), 0) + answerTokens;
}
