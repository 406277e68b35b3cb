/**
 * Where a record of no known format keeps its conversation. Promises: only a list of turns counts as one, and only where there is one such
 * list; what the record has beside it stays. Pure.
 */
import { type Fields, isObject } from './refused.ts';

const isTurn = (value: unknown): boolean =>
  isObject(value) && (typeof value.role === 'string' || typeof value.from === 'string');

/** Whether the value is a conversation: turns, of which each says who speaks. */
export const isConversation = (value: unknown): value is readonly unknown[] =>
  Array.isArray(value) && value.length > 0 && value.every(isTurn);

/** Google's form: the system prompt beside the turns, under these names. */
const systemKeys: readonly string[] = ['systemInstruction', 'system_instruction'];

export interface Placed {
  /** The record with its conversation under `messages`. */
  readonly record: Fields;
  /** Where it stood, for people. */
  readonly place: string;
}

/** The conversation of a record that has none of the known keys; null where there is none, or more than one. */
export function placeConversation(value: unknown): Placed | null {
  if (isConversation(value)) return { record: { messages: value }, place: 'a record that is a list' };
  if (!isObject(value)) return null;
  const keys = Object.keys(value).filter((key) => isConversation(value[key]));
  if (keys.length !== 1) return null;
  const { [keys[0]!]: messages, ...rest } = value;
  const beside = systemKeys.find((key) => Object.hasOwn(rest, key));
  const { [beside ?? '']: system, ...others } = rest;
  return {
    record: { messages, ...(beside ? { system } : {}), ...others },
    place: `the key "${keys[0]!.slice(0, 40)}"`,
  };
}
