/** How Python divides and strips texts. Pure; marks stay on their characters. */
import { leadingSpace, spaceRun } from './char-classes.ts';
import { valueError } from './errors.ts';
import { spaces } from './lexer.ts';
import { type Str, slice, textOf } from './marked-text.ts';

const trailingSpace = new RegExp(`[${spaces}]+$`);

export type Side = 'left' | 'right' | 'both';

/** strip, lstrip and rstrip: of white space, or of any of the characters. */
export function strip(str: Str, chars: string | null, side: Side): Str {
  const text = textOf(str);
  let start = 0;
  let end = text.length;
  if (chars === null) {
    if (side !== 'right') start = leadingSpace.exec(text)?.[0].length ?? 0;
    if (side !== 'left' && start < end && isSpace(text.charCodeAt(end - 1))) end = trailingSpace.exec(text)!.index;
  } else {
    const set = new Set(chars);
    const has = (from: number, to: number): boolean => to > from && set.has(text.slice(from, to));
    if (side !== 'right') while (start < end && has(start, start + unitsAt(text, start))) start += unitsAt(text, start);
    if (side !== 'left') while (end > start && has(end - unitsBefore(text, end), end)) end -= unitsBefore(text, end);
  }
  return start === 0 && end === text.length ? str : slice(str, start, end);
}

const spaceAtEnd = new RegExp(`[${spaces}]`);
const isSpace = (unit: number): boolean =>
  unit < 0x80
    ? unit === 0x20 || (unit >= 9 && unit <= 13) || (unit >= 0x1c && unit <= 0x1f)
    : spaceAtEnd.test(String.fromCharCode(unit));

const unitsAt = (text: string, at: number): number => (text.codePointAt(at)! > 0xffff ? 2 : 1);
const unitsBefore = (text: string, end: number): number => (end >= 2 && text.codePointAt(end - 2)! > 0xffff ? 2 : 1);

export function split(str: Str, separator: string | null, limit: number): Str[] {
  const most = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  return separator === null ? splitSpaces(str, most) : splitAt(str, separator, most);
}

function splitAt(str: Str, separator: string, most: number): Str[] {
  if (separator === '') throw valueError('empty separator');
  const text = textOf(str);
  const parts: Str[] = [];
  let position = 0;
  for (let at = text.indexOf(separator); at >= 0 && parts.length < most; at = text.indexOf(separator, position)) {
    parts.push(slice(str, position, at));
    position = at + separator.length;
  }
  parts.push(slice(str, position));
  return parts;
}

function splitSpaces(str: Str, most: number): Str[] {
  const text = textOf(str);
  const parts: Str[] = [];
  let position = leadingSpace.exec(text)?.[0].length ?? 0;
  while (position < text.length) {
    spaceRun.lastIndex = position;
    const run = parts.length < most ? spaceRun.exec(text) : null;
    if (!run) {
      parts.push(parts.length < most ? slice(str, position) : slice(str, position));
      break;
    }
    parts.push(slice(str, position, run.index));
    position = run.index + run[0].length;
  }
  return parts;
}

export function rsplit(str: Str, separator: string | null, limit: number): Str[] {
  if (limit < 0) return split(str, separator, -1);
  if (separator === null) return rsplitSpaces(str, limit);
  if (separator === '') throw valueError('empty separator');
  const text = textOf(str);
  const parts: Str[] = [];
  let end = text.length;
  while (parts.length < limit) {
    const at = end - separator.length < 0 ? -1 : text.lastIndexOf(separator, end - separator.length);
    if (at < 0) break;
    parts.unshift(slice(str, at + separator.length, end));
    end = at;
  }
  return [slice(str, 0, end), ...parts];
}

function rsplitSpaces(str: Str, limit: number): Str[] {
  const parts: Str[] = [];
  let left = strip(str, null, 'right');
  while (textOf(left) !== '') {
    const text = textOf(left);
    const run = parts.length < limit ? lastSpaces(text) : null;
    if (!run) {
      // What is left over keeps its beginning only where no more is cut.
      const whole = parts.length < limit ? strip(left, null, 'left') : strip(left, null, 'right');
      if (textOf(whole) !== '') parts.unshift(whole);
      break;
    }
    parts.unshift(slice(left, run.end));
    left = slice(left, 0, run.start);
  }
  return parts;
}

function lastSpaces(text: string): { start: number; end: number } | null {
  const runs = [...text.matchAll(spaceRun)].filter((run) => run.index > 0);
  const run = runs.at(-1);
  return run ? { start: run.index, end: run.index + run[0].length } : null;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: Python ends lines at these, too
const lineEnd = /\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/g;

export function splitlines(str: Str, keepEnds: boolean): Str[] {
  const text = textOf(str);
  const lines: Str[] = [];
  let position = 0;
  for (const end of text.matchAll(lineEnd)) {
    const next = end.index + end[0].length;
    lines.push(slice(str, position, keepEnds ? next : end.index));
    position = next;
  }
  if (position < text.length) lines.push(slice(str, position));
  return lines;
}

export function replace(str: Str, old: string, by: Str, limit: number): Str[] {
  const text = textOf(str);
  const most = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  const pieces: Str[] = [];
  if (old !== '') {
    const parts = splitAt(str, old, most);
    parts.forEach((part, i) => {
      if (i > 0) pieces.push(by);
      pieces.push(part);
    });
    return pieces;
  }
  // An empty text stands before each character and at the end.
  let position = 0;
  for (let count = 0; count < most; count++) {
    pieces.push(by);
    if (position >= text.length) return pieces;
    const next = position + unitsAt(text, position);
    pieces.push(slice(str, position, next));
    position = next;
  }
  pieces.push(slice(str, position));
  return pieces;
}
