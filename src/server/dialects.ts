/** Answers in the form of the two routes of OpenAI's API, whole and in pieces. Pure. */
import { randomUUID } from 'node:crypto';
import type { AnswerEvent, FinishReason, Job, Usage } from './answer.ts';
import { chatLogprobs, completionLogprobs } from './logprobs.ts';
import type { PlacedToken } from './token-places.ts';

/** A choice that has ended. */
interface Choice {
  readonly index: number;
  readonly text: string;
  readonly reason: FinishReason;
  /** null where no log-probabilities are asked for. */
  readonly logprobs: object | null;
}

/** How a route words its answers. */
export interface Dialect {
  /** What a request's faults are about: where its prompt is. */
  readonly param: string;
  readonly idPrefix: string;
  readonly wholeObject: string;
  readonly pieceObject: string;
  readonly logprobs: (tokens: readonly PlacedToken[]) => object;
  readonly choice: (choice: Choice) => object;
  /** What comes before the first text of each choice, where something does. */
  readonly opening: (index: number) => object | null;
  readonly piece: (event: AnswerEvent, logprobs: object | null) => object;
}

const reasonOf = (event: AnswerEvent): FinishReason | null => (event.kind === 'end' ? event.reason : null);
const delta = (index: number, content: object, logprobs: object | null, reason: FinishReason | null): object => ({
  index,
  delta: content,
  logprobs,
  finish_reason: reason,
});

export const chatDialect: Dialect = {
  param: 'messages',
  idPrefix: 'chatcmpl-',
  wholeObject: 'chat.completion',
  pieceObject: 'chat.completion.chunk',
  logprobs: chatLogprobs,
  choice: ({ index, logprobs, reason, text }) => ({
    index,
    message: { role: 'assistant', content: text, refusal: null },
    logprobs,
    finish_reason: reason,
  }),
  opening: (index) => delta(index, { role: 'assistant', content: '' }, null, null),
  piece: (event, logprobs) =>
    delta(event.index, event.kind === 'text' ? { content: event.text } : {}, logprobs, reasonOf(event)),
};

const textChoice = (index: number, text: string, logprobs: object | null, reason: FinishReason | null): object => ({
  index,
  text,
  logprobs,
  finish_reason: reason,
});

export const completionDialect: Dialect = {
  param: 'prompt',
  idPrefix: 'cmpl-',
  wholeObject: 'text_completion',
  pieceObject: 'text_completion',
  logprobs: completionLogprobs,
  choice: ({ index, logprobs, reason, text }) => textChoice(index, text, logprobs, reason),
  opening: () => null,
  piece: (event, logprobs) =>
    textChoice(event.index, event.kind === 'text' ? event.text : '', logprobs, reasonOf(event)),
};

/** What every piece of an answer begins with. */
const head = ({ idPrefix }: Dialect, model: string) => ({
  id: `${idPrefix}${randomUUID().replaceAll('-', '')}`,
  created: Math.floor(Date.now() / 1000),
  model,
});

/** null where none are asked for, as OpenAI has it. */
const logprobsOf = (dialect: Dialect, job: Job, tokens: readonly PlacedToken[]): object | null =>
  job.sampling.logProbabilities === undefined ? null : dialect.logprobs(tokens);

/** The answer as one object. */
export function wholeAnswer(dialect: Dialect, job: Job, events: readonly AnswerEvent[], usage: Usage): object {
  const ended = events.flatMap((event) => {
    if (event.kind !== 'end') return [];
    const { index, reason } = event;
    const own = events.filter((each) => each.index === index);
    const text = own.map((each) => (each.kind === 'text' ? each.text : '')).join('');
    const tokens = own.flatMap((each) => each.tokens);
    return [{ index, choice: dialect.choice({ index, text, reason, logprobs: logprobsOf(dialect, job, tokens) }) }];
  });
  // Prompts that were computed side by side end in any order.
  const choices = ended.sort((a, b) => a.index - b.index).map(({ choice }) => choice);
  return { ...head(dialect, job.model), object: dialect.wholeObject, choices, usage };
}

/** The answer in pieces, as they are sent; a fault is the last one. `faultOf` words what is thrown. */
export async function* pieces(
  dialect: Dialect,
  job: Job,
  events: AsyncIterable<AnswerEvent>,
  usage: Promise<Usage>,
): AsyncGenerator<object, void, undefined> {
  const common = { ...head(dialect, job.model), object: dialect.pieceObject };
  // With the count at the end, every piece before it says that it has none.
  const noUsage = job.includeUsage ? { usage: null } : {};
  const opened = new Set<number>();
  for await (const event of events) {
    const opening = opened.has(event.index) ? null : dialect.opening(event.index);
    opened.add(event.index);
    if (opening) yield { ...common, choices: [opening], ...noUsage };
    const logprobs = event.tokens.length > 0 ? logprobsOf(dialect, job, event.tokens) : null;
    yield { ...common, choices: [dialect.piece(event, logprobs)], ...noUsage };
  }
  if (job.includeUsage) yield { ...common, choices: [], usage: await usage };
}
