/** Python's operators: + - * / // % ** on all types that have them, comparisons, in. */
import { compareTexts } from './code-points.ts';
import { DictView, dictEntries, dictGet, dictSize, isDict } from './dict.ts';
import { MissingConstruct, typeError } from './errors.ts';
import { maxList, maxText } from './limits.ts';
import { concat, isStr, joinTexts, Markup, type Str, textOf } from './marked-text.ts';
import { asMarkup, escapeHtml, like } from './markup.ts';
import type { BinaryOperator, CompareOperator } from './nodes.ts';
import { arithmetic, compareNumbers } from './numbers.ts';
import { percentFormat } from './percent-format.ts';
import { Range } from './range.ts';
import { isIterable, toArray, typeName } from './types.ts';
import { isInt, Lazy, PyFloat, plain, Tuple, toIndex, toNum, Undefined, type Value } from './values.ts';

export function binary(operator: BinaryOperator, a: Value, b: Value): Value {
  if (operator === '%' && isStr(a)) return like(a, percentFormat(a, b, a instanceof Markup ? escapeHtml : null));
  if (a instanceof Undefined) throw a.error();
  if (b instanceof Undefined) throw b.error();
  const x = toNum(a);
  const y = toNum(b);
  if (x !== null && y !== null) return arithmetic(operator, x, y);
  if (operator === '+') {
    if (isStr(a) && isStr(b)) return bounded(joined(a, b));
    if (Array.isArray(a) && Array.isArray(b)) return boundedList([...a, ...b]);
    if (a instanceof Tuple && b instanceof Tuple) return new Tuple([...a.items, ...b.items]);
  }
  if (operator === '*') {
    const times = repeated(a, y) ?? repeated(b, x);
    if (times !== null) return times;
  }
  throw typeError(`unsupported operand type(s) for ${operator}: '${typeName(a)}' and '${typeName(b)}'`);
}

function boundedList(items: readonly Value[]): readonly Value[] {
  if (items.length > maxList) throw new MissingConstruct(`a list of over ${maxList} elements`);
  return items;
}

const joined = (a: Str, b: Str): Str =>
  a instanceof Markup || b instanceof Markup ? asMarkup(concat(escapeHtml(a), escapeHtml(b))) : concat(a, b);

function bounded(text: Str): Str {
  if (textOf(text).length > maxText) throw new MissingConstruct(`a text of over ${maxText} characters`);
  return text;
}

function repeated(value: Value, by: ReturnType<typeof toNum>): Value {
  if (by === null || by instanceof PyFloat) return null;
  const times = Math.max(0, Number(by));
  if (isStr(value)) {
    if (textOf(value).length * times > maxText) throw new MissingConstruct(`a text of over ${maxText} characters`);
    if (typeof value === 'string') return value.repeat(times);
    return like(
      value,
      joinTexts(
        '',
        Array.from({ length: times }, () => value),
      ),
    );
  }
  const items = Array.isArray(value) ? value : value instanceof Tuple ? value.items : null;
  if (items === null) return null;
  if (items.length * times > maxList) throw new MissingConstruct(`a list of over ${maxList} elements`);
  const all = Array.from({ length: times }, () => items).flat(1);
  return Array.isArray(value) ? all : new Tuple(all);
}

export function add(a: Value, b: Value): Value {
  if (typeof a === 'string' && typeof b === 'string') {
    const text = a + b;
    return text.length > maxText ? bounded(text) : text;
  }
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return binary('+', a, b);
}

export function negative(value: Value): Value {
  if (value instanceof Undefined) throw value.error();
  const number = toNum(value);
  if (number === null) throw typeError(`bad operand type for unary -: '${typeName(value)}'`);
  return number instanceof PyFloat ? new PyFloat(-number.value) : arithmetic('-', 0, number);
}

export function positive(value: Value): Value {
  if (value instanceof Undefined) throw value.error();
  const number = toNum(value);
  if (number === null) throw typeError(`bad operand type for unary +: '${typeName(value)}'`);
  return number;
}

export function equal(a: Value, b: Value): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b;
  if (isStr(a) || isStr(b)) return isStr(a) && isStr(b) && textOf(a) === textOf(b);
  const x = toNum(a);
  const y = toNum(b);
  if (x !== null || y !== null) return x !== null && y !== null && compareNumbers(x, y) === 0;
  if (a === b) return true;
  if (a instanceof Undefined || b instanceof Undefined) return a instanceof Undefined && b instanceof Undefined;
  if (Array.isArray(a) && Array.isArray(b)) return equalItems(toArray(a), toArray(b));
  if (a instanceof Tuple && b instanceof Tuple) return equalItems(a.items, b.items);
  if (isDict(a) && isDict(b)) {
    if (dictSize(a) !== dictSize(b)) return false;
    return dictEntries(a).every(([key, value]) => {
      const other = dictGet(b, key);
      return other !== undefined && equal(value, other);
    });
  }
  if (a instanceof Range && b instanceof Range) return equalItems(a.items(), b.items());
  if (a instanceof DictView && b instanceof DictView && a.part !== 'values')
    return a.items().length === b.items().length && a.items().every((item) => contains(b, item));
  return false;
}

const equalItems = (a: readonly Value[], b: readonly Value[]): boolean =>
  a.length === b.length && a.every((item, i) => equal(item, b[i]));

/** Below, at or above zero as a stands to b; NaN where neither holds. Throws TypeError for types without an order. */
export function order(a: Value, b: Value, operator: CompareOperator = '<'): number {
  if (a instanceof Undefined) throw a.error();
  if (b instanceof Undefined) throw b.error();
  const x = toNum(a);
  const y = toNum(b);
  if (x !== null && y !== null) return compareNumbers(x, y);
  if (isStr(a) && isStr(b)) return compareTexts(textOf(a), textOf(b));
  if (Array.isArray(a) && Array.isArray(b)) return orderItems(toArray(a), toArray(b), operator);
  if (a instanceof Tuple && b instanceof Tuple) return orderItems(a.items, b.items, operator);
  throw typeError(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

function orderItems(a: readonly Value[], b: readonly Value[], operator: CompareOperator): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (!equal(a[i], b[i])) return order(a[i], b[i], operator);
  }
  return a.length - b.length;
}

export function contains(container: Value, item: Value): boolean {
  if (isStr(container)) {
    if (!isStr(item)) throw typeError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
    return textOf(container).includes(textOf(item));
  }
  if (isDict(container)) return dictGet(container, item) !== undefined;
  if (container instanceof DictView && container.part === 'keys') return dictGet(container.dict, item) !== undefined;
  if (container instanceof Range) {
    const number = plain(item);
    const index = toIndex(number);
    if (index === null || !isInt(number)) return container.items().some((other) => equal(other, item));
    const step = (index - container.start) / container.step;
    return Number.isInteger(step) && step >= 0 && step < container.length;
  }
  if (container instanceof Lazy) {
    for (let step = container.iterator.next(); !step.done; step = container.iterator.next())
      if (equal(step.value, item)) return true;
    return false;
  }
  if (!isIterable(container)) throw typeError(`argument of type '${typeName(container)}' is not iterable`);
  return toArray(container).some((other) => equal(other, item));
}

export function compare(operator: CompareOperator, a: Value, b: Value): boolean {
  switch (operator) {
    case '==':
      return equal(a, b);
    case '!=':
      return !equal(a, b);
    case 'in':
      return contains(b, a);
    case 'not in':
      return !contains(b, a);
    case '<':
      return order(a, b, operator) < 0;
    case '<=':
      return order(a, b, operator) <= 0;
    case '>':
      return order(a, b, operator) > 0;
    case '>=':
      return order(a, b, operator) >= 0;
  }
}
