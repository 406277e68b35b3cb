/**
 * Python's values in JavaScript. None is null, bool is boolean, int is a safe integer or a bigint beyond it, float is
 * PyFloat, str is a string or MarkedText, list is an array, dict is a plain object, a Map, a MarkedObject or a PyDict;
 * the rest are classes of this folder. Values of the caller are read in place, each through `admit`, so that a long
 * conversation is not copied for a rendering.
 */
import { isSpelledNumber } from '../../formats/exact-json.ts';
import { PythonError } from './errors.ts';
import { MarkedText, markText, Native, type Origin } from './marked-text.ts';

export type Value = unknown;

export class PyFloat extends Native {
  readonly value: number;

  constructor(value: number) {
    super();
    this.value = value;
  }
}

export type Int = number | bigint;
export type Num = Int | PyFloat;

/** A number of a marked input; it is unwrapped by whatever reckons with it. */
export class MarkedNumber extends Native {
  readonly value: Num;
  readonly origin: Origin;

  constructor(value: Num, origin: Origin) {
    super();
    this.value = value;
    this.origin = origin;
  }
}

/** A mapping of the caller. A Map keeps the order of keys that are integers; an object puts those first. */
export type Source = Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;

/** A mapping of a marked input; its keys and values are marked as they are read. */
export class MarkedObject extends Native {
  readonly source: Source;
  readonly origin: Origin;

  constructor(source: Source, origin: Origin) {
    super();
    this.source = source;
    this.origin = origin;
  }
}

export class Tuple extends Native {
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }
}

/** A tuple with named fields, as the filter groupby makes them. */
export class GroupTuple extends Tuple {}

/** What a name without a value gives: empty as text and in loops, an error in all else. */
export class Undefined extends Native {
  readonly message: string;
  readonly kind: string;

  constructor(message: string, kind = 'UndefinedError') {
    super();
    this.message = message;
    this.kind = kind;
  }

  error(): PythonError {
    return new PythonError(this.kind, this.message);
  }
}

/** A value that is used up by reading it, as Python's generators: what map, select and reverse give. */
export class Lazy extends Native {
  readonly iterator: Iterator<Value>;
  readonly typeName: string;

  constructor(iterator: Iterator<Value>, typeName = 'generator') {
    super();
    this.iterator = iterator;
    this.typeName = typeName;
  }
}

export type Kwargs = ReadonlyMap<string, Value>;
export const noKwargs: Kwargs = new Map();

export class Callable extends Native {
  readonly name: string;
  readonly typeName: string;
  readonly call: (args: readonly Value[], kwargs: Kwargs) => Value;

  constructor(name: string, call: (args: readonly Value[], kwargs: Kwargs) => Value, typeName = 'function') {
    super();
    this.name = name;
    this.call = call;
    this.typeName = typeName;
  }
}

/** An object whose attributes a template can read: loop, a macro, a cycler. */
export abstract class Attributed extends Native {
  abstract readonly typeName: string;
  /** undefined where there is no such attribute. */
  abstract attribute(name: string): Value | undefined;
}

export class Namespace extends Native {
  readonly values: Map<string, Value>;

  constructor(values: Map<string, Value>) {
    super();
    this.values = values;
  }
}

/** An integer as a number where it is safe. */
export const normalInt = (value: bigint): Int =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;

/** From here on JavaScript prints a number with an exponent: it is taken for a float. */
const maxPrintedInteger = 1e21;

function numberOf(value: number): Num {
  if (Number.isSafeInteger(value)) return value;
  if (Number.isInteger(value) && Math.abs(value) < maxPrintedInteger) return normalInt(BigInt(value));
  return new PyFloat(value);
}

/** The number of a JSON text, as Python's json.loads has it. */
const spelledNumber = (text: string): Num =>
  /^-?\d+$/.test(text) ? normalInt(BigInt(text)) : new PyFloat(Number(text));

/** A value as the caller gave it, as the engine has it; values of the engine stay as they are. */
export function admit(value: unknown): Value {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      return value !== null && isSpelledNumber(value) ? spelledNumber(value.value) : value;
    case 'number':
      return numberOf(value);
    case 'bigint':
      return normalInt(value);
    case 'function':
      return new Callable(value.name, (args) =>
        admit((value as (...args: unknown[]) => unknown)(...args.map(plainOf))),
      );
    default:
      return null;
  }
}

/** A value for a function of the caller: texts and numbers without their marks. */
const plainOf = (value: Value): unknown => {
  if (value instanceof MarkedText) return value.text;
  const bare = plain(value);
  return bare instanceof PyFloat ? bare.value : bare;
};

/**
 * A deep mark: every text, number and key in `value` carries `origin` through a rendering. What is marked already keeps
 * its mark, and true, false and null carry none.
 */
export function mark(value: unknown, origin: Origin): Value {
  const admitted = admit(value);
  if (typeof admitted === 'string') return markText(admitted, origin);
  if (typeof admitted === 'number' || typeof admitted === 'bigint' || admitted instanceof PyFloat)
    return new MarkedNumber(admitted, origin);
  if (Array.isArray(admitted)) return admitted.map((item) => mark(item, origin));
  if (isSource(admitted)) return new MarkedObject(admitted, origin);
  return admitted;
}

export const isSource = (value: unknown): value is Source =>
  typeof value === 'object' && value !== null && !(value instanceof Native) && !Array.isArray(value);

/** A value without the mark of a number. */
export const plain = (value: Value): Value => (value instanceof MarkedNumber ? value.value : value);

export const isInt = (value: Value): value is Int => typeof value === 'number' || typeof value === 'bigint';
export const isNum = (value: Value): value is Num => isInt(value) || value instanceof PyFloat;

/** A number or a bool as a number; null for anything else. */
export function toNum(value: Value): Num | null {
  const bare = plain(value);
  if (typeof bare === 'boolean') return Number(bare);
  return isNum(bare) ? bare : null;
}

/** What Python takes for an index: an int or a bool; null for anything else. */
export function toIndex(value: Value): number | null {
  const bare = plain(value);
  if (typeof bare === 'number') return bare;
  if (typeof bare === 'boolean') return Number(bare);
  return typeof bare === 'bigint' ? Number(bare) : null;
}
