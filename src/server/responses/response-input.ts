/** What stands in `input` of POST /v1/responses, as the messages of a conversation. Pure. */
import { z } from 'zod';
import type { Message } from '../../text/example.ts';
import { open, plainText } from '../parameters.ts';

/** What only answers of this API hold; accepted where it is sent back, since it changes nothing. */
const id = open(z.string());
const status = open(z.enum(['in_progress', 'completed', 'incomplete']));
const nothing = (error: string) => open(z.array(z.never(), { error }).max(0, error));

const inputPart = z.strictObject({
  type: z.enum(['input_text', 'output_text', 'text'], { error: 'only texts are supported' }),
  text: plainText,
  annotations: nothing('annotations are not supported'),
  logprobs: nothing('log-probabilities are not sent back'),
});
const content = z.union([plainText, z.array(inputPart)], { error: 'expected a text, or a list of texts' });

const message = z.strictObject({
  type: z.literal('message'),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content,
  id,
  status,
  phase: z.null({ error: 'phases are not supported' }).optional(),
});
const functionCall = z.strictObject({
  type: z.literal('function_call'),
  call_id: plainText.min(1),
  name: plainText.min(1),
  arguments: plainText,
  id,
  status,
});
const functionResult = z.strictObject({
  type: z.literal('function_call_output'),
  call_id: plainText.min(1),
  output: content,
  id,
  status,
});
const reasoning = z.strictObject({
  type: z.literal('reasoning'),
  id,
  status,
  summary: nothing('summaries of thoughts are not supported'),
  content: open(z.array(z.strictObject({ type: z.literal('reasoning_text'), text: plainText }))),
  encrypted_content: z.null({ error: 'encrypted thoughts are not supported' }).optional(),
});

const item = z.discriminatedUnion('type', [message, functionCall, functionResult, reasoning], {
  error: 'expected message, function_call, function_call_output or reasoning',
});
type Item = z.output<typeof item>;

/** A call's result has to stand behind the call. */
function checkResults(items: readonly Item[], context: z.RefinementCtx): void {
  const calls = new Set<string>();
  for (const [i, each] of items.entries()) {
    if (each.type === 'function_call') calls.add(each.call_id);
    if (each.type === 'function_call_output' && !calls.has(each.call_id))
      context.addIssue({ code: 'custom', path: [i, 'call_id'], message: 'no call of the items before has this id' });
  }
}

export const responseInput = z.union([plainText.min(1), z.array(item).min(1).superRefine(checkResults)], {
  error: 'expected a text, or a list of items',
});

/** Items whose type goes without saying are messages. */
export const withTypes = (input: unknown): unknown =>
  Array.isArray(input)
    ? input.map((each: unknown) =>
        isRecord(each) && each.type === undefined && 'role' in each ? { type: 'message', ...each } : each,
      )
    : input;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (given: z.output<typeof content>): string =>
  typeof given === 'string' ? given : given.map(({ text }) => text).join('');

/** What an item adds to the answer that it is a part of; null where it is none of an answer. */
function partOf(each: Item): Partial<Message> | null {
  if (each.type === 'reasoning') {
    const thoughts = (each.content ?? []).map(({ text }) => text).join('');
    return thoughts === '' ? {} : { reasoning_content: thoughts };
  }
  if (each.type === 'message' && each.role === 'assistant') return { content: textOf(each.content) };
  if (each.type !== 'function_call') return null;
  const called = { name: each.name, arguments: each.arguments };
  return { tool_calls: [{ id: each.call_id, type: 'function', function: called }] };
}

/** An answer's thoughts, text and calls are items of their own, in this order. */
function joined(before: Message | undefined, part: Partial<Message>): Message | null {
  if (before?.role !== 'assistant') return null;
  const { content, reasoning_content: thoughts, tool_calls: calls } = before;
  if (part.tool_calls) return { ...before, tool_calls: [...(calls ?? []), ...part.tool_calls] };
  const isBehind = calls !== undefined || content !== null || (thoughts !== undefined && part.content === undefined);
  return isBehind ? null : { ...before, ...part };
}

function messageOf(each: Exclude<Item, { type: 'reasoning' | 'function_call' }>): Message {
  if (each.type === 'function_call_output')
    return { role: 'tool', tool_call_id: each.call_id, content: textOf(each.output) };
  return { role: each.role === 'developer' ? 'system' : each.role, content: textOf(each.content) };
}

/** The conversation, behind the instructions. */
export function messagesOf(input: z.output<typeof responseInput>, instructions: string | null): Message[] {
  const messages: Message[] = instructions === null ? [] : [{ role: 'system', content: instructions }];
  if (typeof input === 'string') return [...messages, { role: 'user', content: input }];
  for (const each of input) {
    const part = partOf(each);
    if (part === null) messages.push(messageOf(each as Exclude<Item, { type: 'reasoning' | 'function_call' }>));
    else {
      const whole = joined(messages.at(-1), part);
      if (whole) messages[messages.length - 1] = whole;
      else messages.push({ role: 'assistant', content: null, ...part });
    }
  }
  return messages.map((each) => (each.content === null && !each.tool_calls ? { ...each, content: '' } : each));
}
