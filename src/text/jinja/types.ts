/** Questions about a value's type: its name in Python, whether it is true, its length, its elements. */

import { codePoints, lengthInPoints } from './code-points.ts';
import { DictView, dictKeys, dictSize, isDict } from './dict.ts';
import { typeError } from './errors.ts';
import { isStr, Markup, textOf } from './marked-text.ts';
import { Range } from './range.ts';
import {
  Attributed,
  admit,
  Callable,
  Lazy,
  Namespace,
  PyFloat,
  plain,
  Tuple,
  Undefined,
  type Value,
} from './values.ts';
import { viewOf } from './watched-list.ts';

export function typeName(value: Value): string {
  const bare = plain(value);
  if (bare === null) return 'NoneType';
  if (typeof bare === 'boolean') return 'bool';
  if (typeof bare === 'number' || typeof bare === 'bigint') return 'int';
  if (bare instanceof PyFloat) return 'float';
  if (isStr(bare)) return bare instanceof Markup ? 'Markup' : 'str';
  if (Array.isArray(bare)) return 'list';
  if (bare instanceof Tuple) return 'tuple';
  if (isDict(bare)) return 'dict';
  if (bare instanceof Undefined) return 'Undefined';
  if (bare instanceof Range) return 'range';
  if (bare instanceof DictView) return `dict_${bare.part}`;
  if (bare instanceof Namespace) return 'Namespace';
  if (bare instanceof Lazy || bare instanceof Callable || bare instanceof Attributed) return bare.typeName;
  return 'object';
}

export function isTrue(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return value !== '';
  if (Array.isArray(value)) return viewOf(value)?.reaches(0) ?? value.length > 0;
  const bare = plain(value);
  if (bare === null || bare === 0 || bare instanceof Undefined) return false;
  if (bare instanceof PyFloat) return bare.value !== 0;
  return sizeOf(bare) !== 0;
}

/** Python's len; null for what has none. */
export function sizeOf(value: Value): number | null {
  if (isStr(value)) return lengthInPoints(textOf(value));
  if (Array.isArray(value)) return value.length;
  if (value instanceof Tuple) return value.items.length;
  if (isDict(value)) return dictSize(value);
  if (value instanceof Range) return value.length;
  if (value instanceof DictView) return dictSize(value.dict);
  if (value instanceof Attributed) return (value.attribute('__len__') as number | undefined) ?? null;
  return value instanceof Undefined ? 0 : null;
}

/** The elements of a value that is not lazy; null for one that cannot be iterated or is lazy. */
function elements(value: Value): readonly Value[] | null {
  if (Array.isArray(value)) return value.map(admit);
  if (isStr(value)) return codePoints(value);
  if (value instanceof Tuple) return value.items;
  if (isDict(value)) return dictKeys(value);
  if (value instanceof Range || value instanceof DictView) return value.items();
  if (value instanceof Undefined) return [];
  return null;
}

export const isIterable = (value: Value): boolean => value instanceof Lazy || elements(value) !== null;

const notIterable = (value: Value): Error => typeError(`'${typeName(value)}' object is not iterable`);

/** All elements of an iterable; a lazy one is used up. */
export function toArray(value: Value): readonly Value[] {
  if (value instanceof Lazy) return rest(value.iterator);
  const items = elements(value);
  if (items) return items;
  throw notIterable(value);
}

export function iterate(value: Value): Iterator<Value> {
  if (value instanceof Lazy) return value.iterator;
  return toArray(value)[Symbol.iterator]();
}

export function rest(iterator: Iterator<Value>): Value[] {
  const items: Value[] = [];
  for (let step = iterator.next(); !step.done; step = iterator.next()) items.push(step.value);
  return items;
}
