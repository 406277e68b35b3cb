/**
 * Builtin filters on sequences and mappings:
 * https://jinja.palletsprojects.com/en/stable/templates/#list-of-builtin-filters.
 */
import { attributeOf, sliceOf } from './access.ts';
import { attributeGetter, attributesGetter } from './attribute-path.ts';
import { dictMethods } from './container-methods.ts';
import { dictEntries, dictGet, hash, isDict } from './dict.ts';
import { MissingConstruct, PythonError, typeError } from './errors.ts';
import { type Filter, filter } from './filter-table.ts';
import { int } from './filters-text.ts';
import { maxList } from './limits.ts';
import { isStr, mapWhole, textOf } from './marked-text.ts';
import { add, equal, order } from './operators.ts';
import { isTrue, iterate, sizeOf, toArray, typeName } from './types.ts';
import { GroupTuple, Lazy, Tuple, Undefined, type Value } from './values.ts';

/** Texts are compared without regard to case, unless asked for. */
const folded = (value: Value): Value => (isStr(value) ? mapWhole(value, (text) => text.toLowerCase()) : value);

function sorted<T>(items: readonly T[], key: (item: T) => Value, reverse: boolean): T[] {
  const keyed = items.map((item) => ({ item, key: key(item) }));
  const sign = reverse ? -1 : 1;
  keyed.sort((a, b) => sign * (order(a.key, b.key) || 0));
  return keyed.map(({ item }) => item);
}

function sort(value: Value, reverse: Value, caseSensitive: Value, attribute: Value): Value {
  const read = attributesGetter(attribute);
  const key = (item: Value): Value => (isTrue(caseSensitive) ? read(item) : read(item).map(folded));
  return sorted(toArray(value), key, isTrue(reverse));
}

function dictsort(value: Value, caseSensitive: Value, by: Value, reverse: Value): Value {
  const place = ['key', 'value'].indexOf(isStr(by) ? textOf(by) : '');
  if (place < 0) throw new PythonError('FilterArgumentError', 'You can only sort by either "key" or "value"');
  if (!isDict(value)) throw new PythonError('AttributeError', `'${typeName(value)}' object has no attribute 'items'`);
  const key = (entry: readonly Value[]): Value => (isTrue(caseSensitive) ? entry[place] : folded(entry[place]));
  return sorted(dictEntries(value), key, isTrue(reverse)).map((entry) => new Tuple(entry));
}

const keyOf = (caseSensitive: Value, attribute: Value): ((item: Value) => Value) => {
  const read = attributeGetter(attribute);
  return (item) => (isTrue(caseSensitive) ? read(item) : folded(read(item)));
};

function* unique(value: Value, caseSensitive: Value, attribute: Value): Generator<Value> {
  const key = keyOf(caseSensitive, attribute);
  const seen = new Set<unknown>();
  for (const item of each(value)) {
    const hashed = hash(key(item));
    if (seen.has(hashed)) continue;
    seen.add(hashed);
    yield item;
  }
}

function extreme(sign: number): (value: Value, caseSensitive: Value, attribute: Value) => Value {
  return (value, caseSensitive, attribute) => {
    const items = toArray(value);
    if (items.length === 0) return new Undefined('No aggregated item, sequence was empty.');
    const key = keyOf(caseSensitive, attribute);
    let best = { item: items[0], key: key(items[0]) };
    for (const item of items.slice(1)) {
      const candidate = { item, key: key(item) };
      if (sign * order(candidate.key, best.key) > 0) best = candidate;
    }
    return best.item;
  };
}

function groupby(value: Value, attribute: Value, otherwise: Value, caseSensitive: Value): Value {
  const read = attributeGetter(attribute, otherwise);
  const key = (item: Value): Value => (isTrue(caseSensitive) ? read(item) : folded(read(item)));
  const groups: { key: Value; items: Value[] }[] = [];
  for (const item of sorted(toArray(value), key, false)) {
    const itemKey = key(item);
    const last = groups.at(-1);
    if (last && equal(last.key, itemKey)) last.items.push(item);
    else groups.push({ key: itemKey, items: [item] });
  }
  return groups.map(({ items }) => new GroupTuple([read(items[0]), items]));
}

/** The elements one by one, in a for loop of JavaScript. */
function* each(value: Value): Generator<Value> {
  const iterator = iterate(value);
  for (let step = iterator.next(); !step.done; step = iterator.next()) yield step.value;
}

function last(value: Value): Value {
  if (value instanceof Lazy) throw typeError(`'${value.typeName}' object is not reversible`);
  const items = toArray(value);
  return items.length === 0 ? new Undefined('No last item, sequence was empty.') : items.at(-1);
}

function first(value: Value): Value {
  const step = iterate(value).next();
  return step.done ? new Undefined('No first item, sequence was empty.') : step.value;
}

function reverse(value: Value): Value {
  if (isStr(value)) return sliceOf(value, { start: null, stop: null, step: -1 });
  if (value instanceof Lazy) return [...toArray(value)].reverse();
  const type = Array.isArray(value) ? 'list_reverseiterator' : 'reversed';
  return new Lazy([...toArray(value)].reverse()[Symbol.iterator](), type);
}

function length(value: Value): Value {
  const size = sizeOf(value);
  if (size === null) throw typeError(`object of type '${typeName(value)}' has no len()`);
  return size;
}

function sum(value: Value, attribute: Value, start: Value): Value {
  if (isStr(start)) throw typeError("sum() can't sum strings [use ''.join(seq) instead]");
  const read = attributeGetter(attribute);
  return toArray(value).reduce((total, item) => add(total, read(item)), start);
}

function rowLength(count: Value): number {
  const size = int(count);
  if (size > maxList) throw new MissingConstruct(`a list of over ${maxList} elements`);
  return size;
}

function* batch(value: Value, count: Value, fill: Value): Generator<Value> {
  const size = rowLength(count);
  let row: Value[] = [];
  for (const item of each(value)) {
    if (row.length === size) {
      yield row;
      row = [];
    }
    row.push(item);
  }
  if (row.length === 0) return;
  if (fill !== null) while (row.length < size) row.push(fill);
  yield row;
}

function* slices(value: Value, count: Value, fill: Value): Generator<Value> {
  const items = toArray(value);
  const parts = rowLength(count);
  if (parts === 0) throw new PythonError('ZeroDivisionError', 'integer division or modulo by zero');
  const size = Math.floor(items.length / parts);
  const extra = items.length % parts;
  let start = 0;
  for (let i = 0; i < parts; i++) {
    const end = start + size + (i < extra ? 1 : 0);
    const part = items.slice(start, end);
    yield fill !== null && i >= extra ? [...part, fill] : part;
    start = end;
  }
}

function* pairs(value: Value): Generator<Value> {
  if (value instanceof Undefined) return;
  if (!isDict(value)) throw typeError('Can only get item pairs from a mapping.');
  for (const entry of dictEntries(value)) yield new Tuple(entry);
}

/** Only what a type has as an attribute: the items of a dict are none. */
function attr(value: Value, name: Value): Value {
  if (!isStr(name)) throw typeError('attribute name must be string');
  const text = textOf(name);
  if (isDict(value) && !dictMethods.has(text) && dictGet(value, text) !== undefined)
    return new Undefined(`'dict object' has no attribute '${text}'`);
  return attributeOf(value, text);
}

const lazily =
  (make: (...args: Value[]) => Iterator<Value>) =>
  (...args: Value[]): Value =>
    new Lazy(make(...args));

export const sequenceFilters: ReadonlyMap<string, Filter> = new Map([
  ...filter('length count', 'obj, /', length),
  ...filter('list', 'value', (value) => [...toArray(value)]),
  ...filter('first', 'seq', first),
  ...filter('last', 'seq', last),
  ...filter('reverse', 'value', reverse),
  ...filter('sort', 'value, reverse=False, case_sensitive=False, attribute=None', sort),
  ...filter('dictsort', "value, case_sensitive=False, by='key', reverse=False", dictsort),
  ...filter('unique', 'value, case_sensitive=False, attribute=None', lazily(unique)),
  ...filter('min', 'value, case_sensitive=False, attribute=None', extreme(-1)),
  ...filter('max', 'value, case_sensitive=False, attribute=None', extreme(1)),
  ...filter('groupby', 'value, attribute, default=None, case_sensitive=False', groupby),
  ...filter('sum', 'iterable, attribute=None, start=0', sum),
  ...filter('batch', 'value, linecount, fill_with=None', lazily(batch)),
  ...filter('slice', 'value, slices, fill_with=None', lazily(slices)),
  ...filter('items', 'value', lazily(pairs)),
  ...filter('attr', 'obj, name', attr),
]);
