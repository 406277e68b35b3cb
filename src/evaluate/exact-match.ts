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

/** Wilson's interval of a share at 95% confidence: https://doi.org/10.1080/01621459.1927.10502953 */
export function wilsonInterval(right: number, total: number): [low: number, high: number] {
  if (total === 0) return [0, 1];
  const z = 1.959963984540054;
  const share = right / total;
  const centre = share + (z * z) / (2 * total);
  const half = z * Math.sqrt((share * (1 - share)) / total + (z * z) / (4 * total * total));
  const scale = 1 + (z * z) / total;
  return [Math.max(0, (centre - half) / scale), Math.min(1, (centre + half) / scale)];
}
