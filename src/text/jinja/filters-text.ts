/** Builtin filters that make texts: https://jinja.palletsprojects.com/en/stable/templates/#list-of-builtin-filters. */
import { attributeGetter } from './attribute-path.ts';
import { capitalize } from './char-classes.ts';
import { lengthInPoints, slicePoints } from './code-points.ts';
import { dictEntries, isDict } from './dict.ts';
import { MissingConstruct, PythonError, typeError, valueError } from './errors.ts';
import { type Filter, filter, type Given, namedFilter } from './filter-table.ts';
import { dumps, indentOf } from './json.ts';
import { spaces } from './lexer.ts';
import { concat, isStr, joinTexts, lengthOf, Markup, mapRuns, mapWhole, type Str, textOf } from './marked-text.ts';
import { asMarkup, escapeHtml, escapeText, like } from './markup.ts';
import { add, binary } from './operators.ts';
import { center } from './str-methods.ts';
import { replace, rsplit, splitlines, strip } from './str-split.ts';
import { str } from './to-text.ts';
import { isIterable, isTrue, sizeOf, toArray, typeName } from './types.ts';
import { Tuple, toIndex, Undefined, type Value } from './values.ts';
import { wrapped } from './word-wrap.ts';

/** markupsafe's soft_str: Markup stays what it is. */
export const softStr = (value: Value): Str => (value instanceof Markup ? value : str(value));

export function int(value: Value): number {
  const index = toIndex(value);
  if (index === null) throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`);
  return index;
}

const wordBeginning = new RegExp(`([-${spaces}({\\[<]+)`);
const titleFilter = (text: string): string =>
  text
    .split(wordBeginning)
    .map((part) => {
      const [first] = part;
      return first === undefined ? '' : first.toUpperCase() + part.slice(first.length).toLowerCase();
    })
    .join('');

function indent(value: Value, width: Value, first: Value, blank: Value): Str {
  const indention = isStr(width) ? width : ' '.repeat(Math.max(0, int(width)));
  // s += newline: a value that is no text fails here, as in Python.
  const text = add(value, '\n');
  if (!isStr(text)) throw typeError(`can't indent a ${typeName(value)}`);
  const [head, ...tail] = splitlines(text, false);
  const lines = tail.map((line) => (lengthOf(line) > 0 || isTrue(blank) ? concat(indention, line) : line));
  const whole = joinTexts('\n', [head ?? '', ...lines]);
  return like(value, isTrue(first) ? concat(indention, whole) : whole);
}

/** How far over its length a text may go before truncate cuts it (the policy truncate.leeway). */
const defaultLeeway = 5;

function truncate(given: Given<'s' | 'length' | 'killwords' | 'end' | 'leeway'>): Value {
  const { end, killwords, leeway, length, s: value } = given;
  const most = int(length);
  const ending = softStr(end);
  const endLength = lengthInPoints(textOf(ending));
  const slack = leeway === null ? defaultLeeway : int(leeway);
  if (most < endLength) throw new PythonError('AssertionError', `expected length >= ${endLength}, got ${most}`);
  if (slack < 0) throw new PythonError('AssertionError', `expected leeway >= 0, got ${slack}`);
  if (value instanceof Undefined) return value;
  const size = sizeOf(value);
  if (size === null) throw typeError(`object of type '${typeName(value)}' has no len()`);
  if (size <= most + slack) return value;
  if (!isStr(value)) throw typeError(`can't put text to a ${typeName(value)}`);
  const cut = slicePoints(value, 0, most - endLength);
  return add(like(value, isTrue(killwords) ? cut : (rsplit(cut, ' ', 1)[0] ?? '')), ending);
}

function formatFilter(args: readonly Value[], kwargs: ReadonlyMap<string, Value>): Value {
  const [value, ...rest] = args;
  if (rest.length > 0 && kwargs.size > 0)
    throw new PythonError('FilterArgumentError', "can't handle positional and keyword arguments at the same time");
  return binary('%', softStr(value), kwargs.size > 0 ? Object.fromEntries(kwargs) : new Tuple(rest));
}

/** transformers' tojson, which is json.dumps without jinja2's escapes for HTML. */
function tojson(given: Given<'x' | 'ensure_ascii' | 'indent' | 'separators' | 'sort_keys'>): Str {
  const indent = indentOf(given.indent);
  const separators = given.separators === null ? null : toArray(given.separators).map((part) => textOf(str(part)));
  if (separators && separators.length !== 2) throw valueError('not enough values to unpack (expected 2)');
  return dumps(given.x, {
    ensureAscii: isTrue(given.ensure_ascii),
    indent,
    itemSeparator: separators?.[0] ?? (indent === null ? ', ' : ','),
    keySeparator: separators?.[1] ?? ': ',
    sortKeys: isTrue(given.sort_keys),
  });
}

/** urllib's quote of UTF-8: unreserved characters and / stay. */
const quote = (value: Value, forQuery: boolean): Str =>
  mapRuns(str(value), (text) => {
    const quoted = encodeURIComponent(text).replace(
      /[!'()*]/g,
      (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
    );
    return forQuery ? quoted.replaceAll('%20', '+') : quoted.replaceAll('%2F', '/');
  });

function urlencode(value: Value): Str {
  if (isStr(value) || !isIterable(value)) return quote(value, false);
  const pairs = isDict(value) ? dictEntries(value) : toArray(value).map((pair) => toArray(pair));
  return joinTexts(
    '&',
    pairs.map((pair) => {
      if (pair.length !== 2) throw valueError('a pair has two values');
      return concat(quote(pair[0], true), '=', quote(pair[1], true));
    }),
  );
}

function xmlattr(value: Value, autospace: Value): Str {
  if (!isDict(value)) throw new PythonError('AttributeError', `'${typeName(value)}' object has no attribute 'items'`);
  const items = dictEntries(value)
    .filter(([, item]) => item !== null && !(item instanceof Undefined))
    .map(([key, item]) => {
      const name = str(key);
      if (/[\s/>=]/.test(textOf(name))) throw valueError(`Invalid character in attribute name: '${textOf(name)}'`);
      return concat(escapeHtml(name), '="', escapeHtml(item), '"');
    });
  const text = joinTexts(' ', items);
  return isTrue(autospace) && items.length > 0 ? concat(' ', text) : text;
}

/** Without comments and tags, white space made one. */
function striptags(value: Value): Str {
  const text = textOf(str(value));
  if (text.includes('&')) throw new MissingConstruct('the filter `striptags` of a text with entities');
  return mapWhole(str(value), (part) =>
    part
      .replace(/<!--.*?-->/gs, '')
      .replace(/<.*?>/gs, '')
      .split(/\s+/)
      .filter((word) => word !== '')
      .join(' '),
  );
}

const words = (value: Value): number => textOf(softStr(value)).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0;

export const textFilters: ReadonlyMap<string, Filter> = new Map([
  ...filter('upper', 's', (value) =>
    like(
      value,
      mapWhole(str(value), (text) => text.toUpperCase()),
    ),
  ),
  ...filter('lower', 's', (value) =>
    like(
      value,
      mapWhole(str(value), (text) => text.toLowerCase()),
    ),
  ),
  ...filter('capitalize', 's', (value) => like(value, mapWhole(str(value), capitalize))),
  ...filter('title', 's', (value) => mapWhole(softStr(value), titleFilter)),
  ...filter('string', 'value', softStr),
  ...filter('trim', 'value, chars=None', (value, chars) =>
    like(value, strip(str(value), chars === null ? null : textOf(str(chars)), 'both')),
  ),
  ...filter('replace', 's, old, new, count=None', (value, old, by, count) =>
    joinTexts('', replace(str(value), textOf(str(old)), str(by), count === null ? -1 : int(count))),
  ),
  ...filter('join', "value, d='', attribute=None", (value, separator, attribute) => {
    const read = attribute === null ? null : attributeGetter(attribute);
    return joinTexts(
      str(separator),
      toArray(value).map((item) => str(read ? read(item) : item)),
    );
  }),
  ...filter('indent', 's, width=4, first=False, blank=False', indent),
  ...filter('center', 'value, width=80', (value, width) => like(value, center(str(value), int(width)))),
  namedFilter('truncate', "s, length=255, killwords=False, end='...', leeway=None", truncate),
  namedFilter('wordwrap', 's, width=79, break_long_words=True, wrapstring=None, break_on_hyphens=True', wrapped),
  ...filter('wordcount', 's', words),
  namedFilter('tojson', 'x, ensure_ascii=False, indent=None, separators=None, sort_keys=False', tojson),
  ...filter('urlencode', 'value', urlencode),
  ...filter('xmlattr', 'd, autospace=True', xmlattr),
  ...filter('striptags', 'value', striptags),
  ...filter('safe', 'value', (value) => asMarkup(softStr(value))),
  ...filter('e escape', 's, /', escapeHtml),
  ...filter('forceescape', 'value', (value) => asMarkup(escapeText(str(value)))),
  ['format', formatFilter] as const,
]);
