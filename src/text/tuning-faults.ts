/** What is wrong with a row of a training file, in the words that the platform used for the places. Pure. */
import type { z } from 'zod';
import { nearestNames } from '../words/nearest-name.ts';
import { flagNames } from './message-flags.ts';

/** A fault of one row. */
export interface RowFault {
  /** Such as `message 3, key "content"`; empty where it is the row itself. */
  readonly place: string;
  /** What is wrong there, the end of a sentence that begins with the place. */
  readonly fault: string;
}

/** Of a key or a value that is quoted. */
const maxShown = 40;
const shown = (text: string): string => `"${text.slice(0, maxShown)}"`;

/** `a.b[0]`. */
const joined = (path: readonly PropertyKey[]): string =>
  path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key)}`)).join('');

/** `message 3, key "content"`; messages count from 1, as people do. */
export function placeIn(path: readonly PropertyKey[]): string {
  const at = path.indexOf('messages');
  const index = path[at + 1];
  if (at < 0 || typeof index !== 'number') return path.length === 0 ? '' : `key ${shown(joined(path))}`;
  const rest = path.slice(at + 2);
  return `${at > 0 ? `${joined(path.slice(0, at))} ` : ''}message ${index + 1}${rest.length === 0 ? '' : `, key ${shown(joined(rest))}`}`;
}

const expectations: Readonly<Record<string, string>> = {
  string: 'is no text',
  array: 'is no list',
  object: 'is no object',
  record: 'is no object',
  boolean: 'is neither true nor false',
};

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Readonly<Record<PropertyKey, unknown>> | null)?.[key], value);

/** Why a key that another place or another trainer has is none here; empty where it is just unknown. */
function whyUnknown(key: string, path: readonly PropertyKey[]): string {
  if (key === 'weight')
    return path.length === 0 ? ': weight stands on messages' : ": only the assistant's messages have a weight";
  if (flagNames.includes(key)) return ': what is not learnt has weight 0';
  const [near] = nearestNames(
    key.slice(0, maxShown),
    ['role', 'content', 'name', 'tool_calls', 'tool_call_id', 'messages', 'tools', 'parallel_tool_calls'],
    1,
  );
  return near ? `: did you mean "${near}"?` : '';
}

const isGeneral = (message: string): boolean => message.startsWith('Invalid ') || message.startsWith('Too ');

function faultOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (valueAt(value, issue.path) === undefined && !issue.message.startsWith('is missing')) return 'is missing';
  if (!isGeneral(issue.message)) return issue.message;
  if (issue.code === 'invalid_type') return expectations[issue.expected] ?? issue.message;
  if (issue.code === 'invalid_value') return `is not ${issue.values.map((each) => JSON.stringify(each)).join(' or ')}`;
  if (issue.code === 'too_big') return `has more than ${issue.maximum} entries`;
  return issue.message;
}

/** All faults that a schema found in a row. */
export const faultsOf = (error: z.ZodError, value: unknown): RowFault[] =>
  error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          place: placeIn(issue.path),
          fault: `has the unknown key ${shown(key)}${whyUnknown(key, issue.path)}`,
        }))
      : [{ place: placeIn(issue.path), fault: faultOf(issue, value) }],
  );
