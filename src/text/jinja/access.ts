/** value.name, value[key] and value[a:b:c], as jinja2's immutable sandbox resolves them. */
import { codePoints, hasSurrogates, lengthInPoints, unitOf } from './code-points.ts';
import { changesDict, changesList, dictMethods, listMethods, sequenceMethods } from './container-methods.ts';
import { type Dict, dictGet, isDict } from './dict.ts';
import { MissingConstruct, typeError, valueError } from './errors.ts';
import { isStr, joinTexts, Markup, type Str, slice, textOf } from './marked-text.ts';
import { escapeText, like, markupMethod } from './markup.ts';
import { Range } from './range.ts';
import { strFormat } from './str-format.ts';
import { type StrMethod, strMethods } from './str-methods.ts';
import { repr } from './to-text.ts';
import { typeName } from './types.ts';
import {
  Attributed,
  admit,
  Callable,
  GroupTuple,
  type Kwargs,
  Namespace,
  PyFloat,
  plain,
  Tuple,
  toIndex,
  Undefined,
  type Value,
} from './values.ts';
import { viewOf } from './watched-list.ts';

const objectName = (value: Value): string => {
  if (value === null) return 'None';
  const name = typeName(value);
  return value instanceof Attributed || name === 'Namespace' ? `jinja2.${name} object` : `${name} object`;
};

function missing(value: Value, key: Value): Undefined {
  if (isStr(key)) return new Undefined(`'${objectName(value)}' has no attribute '${textOf(key)}'`);
  return new Undefined(`${objectName(value)} has no element ${textOf(repr(key))}`);
}

const unsafe = (value: Value, name: string): Undefined =>
  new Undefined(`access to attribute '${name}' of '${typeName(value)}' object is unsafe.`, 'SecurityError');

/** Attributes that every object of Python has, and the sandbox hides. */
const internal =
  /^__(?:class|doc|dict|dir|eq|format|ge|getattribute|gt|hash|init|init_subclass|le|lt|module|ne|new|reduce|reduce_ex|repr|setattr|sizeof|str|subclasshook|delattr)__$/;

/** Methods of str with those that reach into other values. */
export const textMethods: ReadonlyMap<string, StrMethod> = new Map<string, StrMethod>([
  ...strMethods,
  ['format', (self, args, kwargs) => formatted(self, args, (name) => kwargs.get(name))],
  ['format_map', (self, args) => formatMap(self, args)],
]);

function formatMap(self: Str, args: readonly Value[]): Str {
  const [mapping] = args;
  if (args.length !== 1) throw typeError(`format_map() takes exactly one argument (${args.length} given)`);
  const named = (name: string): Value | undefined => (isDict(mapping) ? dictGet(mapping, name) : undefined);
  return formatted(self, [], named);
}

function formatted(self: Str, args: readonly Value[], named: (name: string) => Value | undefined): Str {
  return strFormat(self, { args, named, attributeOf, itemOf, escape: self instanceof Markup ? escapeText : null });
}

/** A method or attribute; undefined where the type has none of that name. */
function ownAttribute(value: Value, name: string): Value | undefined {
  if (isStr(value)) {
    const method = textMethods.get(name);
    return bound(method && value instanceof Markup ? markupMethod(name, method) : method, value, name);
  }
  if (isDict(value))
    return changesDict.has(name) ? unsafe(value, name) : bound<Dict>(dictMethods.get(name), value, name);
  if (Array.isArray(value))
    return changesList.has(name) ? unsafe(value, name) : bound<readonly Value[]>(listMethods.get(name), value, name);
  if (value instanceof Tuple) {
    if (value instanceof GroupTuple && name === 'grouper') return value.items[0];
    if (value instanceof GroupTuple && name === 'list') return value.items[1];
    return bound(sequenceMethods.get(name), value.items, name);
  }
  if (value instanceof Namespace) return value.values.get(name);
  if (value instanceof Attributed) return value.attribute(name);
  if (value instanceof Range) return rangeAttribute(value, name);
  return numberAttribute(plain(value), name);
}

function bound<Self>(
  method: ((self: Self, args: readonly Value[], kwargs: Kwargs) => Value) | undefined,
  self: Self,
  name: string,
): Callable | undefined {
  return method && new Callable(name, (args, kwargs) => method(self, args, kwargs), 'builtin_function_or_method');
}

function rangeAttribute(range: Range, name: string): Value | undefined {
  if (name === 'start' || name === 'stop' || name === 'step') return range[name];
  return bound(sequenceMethods.get(name), range.items(), name);
}

const numberMethods = [
  'as_integer_ratio',
  'bit_count',
  'bit_length',
  'conjugate',
  'from_bytes',
  'to_bytes',
  'fromhex',
  'hex',
];

function numberAttribute(value: Value, name: string): Value | undefined {
  if (
    typeof value !== 'number' &&
    typeof value !== 'bigint' &&
    typeof value !== 'boolean' &&
    !(value instanceof PyFloat)
  )
    return undefined;
  if (name === 'real') return typeof value === 'boolean' ? Number(value) : value;
  if (name === 'imag') return value instanceof PyFloat ? new PyFloat(0) : 0;
  if (name === 'is_integer' && value instanceof PyFloat) return new Callable(name, () => Number.isInteger(value.value));
  if (numberMethods.includes(name)) throw new MissingConstruct(`${typeName(value)}.${name}`);
  if (value instanceof PyFloat) return undefined;
  if (name === 'numerator') return Number(value);
  return name === 'denominator' ? 1 : undefined;
}

/** environment.getattr: an attribute, otherwise an item, otherwise undefined. */
export function attributeOf(value: Value, name: string): Value {
  if (value instanceof Undefined) throw value.error();
  if (name.startsWith('_') && internal.test(name)) return unsafe(value, name);
  const attribute = ownAttribute(value, name);
  if (attribute !== undefined) return attribute;
  if (!isDict(value)) return missing(value, name);
  const item = dictGet(value, name);
  return item === undefined ? missing(value, name) : item;
}

/** environment.getitem: an item, otherwise an attribute, otherwise undefined. */
export function itemOf(value: Value, key: Value): Value {
  if (value instanceof Undefined) throw value.error();
  if (isDict(value)) {
    const item = hashable(key) ? dictGet(value, key) : undefined;
    if (item !== undefined) return item;
  } else {
    const index = toIndex(key);
    const item = index === null ? undefined : element(value, index);
    if (item !== undefined) return item;
  }
  if (!isStr(key)) return missing(value, key);
  const name = textOf(key);
  if (internal.test(name)) return unsafe(value, name);
  const attribute = ownAttribute(value, name);
  return attribute === undefined ? missing(value, key) : attribute;
}

const hashable = (key: Value): boolean => !Array.isArray(key) && !isDict(key);

/** undefined where the value has no such element. */
function element(value: Value, index: number): Value | undefined {
  if (Array.isArray(value)) {
    const view = index >= 0 ? viewOf(value) : undefined;
    if (view) return view.has(index) ? admit(view.at(index)) : undefined;
    return at(value, index, (item) => admit(item));
  }
  if (value instanceof Tuple) return at(value.items, index, (item) => item);
  if (value instanceof Range) {
    const place = index < 0 ? index + value.length : index;
    return place >= 0 && place < value.length ? value.at(place) : undefined;
  }
  if (isStr(value)) return character(value, index);
  return undefined;
}

function at(items: readonly Value[], index: number, read: (item: Value) => Value): Value | undefined {
  const place = index < 0 ? index + items.length : index;
  return place >= 0 && place < items.length ? read(items[place]) : undefined;
}

function character(value: Str, index: number): Str | undefined {
  const text = textOf(value);
  const length = lengthInPoints(text);
  const place = index < 0 ? index + length : index;
  if (place < 0 || place >= length) return undefined;
  const start = hasSurrogates(text) ? unitOf(text, place) : place;
  return like(value, slice(value, start, start + (text.codePointAt(start)! > 0xffff ? 2 : 1)));
}

export interface Bounds {
  readonly start: Value;
  readonly stop: Value;
  readonly step: Value;
}

export function sliceOf(value: Value, bounds: Bounds): Value {
  if (value instanceof Undefined) throw value.error();
  if (isStr(value)) return like(value, sliceText(value, bounds));
  if (Array.isArray(value)) return sliceItems(value, bounds);
  if (value instanceof Tuple) return new Tuple(sliceItems(value.items, bounds));
  if (value instanceof Range) return sliceRange(value, bounds);
  if (isDict(value)) throw typeError("unhashable type: 'slice'");
  throw typeError(`'${typeName(value)}' object is not subscriptable`);
}

/** Bounds as places in a sequence of that length, as Python's slice.indices gives them. */
function indices({ start, stop, step }: Bounds, length: number): { from: number; to: number; by: number } {
  const by = boundOf(step) ?? 1;
  if (by === 0) throw valueError('slice step cannot be zero');
  const place = (value: Value, otherwise: number): number => {
    const index = boundOf(value);
    if (index === null) return otherwise;
    if (index < 0) return Math.max(index + length, by < 0 ? -1 : 0);
    return Math.min(index, by < 0 ? length - 1 : length);
  };
  return by < 0
    ? { from: place(start, length - 1), to: place(stop, -1), by }
    : { from: place(start, 0), to: place(stop, length), by };
}

function boundOf(value: Value): number | null {
  if (value === null) return null;
  const index = toIndex(value);
  if (index === null) throw typeError('slice indices must be integers or None or have an __index__ method');
  return index;
}

function sliceItems(items: readonly Value[], bounds: Bounds): readonly Value[] {
  // The rest of a watched list is watched, too.
  const start = bounds.stop === null && (boundOf(bounds.step) ?? 1) === 1 ? (boundOf(bounds.start) ?? 0) : -1;
  const view = start >= 0 ? viewOf(items) : undefined;
  if (view) return view.from(start);
  const { from, to, by } = indices(bounds, items.length);
  if (by === 1) return items.slice(from, Math.max(from, to));
  const taken: Value[] = [];
  for (let i = from; by > 0 ? i < to : i > to; i += by) taken.push(items[i]);
  return taken;
}

function sliceText(value: Str, bounds: Bounds): Str {
  const text = textOf(value);
  const { from, to, by } = indices(bounds, lengthInPoints(text));
  if (by === 1) {
    const start = unitOf(text, from);
    return slice(value, start, Math.max(start, unitOf(text, to)));
  }
  return joinTexts('', sliceItems(codePoints(value), bounds) as Str[]);
}

function sliceRange(range: Range, bounds: Bounds): Range {
  const { from, to, by } = indices(bounds, range.length);
  return new Range(range.at(from), range.at(to), range.step * by);
}

/** Whether value is what Python calls a sequence for the test of that name: it has a length and items by number. */
export const hasItems = (value: Value): boolean =>
  isStr(value) ||
  Array.isArray(value) ||
  value instanceof Tuple ||
  isDict(value) ||
  value instanceof Range ||
  value instanceof Undefined;
