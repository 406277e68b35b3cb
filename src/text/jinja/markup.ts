/**
 * What markupsafe does with the Markup that the filters safe and escape make: what is put to it is escaped for HTML,
 * the result is Markup.
 */
import { isStr, joinTexts, MarkedText, Markup, mapRuns, type Str, textOf } from './marked-text.ts';
import { str } from './to-text.ts';
import { toArray } from './types.ts';
import { type Kwargs, Tuple, type Value } from './values.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '>': '&gt;',
  '<': '&lt;',
  "'": '&#39;',
  '"': '&#34;',
};

export const asMarkup = (text: Str): Markup =>
  text instanceof Markup ? text : new Markup(textOf(text), text instanceof MarkedText ? text.spans : []);

export const escapeText = (text: Str): Str =>
  mapRuns(text, (run) => run.replace(/[&><'"]/g, (char) => entities[char]!));

/** markupsafe.escape: Markup stays as it is. */
export const escapeHtml = (value: Value): Markup =>
  value instanceof Markup ? value : asMarkup(escapeText(str(value)));

/** The result of an operation on a text: Markup where the text was. */
export const like = (source: Value, result: Str): Str => (source instanceof Markup ? asMarkup(result) : result);

const wrapped: ReadonlySet<string> = new Set(
  (
    'capitalize title lower upper replace ljust rjust lstrip rstrip center strip expandtabs swapcase zfill casefold removeprefix ' +
    'removesuffix partition rpartition split rsplit splitlines join format format_map'
  ).split(' '),
);
/** Of these the second argument is put into the text. */
const escapedArguments: ReadonlySet<string> = new Set(['replace', 'ljust', 'rjust', 'center']);

type Method = (self: Str, args: readonly Value[], kwargs: Kwargs) => Value;

/** A method of str as Markup has it. */
export function markupMethod(name: string, method: Method): Method {
  if (!wrapped.has(name)) return method;
  return (self, args, kwargs) => {
    if (name === 'join') return asMarkup(joinTexts(self, toArray(args[0]).map(escapeHtml)));
    const given = escapedArguments.has(name) ? args.map((arg, i) => (i === 1 ? escapeHtml(arg) : arg)) : args;
    const result = method(self, given, kwargs);
    if (isStr(result)) return asMarkup(result);
    if (Array.isArray(result)) return result.map((part: Str) => asMarkup(part));
    return result instanceof Tuple ? new Tuple(result.items.map((part) => asMarkup(part as Str))) : result;
  };
}
