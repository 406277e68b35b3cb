/**
 * Records of the usual data formats as examples. Promises: a record becomes an example or a refusal with its reason, nothing is
 * dropped. Knows nothing of files or tokens. Pure.
 */
import { readJson } from '../formats/exact-json.ts';
import { jsonFault } from '../records/json-faults.ts';
import type { Content, Example, Preference, RecordSource } from './example.ts';
import { messagesOf, offeredTools } from './messages.ts';
import { labelKeys, labelOf, openaiPair, preferencePair, verdictOf } from './preferences.ts';
import { noteEmptyCell, promptCompletion, systemTurn, turn, withSystem } from './prompt-completion.ts';
import { type Fields, isObject, RecordRefused, wordsOf } from './refused.ts';
import { numberIn, recordWeight, weightKey } from './weights.ts';

/** In the order in which they are looked for: Alpaca's own files have a `text`, too, and some conversations a `prompt`. */
export const recordFormats = [
  'preference',
  'openai-preference',
  'messages',
  'sharegpt',
  'prompt-completion',
  'alpaca',
  'text',
] as const;
export type RecordFormat = (typeof recordFormats)[number];

/** Names of the fields to read instead of the usual ones. */
export interface Columns {
  readonly prompt: string | null;
  readonly completion: string | null;
  readonly text: string | null;
}

export interface RecordRefusal {
  readonly reason: string;
  readonly detail?: string | undefined;
}

/** What a record holds. */
type Parsed = Content & Preference;

interface Parser {
  /** Keys that a record of this format has. */
  readonly keys: readonly string[];
  /** Further keys that it reads. */
  readonly optional: readonly string[];
  /** What a person should know of the record goes into `notes`. Throws RecordRefused. */
  parse(fields: Fields, notes: Set<string>): Parsed;
}

/** A list of turns, or JSON text of one, as tables hold it. */
function listOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return readJson(value);
  } catch (error) {
    const { detail, fault } = jsonFault(value, error as Error);
    throw new RecordRefused(`the conversation ${fault}`, detail);
  }
}

function historyTurns(history: unknown): Fields[] {
  if (history === undefined || history === null) return [];
  if (!Array.isArray(history)) throw new RecordRefused('history is no list');
  return history.flatMap((pair: unknown) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw new RecordRefused('history is no list of pairs');
    return [turn('user', pair[0]), turn('assistant', pair[1])];
  });
}

function alpaca({ instruction, input, output, system, history }: Fields, notes: Set<string>): Content {
  const asked = wordsOf(instruction, 'instruction', notes);
  const given = input === undefined || input === null ? '' : wordsOf(input, 'input', notes);
  const content = [asked, given].filter((each) => each !== '').join('\n\n');
  const answer = wordsOf(output, 'output', notes);
  if (answer.trim() === '') throw new RecordRefused('the output is empty');
  noteEmptyCell(answer, notes);
  const turns = [...systemTurn(system), ...historyTurns(history), turn('user', content), turn('assistant', answer)];
  return { kind: 'chat', messages: messagesOf(turns, notes) };
}

function plainText({ text }: Fields, notes: Set<string>): Content {
  const content = wordsOf(text, 'the text', notes);
  if (content.trim() === '') throw new RecordRefused('the text is empty');
  return { kind: 'text', text: content };
}

const parsers: Readonly<Record<RecordFormat, Parser>> = {
  preference: {
    keys: ['chosen', 'rejected'],
    optional: ['prompt', 'system', 'tools', 'functions'],
    parse: preferencePair,
  },
  'openai-preference': {
    keys: ['input', 'preferred_output', 'non_preferred_output'],
    optional: [],
    parse: openaiPair,
  },
  messages: {
    keys: ['messages'],
    optional: ['system', 'tools', 'functions'],
    // Anthropic's form has the system prompt beside the messages.
    parse: (fields, notes) => ({
      kind: 'chat',
      messages: messagesOf(withSystem(fields.system, listOf(fields.messages)), notes),
      ...offeredTools(fields),
      ...labelOf(fields),
    }),
  },
  sharegpt: {
    keys: ['conversations'],
    optional: ['system', 'tools', 'functions'],
    parse: (fields, notes) => {
      const turns = withSystem(fields.system, listOf(fields.conversations));
      return { kind: 'chat', messages: messagesOf(turns, notes), ...offeredTools(fields), ...labelOf(fields) };
    },
  },
  'prompt-completion': {
    keys: ['prompt', 'completion'],
    optional: ['system', 'tools', 'functions'],
    parse: (fields, notes) => ({ ...promptCompletion(fields, notes), ...labelOf(fields) }),
  },
  alpaca: { keys: ['instruction', 'output'], optional: ['input', 'system', 'history'], parse: alpaca },
  text: { keys: ['text'], optional: [], parse: plainText },
};

/** The formats with the keys that tell them, for people. */
export const formatList = recordFormats.map((format) => `${format} (${parsers[format].keys.join(', ')})`).join('; ');

/** The format that a record's keys speak of, or null. */
export function detectFormat(record: unknown): RecordFormat | null {
  if (!isObject(record)) return null;
  return recordFormats.find((format) => parsers[format].keys.every((key) => Object.hasOwn(record, key))) ?? null;
}

export const keysOf = (format: RecordFormat): readonly string[] => parsers[format].keys;

/** Formats whose records may have a label that says whether the answer is good. */
const labelled: readonly RecordFormat[] = ['messages', 'sharegpt', 'prompt-completion'];

/** Keys of a record that its format does not read. */
export function unreadKeys(format: RecordFormat, record: unknown): string[] {
  const { keys, optional } = parsers[format];
  if (!isObject(record)) return [];
  const isLabel = (key: string): boolean =>
    labelled.includes(format) && labelKeys.includes(key) && verdictOf(record[key]) !== null;
  const isWeight = (key: string): boolean => key === weightKey && numberIn(record[key]) !== null;
  return Object.keys(record).filter((key) => ![...keys, ...optional].includes(key) && !isLabel(key) && !isWeight(key));
}

/** Keys of a record, shortened, for messages. */
export function describeKeys(record: unknown): string {
  if (!isObject(record)) return Array.isArray(record) ? 'none: it is a list' : `none: it is a ${typeof record}`;
  const keys = Object.keys(record);
  const shown = keys.slice(0, 8).map((key) => key.slice(0, 40));
  return keys.length === 0 ? 'none' : `${shown.join(', ')}${keys.length > shown.length ? ', ...' : ''}`;
}

/** One record as an example, or why not. */
export function parseRecord(format: RecordFormat, record: unknown, source: RecordSource): Example | RecordRefusal {
  if (!isObject(record)) return { reason: 'is no JSON object' };
  const { keys, parse } = parsers[format];
  const missing = keys.find((key) => !Object.hasOwn(record, key));
  if (missing !== undefined) return { reason: `has no "${missing}"`, detail: `its keys: ${describeKeys(record)}` };
  const notes = new Set<string>();
  try {
    const content = { ...parse(record, notes), ...recordWeight(record, notes), source };
    return notes.size > 0 ? { ...content, notes: [...notes] } : content;
  } catch (error) {
    if (error instanceof RecordRefused) return { reason: error.reason, detail: error.detail };
    throw error;
  }
}

/** The record with its chosen fields under the names that the formats use; a chosen field that it lacks leaves the name out. */
export function renameColumns(record: unknown, columns: Columns): unknown {
  if (!isObject(record)) return record;
  const chosen = Object.entries(columns).filter((entry): entry is [string, string] => entry[1] !== null);
  const sources = chosen.map(([, column]) => column);
  // What is read under its own name or another's goes away first: it was read, and no name may hold what another column had.
  const taken = new Set([...sources, ...chosen.map(([name]) => name)]);
  const rest = Object.entries(record).filter(([key]) => !taken.has(key));
  const renamed = chosen.flatMap(([name, column]) => (Object.hasOwn(record, column) ? [[name, record[column]]] : []));
  return Object.fromEntries([...renamed, ...rest]);
}
