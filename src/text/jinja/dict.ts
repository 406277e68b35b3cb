/** Python's dict: entries in the order of their insertion, whose keys are texts, numbers, None or tuples. */
import { typeError } from './errors.ts';
import { isStr, MarkedText, markText, Native, type Str } from './marked-text.ts';
import {
  admit,
  isSource,
  MarkedObject,
  mark,
  PyFloat,
  plain,
  type Source,
  Tuple,
  Undefined,
  type Value,
} from './values.ts';

type Hash = string | number | bigint | null | object | symbol;
export type Entry = readonly [key: Value, value: Value];

export class PyDict extends Native {
  private readonly entries = new Map<Hash, Entry>();

  static of(entries: Iterable<Entry>): PyDict {
    const dict = new PyDict();
    for (const [key, value] of entries) dict.set(key, value);
    return dict;
  }

  get size(): number {
    return this.entries.size;
  }

  /** undefined where there is no such key. */
  get(key: Value): Value | undefined {
    return this.entries.get(hash(key))?.[1];
  }

  /**
   * An equal key that is there stays, as in Python. Only for dicts that are being made: templates cannot change one.
   */
  set(key: Value, value: Value): void {
    const hashed = hash(key);
    this.entries.set(hashed, [this.entries.get(hashed)?.[0] ?? key, value]);
  }

  all(): readonly Entry[] {
    return [...this.entries.values()];
  }
}

export type Dict = PyDict | MarkedObject | Source;

const undefinedHash = Symbol('undefined');

/** A key by which a Map finds what Python takes for equal: 1, 1.0 and True are one key. */
export function hash(key: Value): Hash {
  if (typeof key === 'string') return key;
  if (key instanceof MarkedText) return key.text;
  const bare = plain(key);
  if (bare === null || typeof bare === 'number' || typeof bare === 'bigint') return bare;
  if (typeof bare === 'boolean') return Number(bare);
  if (bare instanceof PyFloat) return bare.value;
  // No text of a template is likely to begin so; the parts are hashed with their types.
  if (bare instanceof Tuple)
    return `\0tuple ${JSON.stringify(bare.items.map((item) => [typeof hash(item), String(hash(item))]))}`;
  if (bare instanceof Undefined) return undefinedHash;
  if (Array.isArray(bare)) throw typeError("unhashable type: 'list'");
  if (isDict(bare)) throw typeError("unhashable type: 'dict'");
  return bare as object;
}

export const isDict = (value: Value): value is Dict =>
  value instanceof PyDict || value instanceof MarkedObject || isSource(value);

/** undefined where there is no such key. */
export function dictGet(dict: Dict, key: Value): Value | undefined {
  if (dict instanceof PyDict) return dict.get(key);
  if (!isStr(key)) return isHashable(key);
  const name = typeof key === 'string' ? key : key.text;
  if (dict instanceof MarkedObject) {
    const value = own(dict.source, name);
    return value === undefined ? undefined : mark(value, dict.origin);
  }
  const value = own(dict as Source, name);
  return value === undefined || typeof value === 'string' ? value : admit(value);
}

const isHashable = (key: Value): undefined => {
  hash(key);
};

function own(source: Source, name: string): unknown {
  if (source instanceof Map) return source.get(name);
  const value = (source as Readonly<Record<string, unknown>>)[name];
  return value !== undefined && Object.hasOwn(source, name) ? value : undefined;
}

const namesOf = (source: Source): string[] =>
  (source instanceof Map ? [...source.keys()] : Object.keys(source)).filter((name) => own(source, name) !== undefined);

export function dictEntries(dict: Dict): readonly Entry[] {
  if (dict instanceof PyDict) return dict.all();
  if (dict instanceof MarkedObject)
    return namesOf(dict.source).map((name) => [markText(name, dict.origin), mark(own(dict.source, name), dict.origin)]);
  const source = dict as Source;
  return namesOf(source).map((name) => [name, admit(own(source, name))]);
}

export function dictKeys(dict: Dict): Value[] {
  if (dict instanceof PyDict) return dict.all().map(([key]) => key);
  if (dict instanceof MarkedObject) return namesOf(dict.source).map((name): Str => markText(name, dict.origin));
  return namesOf(dict as Source);
}

export function dictSize(dict: Dict): number {
  if (dict instanceof PyDict) return dict.size;
  return namesOf(dict instanceof MarkedObject ? dict.source : (dict as Source)).length;
}

/** What dict.keys(), values() and items() give. */
export class DictView extends Native {
  readonly dict: Dict;
  readonly part: 'keys' | 'values' | 'items';

  constructor(dict: Dict, part: 'keys' | 'values' | 'items') {
    super();
    this.dict = dict;
    this.part = part;
  }

  items(): readonly Value[] {
    if (this.part === 'keys') return dictKeys(this.dict);
    return dictEntries(this.dict).map((entry) => (this.part === 'values' ? entry[1] : new Tuple(entry)));
  }
}
