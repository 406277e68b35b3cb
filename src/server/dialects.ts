/** Answers in the form of the two routes of OpenAI's API, whole and in pieces. Pure. */
import { randomUUID } from 'node:crypto';
import type { AnswerEvent, Job, Usage } from './answer.ts';
import type { CallEvent, FinishReason } from './choice.ts';
import { dataFrames } from './event-stream.ts';
import { chatLogprobs, completionLogprobs } from './logprobs.ts';
import type { RouteForm } from './route-form.ts';
import type { PlacedToken } from './token-places.ts';

/** A choice that has ended. */
export interface Choice {
  readonly index: number;
  readonly text: string;
  readonly thoughts: string;
  readonly calls: readonly ChosenCall[];
  readonly reason: FinishReason;
  readonly tokens: readonly PlacedToken[];
}

/** A call with its arguments as JSON text. */
export interface ChosenCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** How a route words its answers. */
export interface Dialect {
  /** What a request's faults are about: where its prompt is. */
  readonly param: string;
  readonly idPrefix: string;
  readonly wholeObject: string;
  readonly pieceObject: string;
  readonly logprobs: (tokens: readonly PlacedToken[]) => object;
  /** `logprobs` is null where none are asked for. */
  readonly choice: (choice: Choice, logprobs: object | null) => object;
  /** What comes before the first text of each choice, where something does. */
  readonly opening: (index: number) => object | null;
  /** null where there is nothing to tell. */
  readonly piece: (event: AnswerEvent, logprobs: object | null) => object | null;
}

const reasonOf = (event: AnswerEvent): FinishReason | null => (event.kind === 'end' ? event.reason : null);
const delta = (index: number, content: object, logprobs: object | null, reason: FinishReason | null): object => ({
  index,
  delta: content,
  logprobs,
  finish_reason: reason,
});

const toolCall = ({ arguments: given, id, name }: ChosenCall): object => ({
  id,
  type: 'function',
  function: { name, arguments: given },
});

function chatMessage({ calls, text, thoughts }: Choice): object {
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: null,
    ...(thoughts === '' ? {} : { reasoning_content: thoughts }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(toolCall) }),
  };
}

/** What an event adds to a message; null where nothing: a call's end, also of one that is none after all, whose text follows. */
function chatDelta(event: AnswerEvent): object | null {
  switch (event.kind) {
    case 'text':
      return { content: event.text };
    case 'thought':
      return { reasoning_content: event.text };
    case 'call':
      return { tool_calls: [{ index: event.call, ...toolCall({ ...event, arguments: '' }) }] };
    case 'arguments':
      return { tool_calls: [{ index: event.call, function: { arguments: event.text } }] };
    case 'call-end':
    case 'no-call':
      return null;
    case 'end':
      return {};
  }
}

export const chatDialect: Dialect = {
  param: 'messages',
  idPrefix: 'chatcmpl-',
  wholeObject: 'chat.completion',
  pieceObject: 'chat.completion.chunk',
  logprobs: chatLogprobs,
  choice: (choice, logprobs) => ({
    index: choice.index,
    message: chatMessage(choice),
    logprobs,
    finish_reason: choice.reason,
  }),
  opening: (index) => delta(index, { role: 'assistant', content: '' }, null, null),
  piece: (event, logprobs) => {
    const added = chatDelta(event) ?? (logprobs ? {} : null);
    return added && delta(event.index, added, logprobs, reasonOf(event));
  },
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
  choice: ({ index, reason, text }, logprobs) => textChoice(index, text, logprobs, reason),
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

/** The choices that the events tell of, whole. */
export function choicesOf(events: readonly AnswerEvent[]): Choice[] {
  return events.flatMap((event) => {
    if (event.kind !== 'end') return [];
    const { index, reason } = event;
    const own = events.filter((each) => each.index === index);
    const said = (kind: 'text' | 'thought'): string =>
      own.map((each) => (each.kind === kind ? each.text : '')).join('');
    const ended = new Set(own.map((each) => (each.kind === 'call-end' ? each.call : null)));
    const calls = own.flatMap((each) => (each.kind === 'call' && ended.has(each.call) ? [wholeCall(each, own)] : []));
    const tokens = own.flatMap((each) => each.tokens);
    return [{ index, reason, text: said('text'), thoughts: said('thought'), calls, tokens }];
  });
}

const wholeCall = ({ call, id, name }: CallEvent, events: readonly AnswerEvent[]): ChosenCall => ({
  id,
  name,
  arguments: events.map((each) => (each.kind === 'arguments' && each.call === call ? each.text : '')).join(''),
});

/** null where none are asked for, as OpenAI has it. */
const logprobsOf = (dialect: Dialect, job: Job, tokens: readonly PlacedToken[]): object | null =>
  job.sampling.logProbabilities === undefined ? null : dialect.logprobs(tokens);

/** The answer as one object. */
function wholeAnswer(dialect: Dialect, job: Job, events: readonly AnswerEvent[], usage: Usage): object {
  // Prompts that were computed side by side end in any order.
  const ended = choicesOf(events).sort((a, b) => a.index - b.index);
  const choices = ended.map((choice) => dialect.choice(choice, logprobsOf(dialect, job, choice.tokens)));
  return { ...head(dialect, job.model), object: dialect.wholeObject, choices, usage };
}

/** The answer in pieces, as they are sent; a fault is the last one. `faultOf` words what is thrown. */
async function* pieces(
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
    const piece = dialect.piece(event, logprobs);
    if (piece) yield { ...common, choices: [piece], ...noUsage };
  }
  if (job.includeUsage) yield { ...common, choices: [], usage: await usage };
}

/** The form of a job's answers in a dialect. */
export const formOf = (dialect: Dialect, job: Job): RouteForm => ({
  param: dialect.param,
  whole: (events, usage) => wholeAnswer(dialect, job, events, usage),
  pieces: (events, usage) => pieces(dialect, job, events, usage),
  frames: dataFrames,
});
