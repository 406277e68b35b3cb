/**
 * Conversations as data sets write them (OpenAI, Anthropic, sharegpt, LLaMA-Factory) as messages. Promises: what cannot be kept is refused with the
 * reason. Knows nothing of files. Pure.
 */
import { readJson } from '../formats/exact-json.ts';
import type { Message } from './example.ts';
import { saidBy } from './message-contents.ts';
import { flagNames, weightOf } from './message-flags.ts';
import { type Fields, isObject, RecordRefused, textOf } from './refused.ts';
import { thoughtKeys, thoughtsOf } from './thoughts.ts';
import { callsInText, toolCallsOf } from './tool-calls.ts';

/** Who speaks, in the words of sharegpt, OASST and their kin, in lower case. */
const speakers: Readonly<Record<string, string>> = {
  human: 'user',
  prompter: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bot: 'assistant',
  ai: 'assistant',
  model: 'assistant',
  bing: 'assistant',
  observation: 'tool',
  function_response: 'tool',
  tool_response: 'tool',
  tool_result: 'tool',
  function_call: 'assistant',
  tool_call: 'assistant',
};
/** Turns that hold a call as JSON text instead of words. */
const callRoles: readonly string[] = ['function_call', 'tool_call'];
/** Who speaks in a conversation. */
export const roles: readonly string[] = ['system', 'developer', 'user', 'assistant', 'tool', 'function', 'ipython'];

function roleOf(fields: Fields, where: string): { said: string; role: string } {
  const written = fields.role ?? fields.from;
  if (typeof written !== 'string' || written === '') throw new RecordRefused('a message has no role', where);
  const said = written.trim().toLowerCase();
  const role = Object.hasOwn(speakers, said) ? speakers[said]! : said;
  if (!roles.includes(role))
    throw new RecordRefused('a message is of an unknown role', `${where}: ${written.slice(0, 40)}`);
  return { said, role };
}

const readKeys = new Set<string>([
  'role',
  'from',
  'content',
  'value',
  'parts',
  'tool_calls',
  'function_call',
  'name',
  'tool_call_id',
  ...thoughtKeys,
  ...flagNames,
]);
/** Names of keys in a note; more would not help. */
const maxShownKey = 40;

/** A key that holds nothing (null, an empty text or list) is no loss. */
const holdsNothing = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);

function noteUnread(fields: Fields, notes: Set<string>): void {
  for (const key of Object.keys(fields))
    if (!readKeys.has(key) && !holdsNothing(fields[key]))
      notes.add(`the key "${key.slice(0, maxShownKey)}" of messages is not read`);
  for (const key of ['name', 'tool_call_id'] as const)
    if (!holdsNothing(fields[key]) && typeof fields[key] !== 'string')
      notes.add(`the key "${key}" of messages is not read where it is no text`);
}

/** One turn: a message, or the results of calls before it, which Anthropic puts into the message of the user. Throws RecordRefused. */
function turnOf(value: unknown, index: number, notes: Set<string>): Message[] {
  const where = `message ${index + 1}`;
  if (!isObject(value)) throw new RecordRefused('a message is no object', where);
  const { role, said } = roleOf(value, where);
  if (!holdsNothing(value.content) && !holdsNothing(value.value) && value.content !== value.value)
    throw new RecordRefused('a message has both a content and a value', where);
  // Google's form has parts.
  const written = value.content ?? value.value ?? value.parts;
  const isCall = callRoles.includes(said);
  noteUnread(value, notes);
  const { calls, content, results, thoughts } = saidBy(isCall ? null : written, where, notes);
  if (calls.length > 0 && !holdsNothing(value.tool_calls))
    throw new RecordRefused('a message has calls in its content and beside it', where);
  const message: Message = {
    role,
    content,
    ...weightOf(value, role, where, notes),
    ...(isCall
      ? { tool_calls: callsInText(written, where, notes) }
      : toolCallsOf(calls.length > 0 ? { ...value, tool_calls: calls } : value, where, notes)),
    ...(typeof value.name === 'string' && value.name !== '' ? { name: textOf(value.name, 'a name', where) } : {}),
    ...(typeof value.tool_call_id === 'string' ? { tool_call_id: value.tool_call_id } : {}),
    ...thoughtsOf(value, { content, parts: thoughts, role, where }, notes),
  };
  const before = results.map((result): Message => ({ role: 'tool', ...result }));
  if (message.content === null && !message.tool_calls) {
    if (before.length > 0) return before;
    throw new RecordRefused('a message has no content', where);
  }
  if (role === 'assistant' && message.weight !== 0 && message.content?.trim() === '' && !message.tool_calls)
    throw new RecordRefused('an answer is empty', where);
  return [...before, message];
}

/** A conversation; what is worth knowing of it goes into `notes`. Throws RecordRefused. */
export function messagesOf(value: unknown, notes: Set<string>): Message[] {
  if (!Array.isArray(value)) throw new RecordRefused('the conversation is no list of messages');
  if (value.length === 0) throw new RecordRefused('the conversation is empty');
  return value.flatMap((message, i) => turnOf(message, i, notes));
}

/** Tools as a list, or as JSON text of one, as LLaMA-Factory has them. Throws RecordRefused. */
export function toolsOf(value: unknown): { tools?: readonly unknown[] } {
  if (value === undefined || value === null || value === '') return {};
  let tools: unknown = value;
  if (typeof value === 'string') {
    try {
      tools = readJson(value);
    } catch {
      throw new RecordRefused('tools is no valid JSON');
    }
  }
  if (!Array.isArray(tools)) throw new RecordRefused('tools is no list');
  return tools.length > 0 ? { tools } : {};
}

/** OpenAI's older `functions` beside a conversation are tools of the type function. Throws RecordRefused. */
export function offeredTools(fields: Fields): { tools?: readonly unknown[] } {
  const tools = toolsOf(fields.tools);
  const { tools: functions } = toolsOf(fields.functions);
  if (!functions) return tools;
  if (tools.tools) throw new RecordRefused('a record has both tools and functions');
  return { tools: functions.map((each) => ({ type: 'function', function: each })) };
}
