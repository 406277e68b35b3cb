/**
 * Rows of training files by the rules of OpenAI's fine-tuning platform: for each format what a row has to be, and what
 * is wrong with one that is not. Promises: a row without faults is one that `parseRecord` takes. Pure.
 */
import { z } from 'zod';
import type { Example, RecordSource } from './example.ts';
import { parseRecord, type RecordFormat, type RecordRefusal } from './records.ts';
import { isObject } from './refused.ts';
import { faultsOf, type RowFault } from './tuning-faults.ts';
import { checkResults, tuningAnswer, tuningFunctions, tuningMessage, tuningTools } from './tuning-messages.ts';

/** Formats of the platform's training files, in the order in which they are looked for. */
export const tuningFormats = ['preference', 'chat', 'completion', 'reinforcement'] as const;
/**
 * What the rows of a training file are: conversations, prompts with completions, pairs of answers, or conversations to
 * be graded.
 */
export type TuningFormat = (typeof tuningFormats)[number];

const conversation = z.array(tuningMessage).min(1, 'is an empty list');
const oneAnswer = z.array(tuningAnswer).length(1, 'is not one answer');
type Conversation = z.output<typeof conversation>;

type Add = (path: readonly PropertyKey[], message: string) => void;

/** Where the faults of a conversation go that stands at `at` in its row. */
const adder = (context: z.RefinementCtx, at: readonly string[]): Add => {
  return (path, message) => context.addIssue({ code: 'custom', path: [...at, 'messages', ...path], message });
};

/** Faults of a conversation that is learnt from. */
function checkAnswered(messages: Conversation, add: Add): void {
  checkResults(messages, (index, message) => add([index, 'tool_call_id'], message));
  const end = messages.length - 1;
  const last = messages[end]!;
  if (!messages.some(({ role }) => role === 'assistant'))
    add([], 'has no message of the assistant: there is nothing to learn');
  else if (last.role !== 'assistant') add([end, 'role'], `is ${last.role}: the last message has to be the assistant's`);
  else if (last.weight === 0) add([end, 'weight'], 'is 0 of the last message, which is the one to learn');
}

/** Faults of a conversation that asks for an answer. */
function checkAsking(messages: Conversation, add: Add): void {
  checkResults(messages, (index, message) => add([index, 'tool_call_id'], message));
  const end = messages.length - 1;
  if (messages[end]!.role === 'assistant')
    add([end, 'role'], 'is assistant: the last message has to ask for an answer');
}

const schemas: Readonly<Record<TuningFormat, z.ZodType>> = {
  chat: z
    .strictObject({ messages: conversation, ...tuningTools, ...tuningFunctions })
    .superRefine(({ functions, messages, tools }, context) => {
      checkAnswered(messages, adder(context, []));
      if (tools && functions) context.addIssue({ code: 'custom', path: ['functions'], message: 'stands beside tools' });
    }),
  completion: z.strictObject({
    prompt: z.string(),
    completion: z.string().refine((text) => text.trim() !== '', 'is empty'),
  }),
  preference: z
    .strictObject({
      input: z.strictObject({ messages: conversation, ...tuningTools }),
      preferred_output: oneAnswer,
      non_preferred_output: oneAnswer,
    })
    .superRefine(({ input }, context) => checkAsking(input.messages, adder(context, ['input']))),
  // What a grader compares with stands beside the messages, under any name.
  reinforcement: z
    .looseObject({ messages: conversation, ...tuningTools })
    .superRefine(({ messages }, context) => checkAsking(messages, adder(context, []))),
};

const has = (value: unknown, key: string): boolean => isObject(value) && Object.hasOwn(value, key);

/** Whether the last message asks for an answer, as those of reinforcement do. */
function asksLast(value: unknown): boolean {
  const messages = isObject(value) && Array.isArray(value.messages) ? value.messages : [];
  const last: unknown = messages.at(-1);
  return isObject(last) && last.role !== 'assistant';
}

const known = new Set(['messages', ...Object.keys(tuningTools), ...Object.keys(tuningFunctions)]);

/** The format that a row's keys speak of, or null. */
export function tuningFormatOf(value: unknown): TuningFormat | null {
  if (has(value, 'preferred_output') || has(value, 'non_preferred_output')) return 'preference';
  if (has(value, 'messages')) {
    const more = Object.keys(value as object).some((key) => !known.has(key));
    return more && asksLast(value) ? 'reinforcement' : 'chat';
  }
  return has(value, 'prompt') && has(value, 'completion') ? 'completion' : null;
}

/** How `tune` reads the formats that it trains on. */
export const recordFormatOf: Readonly<Partial<Record<TuningFormat, RecordFormat>>> = {
  chat: 'messages',
  completion: 'prompt-completion',
  preference: 'openai-preference',
};

/** A row that was checked. */
export interface CheckedRow {
  readonly faults: readonly RowFault[];
  /** What `tune` reads of it; null where it has faults, or is of a format that is not trained on. */
  readonly example: Example | null;
}

/**
 * Lists, objects, texts and numbers of a row: no conversation with its tools has a hundredth of it, and each could be a
 * fault.
 */
const mostValues = 100_000;

/** Whether a row has more values than that. */
function isLarger(value: object): boolean {
  let left = mostValues;
  const goesBeyond = (each: unknown): boolean => {
    if (left-- <= 0) return true;
    return typeof each === 'object' && each !== null && Object.values(each).some(goesBeyond);
  };
  return goesBeyond(value);
}

/** All that is wrong with a row of that format; what the reader of examples would refuse is among it. */
export function checkTuningRow(value: unknown, format: TuningFormat, source: RecordSource): CheckedRow {
  const refuse = (faults: readonly RowFault[]): CheckedRow => ({ faults, example: null });
  if (!isObject(value)) return refuse([{ place: '', fault: 'is no JSON object' }]);
  if (isLarger(value)) return refuse([{ place: '', fault: `holds more than ${mostValues} values` }]);
  const { error } = schemas[format].safeParse(value);
  if (error) return refuse(faultsOf(error, value));
  const read = recordFormatOf[format];
  const parsed = read && parseRecord(read, value, source);
  if (!parsed) return refuse([]);
  return 'kind' in parsed ? { faults: [], example: parsed } : refuse([unlearnable(parsed)]);
}

/** A refusal of those who read or tokenise examples, as a fault. */
export const unlearnable = ({ detail, reason }: RecordRefusal): RowFault => ({
  place: '',
  fault: `cannot be learnt from: ${detail ? `${reason} (${detail})` : reason}`,
});
