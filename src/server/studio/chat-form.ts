/**
 * A chat of the studio as it is kept, and the conversations in it as data sets have them. Promises: what is learnt from is what was said: an answer that
 * failed is left out with its question, one that was cut or is bad carries weight 0. Pure.
 */
import { z } from 'zod';
import { type Feedback, withMarks } from '../../text/feedback.ts';
import { plainText } from '../parameters.ts';

/** Side by side, more than that nobody compares. */
export const mostColumns = 4;
/** A request's body has a bound of its own; this keeps a page quick. */
const mostTurns = 2000;
const mostTitle = 200;

const call = z.object({ name: z.string(), arguments: z.string() });
export const keptAnswer = z.object({
  model: z.string().describe('as it was asked for: a name, or a stack of names'),
  text: plainText,
  thoughts: plainText,
  calls: z.array(call).describe('of tools'),
  cut: z.boolean().describe('whether it ended at the longest answer, or was stopped'),
  fault: z.string().nullable().describe('why there is none'),
  mark: z.enum(['good', 'bad']).nullable(),
  better: plainText.nullable().describe('of a bad one: the answer that would have been right'),
});
const column = z.int().min(0).lt(mostColumns);
export const keptTurn = z.object({
  prompt: plainText,
  answers: z.array(keptAnswer.nullable()).max(mostColumns),
  order: z.array(column).max(mostColumns).nullable().describe('of a blind comparison: which answer stands where'),
  vote: z
    .object({ best: column.nullable().describe('null: as good as each other') })
    .nullable()
    .describe('which answer was the best'),
});
export const keptChat = z.object({
  title: z.string().max(mostTitle),
  models: z.array(z.string()).max(mostColumns),
  system: plainText,
  sampling: z.object({
    temperature: z.number(),
    topP: z.number().nullable(),
    maxTokens: z.int().nullable(),
    seed: z.int().nullable(),
  }),
  blind: z.boolean().describe('whether names are hidden until there is a vote'),
  turns: z.array(keptTurn).max(mostTurns),
});
export type KeptChat = z.output<typeof keptChat>;
export type KeptAnswer = z.output<typeof keptAnswer>;

const toolCalls = (calls: KeptAnswer['calls'], turn: number): object =>
  calls.length === 0
    ? {}
    : { tool_calls: calls.map((each, i) => ({ id: `call_${turn}_${i}`, type: 'function', function: each })) };

/** Whether there is something that a model said. */
export const isSaid = (answer: KeptAnswer | null | undefined): answer is KeptAnswer =>
  !!answer && answer.fault === null && (answer.text.trim() !== '' || answer.calls.length > 0);

interface SaidMessage {
  readonly role: string;
  readonly content: string;
  readonly weight?: 0;
}

function conversationOf({ system, turns }: KeptChat, index: number): object | null {
  const messages: SaidMessage[] = system === '' ? [] : [{ role: 'system', content: system }];
  const feedback: Feedback[] = [];
  const models = new Set<string>();
  for (const [turn, { answers, prompt }] of turns.entries()) {
    const answer = answers[index];
    if (!isSaid(answer)) continue;
    const { better, calls, cut, mark, model, text, thoughts } = answer;
    messages.push({ role: 'user', content: prompt });
    if (mark !== null) feedback.push({ message: messages.length, mark, ...(better ? { better } : {}) });
    messages.push({
      role: 'assistant',
      content: text,
      ...(thoughts ? { reasoning_content: thoughts } : {}),
      ...toolCalls(calls, turn),
      ...(cut ? { weight: 0 } : {}),
    });
    models.add(model);
  }
  return models.size === 0 ? null : { ...withMarks(messages, feedback), model: [...models].join(', ') };
}

/** Each model's side of a chat, with its marks, as a chat of the command line saves it: `collect()` and `tune()` read it. */
export const conversationsOf = (chat: KeptChat): object[] =>
  Array.from({ length: mostColumns }, (_, i) => conversationOf(chat, i)).filter((each) => each !== null);

/** A vote, with the models that it was about. */
export interface Vote {
  readonly models: readonly string[];
  readonly best: number | null;
}

const votesOf = ({ turns }: KeptChat): Vote[] =>
  turns.flatMap(({ answers, vote }) =>
    vote ? [{ models: answers.map((answer) => answer?.model ?? ''), best: vote.best }] : [],
  );

/** What a list says of a chat. */
export function chatSummary(chat: KeptChat) {
  const answers = chat.turns.flatMap((turn) => turn.answers.filter(isSaid));
  const marked = (mark: 'good' | 'bad'): number => answers.filter((answer) => answer.mark === mark).length;
  return {
    title: chat.title,
    models: chat.models,
    turns: chat.turns.length,
    answers: answers.length,
    marks: { good: marked('good'), bad: marked('bad'), better: answers.filter(({ better }) => better).length },
    votes: votesOf(chat),
  };
}
