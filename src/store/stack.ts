/**
 * Several adapters in one text, each with how strongly it counts: `a@0.7+b`. A text that is a path, or a name, is that alone: names may
 * have a + or an @ themselves.
 */
import { existsSync } from 'node:fs';
import { NomoatError } from '../errors.ts';

/** An adapter of a stack; 1 is as it was trained. */
export interface StackedAdapter {
  readonly path: string;
  readonly scale: number;
}

const remedy =
  'Write a stack as FIRST@0.7+SECOND@0.3: paths divided by +, each with a number behind @ where it is not 1.';
const wrong = (fault: string): NomoatError =>
  new NomoatError({ code: 'invalid-settings', part: '`adapter`', fault, remedy });

/** Whether there is something of that name. */
type IsName = (text: string) => boolean;

/** The name before the last @, and the number behind it; null where there is none. */
function divided(text: string): StackedAdapter | null {
  const at = text.lastIndexOf('@');
  if (at <= 0) return null;
  const number = text.slice(at + 1);
  // A folder of such a name.
  if (/[/\\]/.test(number)) return null;
  return { path: text.slice(0, at), scale: number.trim() === '' ? Number.NaN : Number(number) };
}

/** What is there: by its whole text, or by that before its scale. */
function known(text: string, isName: IsName): StackedAdapter | null {
  if (isName(text)) return { path: text, scale: 1 };
  const part = divided(text);
  return part !== null && Number.isFinite(part.scale) && isName(part.path) ? part : null;
}

function partOf(text: string): StackedAdapter {
  if (text.trim() === '') throw wrong('a stack has an empty part');
  const part = divided(text) ?? { path: text, scale: 1 };
  if (Number.isFinite(part.scale)) return part;
  throw wrong(`${text} has no number behind @`);
}

/** The adapters that `text` names, in order, each as long a name as there is. Throws NomoatError where a part is empty or its scale is no number. */
export function parseStack(text: string, isName: IsName = existsSync): StackedAdapter[] {
  if (typeof text !== 'string') throw wrong(`${JSON.stringify(text)} is no text`);
  const pieces = text.split('+');
  const parts: StackedAdapter[] = [];
  for (let from = 0; from < pieces.length; ) {
    let [to, part]: [number, StackedAdapter | null] = [pieces.length, null];
    for (; to > from && part === null; to--) part = known(pieces.slice(from, to).join('+'), isName);
    parts.push(part ?? partOf(pieces[from]!));
    from = part === null ? from + 1 : to + 1;
  }
  return parts;
}

/** The stack as a text, which `parseStack` reads. */
export const stackText = (stack: readonly StackedAdapter[]): string =>
  stack.map(({ path, scale }) => (scale === 1 ? path : `${path}@${scale}`)).join('+');

/** The paths in a stack; none of what was not given. */
export const stackPaths = (text: string | null): string[] =>
  text === null ? [] : parseStack(text).map(({ path }) => path);

/** The stack with other paths. */
export const withPaths = (text: string, change: (path: string) => string): string =>
  stackText(parseStack(text).map(({ path, scale }) => ({ path: change(path), scale })));

/** A model, or a run, with further adapters. */
export interface NamedStack {
  /** The model or the run, and how strongly the run's own adapter counts. */
  readonly first: StackedAdapter;
  readonly adapters: readonly StackedAdapter[];
}

/** A number behind an @ at the end. */
const scaled = /@[-+]?[\d.]+(e-?\d+)?$/i;

/**
 * What `MODEL+a@0.7+b` or `RUN@0.7+b` names; null where the text is one name without a scale. Throws NomoatError as `parseStack` does.
 */
export function parseModelStack(text: string, isName: IsName = existsSync): NamedStack | null {
  if (typeof text !== 'string' || isName(text)) return null;
  if (!(text.includes('+') || scaled.test(text)) || text.split('+').some((part) => part.trim() === '')) return null;
  const [first, ...adapters] = parseStack(text, isName);
  return { first: first!, adapters };
}
