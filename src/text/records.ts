/**
 * Records of the usual data formats as examples. Promises: a record becomes an example or a refusal with its reason, nothing is
 * dropped. Knows nothing of files or tokens. Pure.
 */
import type { Example, Message, RecordSource } from './example.ts';

export const recordFormats = ['messages', 'prompt-completion', 'text', 'alpaca', 'sharegpt'] as const;
export type RecordFormat = (typeof recordFormats)[number];

export interface Columns {
  readonly prompt: string | null;
  readonly completion: string | null;
  readonly text: string | null;
}

/** A refusal is a string: the reason. */
type Parsed = Example | string;
type Fields = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string => typeof value === 'string';

function parseMessage(value: unknown, i: number): Message | string {
  if (typeof value !== 'object' || value === null) return `message ${i + 1} is no object`;
  const { role, content, weight, name, tool_calls, tool_call_id } = value as Fields;
  if (!isText(role) || role === '') return `message ${i + 1} has no role`;
  if (!isText(content) && !(content === null || content === undefined))
    return `message ${i + 1} has a content that is no text`;
  if (!isText(content) && !Array.isArray(tool_calls)) return `message ${i + 1} has no content`;
  if (weight !== undefined && weight !== null && weight !== 0 && weight !== 1)
    return `message ${i + 1} has weight ${JSON.stringify(weight)}; 0 and 1 are possible`;
  return {
    role,
    content: isText(content) ? content : null,
    ...(weight === 0 || weight === 1 ? { weight } : {}),
    ...(isText(name) ? { name } : {}),
    ...(Array.isArray(tool_calls) ? { tool_calls } : {}),
    ...(isText(tool_call_id) ? { tool_call_id } : {}),
  };
}

function chat(messages: unknown, source: RecordSource, tools?: unknown): Parsed {
  if (!Array.isArray(messages) || messages.length === 0) return 'holds no messages';
  const parsed: Message[] = [];
  for (const [i, value] of messages.entries()) {
    const message = parseMessage(value, i);
    if (typeof message === 'string') return message;
    parsed.push(message);
  }
  if (!parsed.some(({ role }) => role === 'assistant')) return 'holds no assistant message';
  return { kind: 'chat', messages: parsed, ...(Array.isArray(tools) ? { tools } : {}), source };
}

const shareGptRoles: Readonly<Record<string, string>> = {
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  assistant: 'assistant',
  model: 'assistant',
  system: 'system',
  tool: 'tool',
  observation: 'tool',
};

const parsers: Readonly<
  Record<RecordFormat, { readonly key: string; parse(fields: Fields, source: RecordSource): Parsed }>
> = {
  messages: { key: 'messages', parse: (fields, source) => chat(fields['messages'], source, fields['tools']) },
  sharegpt: {
    key: 'conversations',
    parse: (fields, source) => {
      const turns = fields['conversations'];
      if (!Array.isArray(turns)) return 'conversations is no list';
      const messages = turns.map((turn: Fields) => ({
        role: shareGptRoles[String(turn?.['from'] ?? turn?.['role'])],
        content: turn?.['value'] ?? turn?.['content'],
      }));
      const unknown = messages.findIndex(({ role }) => role === undefined);
      if (unknown >= 0) return `turn ${unknown + 1} is from an unknown speaker`;
      const system = fields['system'];
      return chat(
        isText(system) && system !== '' ? [{ role: 'system', content: system }, ...messages] : messages,
        source,
      );
    },
  },
  alpaca: {
    key: 'instruction',
    parse: ({ instruction, input, output, system }, source) => {
      if (!isText(instruction) || !isText(output)) return 'instruction and output must be texts';
      const content = isText(input) && input !== '' ? `${instruction}\n\n${input}` : instruction;
      const lead = isText(system) && system !== '' ? [{ role: 'system', content: system }] : [];
      return chat([...lead, { role: 'user', content }, { role: 'assistant', content: output }], source);
    },
  },
  'prompt-completion': {
    key: 'prompt',
    parse: ({ prompt, completion }, source) => {
      if (Array.isArray(prompt) && Array.isArray(completion)) {
        return chat([...prompt.map((turn: Fields) => ({ ...turn, weight: 0 })), ...completion], source);
      }
      if (!isText(prompt) || !isText(completion)) return 'prompt and completion must be texts';
      if (completion === '') return 'the completion is empty';
      return { kind: 'completion', prompt, completion, source };
    },
  },
  text: {
    key: 'text',
    parse: ({ text }, source) => {
      if (!isText(text)) return 'text is no text';
      return text === '' ? 'the text is empty' : { kind: 'text', text, source };
    },
  },
};

/** The format that a record's keys speak of, or null. */
export function detectFormat(record: unknown): RecordFormat | null {
  if (typeof record !== 'object' || record === null) return null;
  return recordFormats.find((format) => parsers[format].key in record) ?? null;
}

/** One record as an example, or the reason why not. */
export function parseRecord(format: RecordFormat, record: unknown, source: RecordSource): Parsed {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return 'is no JSON object';
  const { key, parse } = parsers[format];
  if (!(key in record)) return `has no "${key}" (its keys: ${Object.keys(record).slice(0, 8).join(', ') || 'none'})`;
  return parse(record as Fields, source);
}

/** Renames a CSV record's chosen columns to the names that the formats use. */
export function renameColumns(record: Fields, columns: Columns): Fields {
  const out: Record<string, unknown> = { ...record };
  for (const [name, column] of Object.entries(columns)) if (column !== null) out[name] = record[column];
  return out;
}
