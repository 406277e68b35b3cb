/** Methods of Python's str but format and format_map (access.ts). What is missing is refused by name. */
import { capitalize, casefold, classTests, swapcase, title } from './char-classes.ts';
import { lengthInPoints, pointOf, unitOf } from './code-points.ts';
import { MissingConstruct, typeError, valueError } from './errors.ts';
import { maxText } from './limits.ts';
import { concat, isStr, joinTexts, lengthOf, mapWhole, type Str, slice, textOf } from './marked-text.ts';
import { bind, type Parameters, parameters } from './signature.ts';
import { replace, rsplit, type Side, split, splitlines, strip } from './str-split.ts';
import { isTrue, toArray, typeName } from './types.ts';
import { type Kwargs, Tuple, toIndex, Undefined, type Value } from './values.ts';

export type StrMethod = (self: Str, args: readonly Value[], kwargs: Kwargs) => Value;

const methods = new Map<string, StrMethod>();

function method(name: string, signature: string, run: (self: Str, ...args: Value[]) => Value): void {
  const accepted: Parameters = parameters(signature);
  methods.set(name, (self, args, kwargs) => run(self, ...bind(name, accepted, args, kwargs)));
}

function strArgument(value: Value): Str {
  if (isStr(value)) return value;
  if (value instanceof Undefined) throw typeError('must be str, not Undefined');
  throw typeError(`must be str, not ${typeName(value)}`);
}

function textArgument(value: Value): string {
  return textOf(strArgument(value));
}

const optionalText = (value: Value): string | null => (value === null ? null : textArgument(value));

function intArgument(value: Value): number {
  const index = toIndex(value);
  if (index === null) throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`);
  return index;
}

for (const [name, side] of [
  ['strip', 'both'],
  ['lstrip', 'left'],
  ['rstrip', 'right'],
] as const satisfies readonly (readonly [string, Side])[])
  method(name, 'chars=None, /', (self, chars) => strip(self, optionalText(chars), side));

method('split', 'sep=None, maxsplit=-1', (self, sep, most) => split(self, optionalText(sep), intArgument(most)));
method('rsplit', 'sep=None, maxsplit=-1', (self, sep, most) => rsplit(self, optionalText(sep), intArgument(most)));
method('splitlines', 'keepends=False', (self, keep) => splitlines(self, isTrue(keep)));
method('replace', 'old, new, count=-1, /', (self, old, by, count) =>
  joinTexts('', replace(self, textArgument(old), strArgument(by), intArgument(count))),
);
method('join', 'iterable, /', (self, iterable) =>
  joinTexts(
    self,
    toArray(iterable).map((item, i) => {
      if (!isStr(item)) throw typeError(`sequence item ${i}: expected str instance, ${typeName(item)} found`);
      return item;
    }),
  ),
);

for (const [name, change] of Object.entries({
  upper: (text: string) => text.toUpperCase(),
  lower: (text: string) => text.toLowerCase(),
  title,
  capitalize,
  swapcase,
  casefold,
}))
  method(name, '', (self) => mapWhole(self, change));

for (const [name, test] of Object.entries(classTests)) method(name, '', (self) => test(textOf(self)));

interface Window {
  readonly text: string;
  readonly start: number;
}

/** The part of a text that find, count, startswith and endswith look at; null where it begins beyond the end. */
function window(self: Str, start: Value, end: Value): Window | null {
  const text = textOf(self);
  const length = lengthInPoints(text);
  const bound = (value: Value, otherwise: number): number => {
    const index = value === null ? otherwise : intArgument(value);
    return index < 0 ? Math.max(0, index + length) : index;
  };
  const from = bound(start, 0);
  const to = Math.min(bound(end, length), length);
  if (from > to) return null;
  return { text: text.slice(unitOf(text, from), unitOf(text, to)), start: from };
}

function affixes(value: Value): string[] {
  if (value instanceof Tuple) return value.items.map(textArgument);
  if (!isStr(value)) throw typeError(`first arg must be str or a tuple of str, not ${typeName(value)}`);
  return [textOf(value)];
}

method('startswith', 'prefix, start=None, end=None, /', (self, prefix, start, end) => {
  const part = window(self, start, end);
  return affixes(prefix).some((affix) => part?.text.startsWith(affix) ?? false);
});
method('endswith', 'suffix, start=None, end=None, /', (self, suffix, start, end) => {
  const part = window(self, start, end);
  return affixes(suffix).some((affix) => part?.text.endsWith(affix) ?? false);
});
method('removeprefix', 'prefix, /', (self, prefix) => {
  const affix = textArgument(prefix);
  return textOf(self).startsWith(affix) ? slice(self, affix.length) : self;
});
method('removesuffix', 'suffix, /', (self, suffix) => {
  const affix = textArgument(suffix);
  return affix !== '' && textOf(self).endsWith(affix) ? slice(self, 0, lengthOf(self) - affix.length) : self;
});

/** Where a text stands in a part of another, counted from the other's beginning; -1 where it does not. */
function find(part: Window | null, sought: Value, last: boolean): number {
  const text = textArgument(sought);
  if (!part) return -1;
  const at = last ? part.text.lastIndexOf(text) : part.text.indexOf(text);
  return at < 0 ? -1 : part.start + pointOf(part.text, at);
}

for (const [name, last, must] of [
  ['find', false, false],
  ['rfind', true, false],
  ['index', false, true],
  ['rindex', true, true],
] as const)
  method(name, 'sub, start=None, end=None, /', (self, sought, start, end) => {
    const at = find(window(self, start, end), sought, last);
    if (at < 0 && must) throw valueError('substring not found');
    return at;
  });
method('count', 'sub, start=None, end=None, /', (self, sought, start, end) => {
  const text = textArgument(sought);
  const part = window(self, start, end);
  if (!part) return 0;
  return text === '' ? lengthInPoints(part.text) + 1 : part.text.split(text).length - 1;
});

function partition(self: Str, separator: Value, last: boolean): Tuple {
  const text = textArgument(separator);
  if (text === '') throw valueError('empty separator');
  const at = last ? textOf(self).lastIndexOf(text) : textOf(self).indexOf(text);
  if (at < 0) return new Tuple(last ? ['', '', self] : [self, '', '']);
  return new Tuple([slice(self, 0, at), slice(self, at, at + text.length), slice(self, at + text.length)]);
}
method('partition', 'sep, /', (self, separator) => partition(self, separator, false));
method('rpartition', 'sep, /', (self, separator) => partition(self, separator, true));

/** Fills to a width, by so much of it on the left. */
export function justify(self: Str, width: number, fill: Str, left: (missing: number) => number): Str {
  if (lengthInPoints(textOf(fill)) !== 1) throw typeError('The fill character must be exactly one character long');
  if (width > maxText) throw new MissingConstruct(`a text of over ${maxText} characters`);
  const missing = width - lengthInPoints(textOf(self));
  if (missing <= 0) return self;
  const before = left(missing);
  const filling = textOf(fill);
  return concat(filling.repeat(before), self, filling.repeat(missing - before));
}

/** CPython puts the odd space on the left only where the width is odd. */
export const center = (self: Str, width: number, fill: Str = ' '): Str =>
  justify(self, width, fill, (missing) => Math.floor(missing / 2) + (missing & width & 1));

const justified = "width, fillchar=' ', /";
method('center', justified, (self, width, fill) => center(self, intArgument(width), strArgument(fill)));
method('ljust', justified, (self, width, fill) => justify(self, intArgument(width), strArgument(fill), () => 0));
method('rjust', justified, (self, width, fill) => justify(self, intArgument(width), strArgument(fill), (all) => all));
method('zfill', 'width, /', (self, width) => {
  const signed = /^[+-]/.test(textOf(self)) ? 1 : 0;
  const digits = slice(self, signed);
  return concat(
    slice(self, 0, signed),
    justify(digits, intArgument(width) - signed, '0', (all) => all),
  );
});
method('expandtabs', 'tabsize=8', (self, tabsize) => {
  const size = intArgument(tabsize);
  return mapWhole(self, (text) => expandTabs(text, size));
});

function expandTabs(text: string, size: number): string {
  let column = 0;
  let out = '';
  for (const char of text) {
    if (char === '\t') {
      const width = size > 0 ? size - (column % size) : 0;
      out += ' '.repeat(width);
      column += width;
    } else {
      out += char;
      column = char === '\n' || char === '\r' ? 0 : column + 1;
    }
  }
  return out;
}

for (const name of ['encode', 'maketrans', 'translate'])
  methods.set(name, () => {
    throw new MissingConstruct(`str.${name}`);
  });

export const strMethods: ReadonlyMap<string, StrMethod> = methods;
