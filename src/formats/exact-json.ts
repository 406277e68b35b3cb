/**
 * JSON whose numbers keep their spelling. JavaScript reads 7301234567890123457 as 7301234567890124000 and 1.0 as 1; what a model learns
 * to write must not change so. Promises: `writeJson(readJson(text))` spells every number as `text` does; all else is as JSON.parse and
 * JSON.stringify have it. Pure.
 */
import { isLosslessNumber, LosslessNumber, parse, stringify } from 'lossless-json';
import { mayReorder, readOrdered } from './ordered-json.ts';

/** A number that JavaScript would spell in another way than its JSON text did; `value` is that text, `valueOf()` the nearest number or bigint. */
export { LosslessNumber as SpelledNumber };
export const isSpelledNumber = isLosslessNumber;

/** Where a text may hold a number that JSON.parse would respell: many digits, a fraction's last zero, an exponent, minus zero. */
const mayRespell = /\d{16}|\.\d*0(?!\d)|\d[eE]|-0(?![.\d])/;

const numberOf = (text: string): unknown => (String(Number(text)) === text ? Number(text) : new LosslessNumber(text));

/** The value of a JSON text; numbers that JavaScript would respell are SpelledNumbers, keys that it would reorder keep their order (orderedKeys). Throws SyntaxError as JSON.parse does. */
export function readJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (mayReorder(text)) return readOrdered(text, numberOf);
  if (!mayRespell.test(text)) return value;
  // Of equal keys the last one counts, as everywhere.
  return parse(text, null, { parseNumber: numberOf, onDuplicateKey: ({ newValue }) => newValue });
}

/** A value as JSON text, SpelledNumbers as they were spelled. */
export const writeJson = (value: unknown, space?: number): string => stringify(value, undefined, space) ?? 'null';

/** A plain number of what may be a SpelledNumber; anything else as it is. */
export const plainNumber = (value: unknown): unknown => (isLosslessNumber(value) ? Number(value.value) : value);
