/** Python counts a text by code points, JavaScript by UTF-16 units; they agree where there are no surrogates. Pure. */
import { type Str, slice, textOf } from './marked-text.ts';

const astral = /[\ud800-\udfff]/;

export const hasSurrogates = (text: string): boolean => astral.test(text);

export function lengthInPoints(text: string): number {
  if (!hasSurrogates(text)) return text.length;
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** Each code point as a text of its own. */
export function codePoints(str: Str): Str[] {
  const points = [...textOf(str)];
  if (typeof str === 'string') return points;
  let position = 0;
  return points.map((point) => {
    position += point.length;
    return slice(str, position - point.length, position);
  });
}

/** Where a code point begins, in units; the end of the text for an index beyond it. */
export function unitOf(text: string, index: number): number {
  if (!hasSurrogates(text)) return Math.min(index, text.length);
  let unit = 0;
  for (let i = 0; i < index && unit < text.length; i++) unit += text.codePointAt(unit)! > 0xffff ? 2 : 1;
  return unit;
}

/** How many code points stand before a unit. */
export const pointOf = (text: string, unit: number): number => lengthInPoints(text.slice(0, unit));

/** Part of a text by code points; bounds are not negative. */
export function slicePoints(str: Str, start: number, end: number): Str {
  const text = textOf(str);
  if (!hasSurrogates(text)) return slice(str, start, Math.max(start, end));
  return slice(str, unitOf(text, start), unitOf(text, Math.max(start, end)));
}

/** Python compares texts by code points: an astral character comes after U+FFFF. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  if (!hasSurrogates(a) && !hasSurrogates(b)) return a < b ? -1 : 1;
  const x = [...a];
  const y = [...b];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const difference = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(x.length - y.length);
}
