/**
 * What people thought of answers, as it stands beside a conversation: `{"messages": [...], "feedback": [{"message": 1, "mark": "bad", "better":
 * "..."}]}`, messages counted from 0. Promises: an entry is read whole or refused with the reason. Pure.
 */
import { z } from 'zod';
import { messagesOf, toolsOf } from './messages.ts';
import { labelOf } from './preferences.ts';
import { systemTurn } from './prompt-completion.ts';
import { type Fields, isObject, RecordRefused } from './refused.ts';

/** What is thought of an answer. */
export interface Mark {
  readonly mark: 'good' | 'bad';
  /** The answer that would have been right in the place of a bad one. */
  readonly better?: string;
}

/** A mark with its answer. */
export interface Feedback extends Mark {
  /** Which of the record's messages it is about, from 0. */
  readonly message: number;
}

/** Messages as a record, with their marks beside them; bad answers carry weight 0, so that nothing learns them. */
export const withMarks = <Said extends object>(messages: readonly Said[], feedback: readonly Feedback[]) => ({
  messages: messages.map((message, i) =>
    feedback.some((mark) => mark.message === i && mark.mark === 'bad') ? { ...message, weight: 0 as const } : message,
  ),
  ...(feedback.length > 0 ? { feedback } : {}),
});

/** An answer that was marked, with what it was an answer to. Messages are as the record wrote them, without weights. */
export interface MarkedAnswer extends Feedback {
  readonly prompt: readonly Fields[];
  readonly answer: Fields;
  /** Whether it carries weight 0, as answers do that were stopped or cut. */
  readonly unlearnt: boolean;
  readonly tools?: readonly unknown[];
}

const feedbackSchema = z.object({
  message: z.int().min(0),
  mark: z.enum(['good', 'bad']),
  better: z.string().optional(),
});

function entryOf(value: unknown): Feedback {
  const { data, error } = feedbackSchema.safeParse(value);
  if (!data) {
    const at = error.issues[0]?.path.join('.');
    throw new RecordRefused('a mark is none', `${at ? `${at}, ` : ''}${JSON.stringify(value)}`.slice(0, 100));
  }
  const { better, ...entry } = data;
  if (better === undefined) return entry;
  if (entry.mark === 'good') throw new RecordRefused('an answer is marked good and has a better one');
  if (better.trim() === '') throw new RecordRefused('the better answer is empty');
  return { ...entry, better };
}

const withoutWeight = ({ weight: _, ...message }: Fields): Fields => message;

const isAnswer = (message: Fields | undefined): boolean => message?.role === 'assistant';

/** The marks of a record: its list of them, or one label for all, which is of its last answer. */
function feedbackOf(record: Fields, messages: readonly Fields[]): Feedback[] {
  if (Array.isArray(record.feedback)) return record.feedback.map(entryOf);
  const { label } = labelOf(record);
  const message = messages.findLastIndex(isAnswer);
  return label === undefined || message < 0 ? [] : [{ message, mark: label ? 'good' : 'bad' }];
}

/** What a record of a conversation holds for those who learn from marks. */
export interface MarkedConversation {
  readonly marked: readonly MarkedAnswer[];
  /** Answers that nobody marked. */
  readonly unmarked: number;
}

/** The marked answers of one conversation. Throws RecordRefused. */
export function markedAnswers(record: unknown): MarkedConversation {
  if (!isObject(record) || !Object.hasOwn(record, 'messages'))
    throw new RecordRefused('is no conversation with messages');
  // What cannot be learnt is told here, by the rules that training has.
  messagesOf(record.messages, new Set());
  const messages = record.messages as readonly Fields[];
  const tools = toolsOf(record.tools);
  const marked = feedbackOf(record, messages).map((feedback): MarkedAnswer => {
    const answer = messages[feedback.message];
    if (answer === undefined || !isAnswer(answer))
      throw new RecordRefused('a mark is of no answer', `message ${feedback.message}, from 0`);
    if (!messages.slice(0, feedback.message).some(({ role }) => role !== 'system'))
      throw new RecordRefused('an answer that is marked stands behind no question');
    const { better, ...mark } = feedback;
    if (typeof answer.content === 'string' && better?.trim() === answer.content.trim())
      throw new RecordRefused('the better answer is the one that was given');
    const prompt = [...systemTurn(record.system), ...messages.slice(0, feedback.message)].map(withoutWeight);
    return {
      ...mark,
      ...(better === undefined ? {} : { better }),
      prompt,
      answer: withoutWeight(answer),
      unlearnt: answer.weight === 0,
      ...tools,
    };
  });
  const answers = messages.filter(isAnswer).length;
  return { marked, unmarked: answers - new Set(marked.map(({ message }) => message)).size };
}
