/**
 * Share of questions whose answer is exactly the expected one, with its confidence interval. Promises: greedy decoding, white space at
 * the ends ignored, nothing else forgiven.
 */
import type { ChatModel } from '../chat/chat-model.ts';
import type { Message } from '../text/example.ts';

export interface AskedQuestion {
  readonly messages: readonly Message[];
  readonly expected: string;
}

export interface ExactMatch {
  readonly right: number;
  readonly total: number;
  /** The answers, in the questions' order. */
  readonly answers: readonly string[];
}

/** An answer may be this many times longer than the longest expected one, in tokens; more cannot be right. */
const roomForAnswers = 2;
/** Tokens of the shortest limit. */
const minAnswerTokens = 16;

/** Asks every question. `onAnswer` is told how many are done. */
export async function exactMatch(
  model: Pick<ChatModel, 'generate'>,
  questions: readonly AskedQuestion[],
  onAnswer: (done: number) => void = () => {},
): Promise<ExactMatch> {
  const longest = Math.max(0, ...questions.map(({ expected }) => expected.length));
  const maxTokens = Math.max(minAnswerTokens, roomForAnswers * longest);
  const answers: string[] = [];
  let right = 0;
  for (const { messages, expected } of questions) {
    const { text } = await model.generate(messages, { temperature: 0, maxTokens });
    answers.push(text);
    if (text.trim() === expected.trim()) right++;
    onAnswer(answers.length);
  }
  return { right, total: questions.length, answers };
}
