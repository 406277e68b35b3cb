/**
 * Conversations as data sets write them (OpenAI, sharegpt, LLaMA-Factory) as messages. Promises: what cannot be kept is refused with the
 * reason. Knows nothing of files. Pure.
 */
import type { Message } from './example.ts';

/** Why a record cannot be used. `reason` is equal for equal causes, `detail` says where or what exactly. */
export class RecordRefused extends Error {
  readonly reason: string;
  readonly detail: string | undefined;

  constructor(reason: string, detail?: string) {
    super(detail === undefined ? reason : `${reason} (${detail})`);
    this.reason = reason;
    this.detail = detail;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON can hold half of a surrogate pair; tokenizers would silently put a replacement character there. */
const loneSurrogate = /\p{Surrogate}/u;

/** A text of the record. Throws RecordRefused. */
export function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new RecordRefused(`${name} is no text`);
  if (loneSurrogate.test(value)) throw new RecordRefused(`${name} holds half a character (a lone surrogate)`);
  return value;
}

/** OpenAI writes a content as a list of parts, too; only text can be learnt here. */
function contentOf(value: unknown, where: string): string | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) return textOf(value, "a message's content");
  return value
    .map((part: unknown) => {
      if (isObject(part) && part.type === 'text') return textOf(part.text, 'a part of a content');
      const type = isObject(part) ? String(part.type) : typeof part;
      throw new RecordRefused('a content has a part that is no text', `${where}: ${type}`);
    })
    .join('');
}

/** Who speaks, in the words of sharegpt and its kin. */
const speakers: Readonly<Record<string, string>> = {
  human: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bot: 'assistant',
  model: 'assistant',
  bing: 'assistant',
  observation: 'tool',
  function_response: 'tool',
  function_call: 'assistant',
};
/** Who speaks in a conversation. */
export const roles: readonly string[] = ['system', 'developer', 'user', 'assistant', 'tool', 'function', 'ipython'];

function roleOf(fields: Fields, where: string): string {
  const said = fields.role ?? fields.from;
  if (typeof said !== 'string' || said === '') throw new RecordRefused('a message has no role', where);
  const role = Object.hasOwn(speakers, said) ? speakers[said]! : said;
  if (!roles.includes(role))
    throw new RecordRefused('a message is of an unknown role', `${where}: ${said.slice(0, 40)}`);
  return role;
}

function weightOf(value: unknown, where: string): { weight?: 0 | 1 } {
  if (value === undefined || value === null) return {};
  if (value === 0 || value === 1) return { weight: value };
  throw new RecordRefused('a weight is neither 0 nor 1', `${where}: ${JSON.stringify(value)?.slice(0, 40)}`);
}

/** LLaMA-Factory's `function_call` turns hold the call as JSON text. */
function calledFunction(value: unknown, where: string): Fields {
  try {
    const call: unknown = JSON.parse(textOf(value, 'a function call'));
    if (isObject(call) && typeof call.name === 'string') return { type: 'function', function: call };
  } catch {
    // Said below.
  }
  throw new RecordRefused('a function call is no JSON with a name', where);
}

function toolCallsOf(fields: Fields, where: string): { tool_calls?: readonly unknown[] } {
  const calls = fields.tool_calls;
  if (calls === undefined || calls === null) return {};
  if (!Array.isArray(calls) || !calls.every(isObject)) throw new RecordRefused('tool_calls is no list of calls', where);
  return calls.length > 0 ? { tool_calls: calls } : {};
}

/** One turn. Throws RecordRefused. */
function messageOf(value: unknown, index: number): Message {
  const where = `message ${index + 1}`;
  if (!isObject(value)) throw new RecordRefused('a message is no object', where);
  const role = roleOf(value, where);
  const written = value.content ?? value.value;
  const isCall = value.from === 'function_call' || value.role === 'function_call';
  const message: Message = {
    role,
    content: isCall ? null : contentOf(written, where),
    ...weightOf(value.weight, where),
    ...(isCall ? { tool_calls: [calledFunction(written, where)] } : toolCallsOf(value, where)),
    ...(typeof value.name === 'string' ? { name: value.name } : {}),
    ...(typeof value.tool_call_id === 'string' ? { tool_call_id: value.tool_call_id } : {}),
    ...(typeof value.reasoning_content === 'string' && value.reasoning_content !== ''
      ? { reasoning_content: textOf(value.reasoning_content, 'reasoning_content') }
      : {}),
  };
  if (message.content === null && !message.tool_calls) throw new RecordRefused('a message has no content', where);
  if (role === 'assistant' && message.weight !== 0 && message.content?.trim() === '' && !message.tool_calls)
    throw new RecordRefused('an answer is empty', where);
  return message;
}

/** A conversation. Throws RecordRefused. */
export function messagesOf(value: unknown): Message[] {
  if (!Array.isArray(value)) throw new RecordRefused('the conversation is no list of messages');
  if (value.length === 0) throw new RecordRefused('the conversation is empty');
  return value.map(messageOf);
}

/** Tools as a list, or as JSON text of one, as LLaMA-Factory has them. Throws RecordRefused. */
export function toolsOf(value: unknown): { tools?: readonly unknown[] } {
  if (value === undefined || value === null || value === '') return {};
  let tools: unknown = value;
  if (typeof value === 'string') {
    try {
      tools = JSON.parse(value) as unknown;
    } catch {
      throw new RecordRefused('tools is no valid JSON');
    }
  }
  if (!Array.isArray(tools)) throw new RecordRefused('tools is no list');
  return tools.length > 0 ? { tools } : {};
}
