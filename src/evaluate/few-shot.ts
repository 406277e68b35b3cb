/**
 * Training examples shown in the prompt: what somebody gets who does not train but writes a few of them down. By rule: the examples are shuffled by
 * the seed, those with an answer that is not there yet come first, and all questions are given the same ones, in the same order. Pure.
 */
import { shuffled } from '../batches/order.ts';
import type { Message } from '../text/example.ts';
import { mostTokensOf, type TestQuestion } from './test-set.ts';

/** Which examples, and how many. */
export interface ShotOptions {
  readonly count: number;
  readonly seed: number;
  /** Tokens of the longest prompt with its answer, at most. */
  readonly most: number;
  /** Of an answer, at most. */
  readonly answerTokens: number;
}

/** Questions with examples before them. */
export interface Shown {
  readonly questions: readonly TestQuestion[];
  /** Examples that fit; all questions have the same. */
  readonly count: number;
}

/** The examples in the order in which they are taken. */
export function chosenExamples(
  learnt: readonly TestQuestion[],
  { count, seed }: Pick<ShotOptions, 'count' | 'seed'>,
): TestQuestion[] {
  const drawn = shuffled(learnt.length, seed).map((i) => learnt[i]!);
  const seen = new Set<string>();
  const [fresh, further]: [TestQuestion[], TestQuestion[]] = [[], []];
  for (const example of drawn) {
    (seen.has(example.expected) ? further : fresh).push(example);
    seen.add(example.expected);
  }
  return [...fresh, ...further].slice(0, count);
}

const isSystem = ({ role }: Message): boolean => role === 'system';

/** A conversation goes on with its examples as earlier turns, behind its system prompt; a prompt stands behind them as text. */
function withExamples(question: TestQuestion, examples: readonly TestQuestion[]): TestQuestion {
  const { ask, expected } = question;
  if ('prompt' in ask) {
    const texts = examples.map(
      (example) => `${'prompt' in example.ask ? example.ask.prompt : ''}${example.expected}\n\n`,
    );
    return { ask: { prompt: `${texts.join('')}${ask.prompt}` }, expected };
  }
  const turns = examples.flatMap((example): Message[] => {
    const said = 'messages' in example.ask ? example.ask.messages : [{ role: 'user', content: example.ask.prompt }];
    return [...said.filter((message) => !isSystem(message)), { role: 'assistant', content: example.expected }];
  });
  const [system, rest] = [ask.messages.filter(isSystem), ask.messages.filter((message) => !isSystem(message))];
  return { ask: { messages: [...system, ...turns, ...rest] }, expected };
}

/** The questions with as many examples before them as fit. */
export function withShots(
  questions: readonly TestQuestion[],
  learnt: readonly TestQuestion[],
  options: ShotOptions,
): Shown {
  const examples = chosenExamples(learnt, options);
  for (let count = examples.length; count > 0; count--) {
    const shown = questions.map((question) => withExamples(question, examples.slice(0, count)));
    if (mostTokensOf(shown, options.answerTokens) <= options.most) return { questions: shown, count };
  }
  return { questions, count: 0 };
}
