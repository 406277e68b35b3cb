/**
 * A conversation as the values that a chat template sees, each text, number and argument marked with where it came from, so that the
 * rendering can be held against the record. Pure.
 */
import { isSpelledNumber, readJson } from '../formats/exact-json.ts';
import { hasOrder, orderedKeys } from '../formats/ordered-json.ts';
import type { Message } from './example.ts';
import { marked } from './jinja/index.ts';
import { isObject } from './refused.ts';
import { remembered } from './remembered.ts';

/** Where a rendered piece came from: a field of a message, or of the tools. */
export interface Origin {
  /** Index of the message; null for tools. */
  readonly message: number | null;
  readonly field: 'content' | 'reasoning_content' | 'name' | 'tool_call_id' | 'tool_calls' | 'tools';
  /** Within calls and tools: the keys that lead there. */
  readonly path: string;
  /** The value itself, texts as they are, numbers as JSON spells them. */
  readonly value: string;
  /** For calls: whether it is what the model has to write (its name and arguments), not an id or a type. */
  readonly essential: boolean;
}

const origins = new WeakMap<object, Map<string, Origin>>();

/** One origin object a place, so that spans of one place can be told from those of another by identity. */
function originOf(owner: object, key: string, make: () => Origin): Origin {
  return remembered(
    remembered(origins, owner, () => new Map<string, Origin>()),
    key,
    make,
  );
}

type Place = Pick<Origin, 'message' | 'field'>;

/** Of a call, what a model has to write. */
const essentialPath = /^\d+\.function\.(name|arguments)(\.|$)/;

/** The value with every text and number inside marked with its place; booleans and null carry nothing to lose but their key. */
function markLeaves(owner: object, value: unknown, place: Place, path: string): unknown {
  if (Array.isArray(value))
    return value.map((each, i) => markLeaves(owner, each, place, path === '' ? `${i}` : `${path}.${i}`));
  if (typeof value === 'string' || typeof value === 'number' || isSpelledNumber(value)) {
    const make = (): Origin => ({
      ...place,
      path,
      value: String(value),
      essential: place.field !== 'tool_calls' || essentialPath.test(path),
    });
    return marked(value, originOf(owner, `${place.message}.${place.field}.${path}`, make));
  }
  if (typeof value !== 'object' || value === null) return value;
  return inOrder(value, (key, each) => markLeaves(owner, each, place, path === '' ? key : `${path}.${key}`));
}

/** An object with its values changed: as a Map, whose order templates keep, where JavaScript would give its keys another. */
function inOrder(value: object, change: (key: string, value: unknown) => unknown): unknown {
  const entries = orderedKeys(value).map((key): [string, unknown] => [
    key,
    change(key, (value as Record<string, unknown>)[key]),
  ]);
  return hasOrder(value) ? new Map(entries) : Object.fromEntries(entries);
}

/** A value as templates see it, without marks. */
function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  return isObject(value) ? inOrder(value, (_, each) => plainValue(each)) : value;
}

/** OpenAI writes the arguments of a call as JSON text; templates expect the object. */
function withParsedArguments(call: unknown): unknown {
  const { function: called, ...rest } = call as { function?: { arguments?: unknown } };
  if (typeof called?.arguments !== 'string') return call;
  if (called.arguments.trim() === '') return { ...rest, function: { ...called, arguments: {} } };
  try {
    return { ...rest, function: { ...called, arguments: readJson(called.arguments) } };
  } catch {
    return call;
  }
}

const parsed = new WeakMap<Message, Message>();

/** The message with the arguments of its calls as objects. */
export const parsedMessage = (message: Message): Message =>
  remembered(parsed, message, () => {
    // gpt-oss's template knows thoughts by this name, and transformers gives it to every template.
    const thoughts = message.reasoning_content === undefined ? {} : { thinking: message.reasoning_content };
    return message.tool_calls
      ? { ...message, ...thoughts, tool_calls: message.tool_calls.map(withParsedArguments) }
      : { ...message, ...thoughts };
  });

const plain = new WeakMap<Message, Record<string, unknown>>();

/** A message as templates expect it: without our weight, and with the arguments of calls as objects. */
export const plainMessage = (message: Message): Record<string, unknown> =>
  remembered(plain, message, () => {
    const { weight: _, ...fields } = parsedMessage(message);
    return fields.tool_calls ? { ...fields, tool_calls: plainValue(fields.tool_calls) } : fields;
  });

const markedOnes = new WeakMap<Message, { readonly index: number; readonly made: Record<string, unknown> }>();

/** The same with marks. */
export function markedMessage(message: Message, index: number): Record<string, unknown> {
  const known = markedOnes.get(message);
  if (known?.index === index) return known.made;
  const made: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(parsedMessage(message))) {
    if (key === 'weight') continue;
    const place = { message: index, field: (key === 'thinking' ? 'reasoning_content' : key) as Origin['field'] };
    made[key] = key === 'role' ? value : markLeaves(message, value, place, '');
  }
  markedOnes.set(message, { index, made });
  return made;
}

const plainOfTools = new WeakMap<readonly unknown[], unknown>();
const markedOfTools = new WeakMap<readonly unknown[], unknown>();

/** Tools as templates see them. A conversation is rendered many times with the same ones. */
export const plainTools = (tools: readonly unknown[]): unknown =>
  remembered(plainOfTools, tools, () => plainValue(tools));

/** The same with marks. */
export const markedTools = (tools: readonly unknown[]): unknown =>
  remembered(markedOfTools, tools, () => markLeaves(tools, tools, { message: null, field: 'tools' }, ''));

/** All places of a message that hold something, as its marks name them. */
export function originsOf(message: Message, index: number): readonly Origin[] {
  markedMessage(message, index);
  return [...(origins.get(message)?.values() ?? [])].filter((origin) => origin.message === index);
}

/** The place of a message's text field. */
export const originOfField = (message: Message, index: number, field: 'content' | 'reasoning_content'): Origin =>
  originOf(message, `${index}.${field}.`, () => ({
    message: index,
    field,
    path: '',
    value: message[field] ?? '',
    essential: true,
  }));

/** All places of the tools. */
export function originsOfTools(tools: readonly unknown[]): readonly Origin[] {
  markedTools(tools);
  return [...(origins.get(tools)?.values() ?? [])];
}
