/**
 * Special tokens that a training file must not spell: those of OpenAI's vocabularies, which its platform refused, and
 * those of the model that is tuned. Promises: every text of a row is looked at, keys and what JSON escapes hide among
 * it. Pure.
 */
import { isSpelledNumber } from '../formats/exact-json.ts';
import { placeIn, type RowFault } from './tuning-faults.ts';

/** Of cl100k_base, o200k_base and o200k_harmony (tiktoken), and of the chat markup that the platform itself wrote. */
const named: readonly string[] = [
  'endoftext',
  'startoftext',
  'endofprompt',
  'fim_prefix',
  'fim_middle',
  'fim_suffix',
  'im_start',
  'im_end',
  'im_sep',
  'start',
  'end',
  'message',
  'channel',
  'constrain',
  'return',
  'call',
  'reserved_\\d+',
];
const ofPlatform = `<\\|(?:${named.join('|')})\\|>`;

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Finds the platform's special tokens, and `more`. */
export const specialTokenPattern = (more: readonly string[]): RegExp =>
  new RegExp([ofPlatform, ...more.filter((text) => text !== '').map(escaped)].join('|'));

/** The first special token in a value, with `path` left where it stands; null where there is none. */
function findSpelled(value: unknown, pattern: RegExp, path: PropertyKey[]): string | null {
  if (typeof value === 'string') return pattern.exec(value)?.[0] ?? null;
  if (typeof value !== 'object' || value === null || isSpelledNumber(value)) return null;
  const isList = Array.isArray(value);
  for (const [key, each] of Object.entries(value)) {
    const inKey = isList ? null : pattern.exec(key);
    if (inKey) return inKey[0];
    path.push(isList ? Number(key) : key);
    const found = findSpelled(each, pattern, path);
    if (found !== null) return found;
    path.pop();
  }
  return null;
}

/** The fault of a row that spells a special token; none where it spells none. */
export function spelledTokens(value: unknown, pattern: RegExp): readonly RowFault[] {
  const path: PropertyKey[] = [];
  const found = findSpelled(value, pattern, path);
  return found === null ? [] : [{ place: placeIn(path), fault: `contains the special token ${found}` }];
}
