/** Methods of Python's list, tuple and dict that do not change them; jinja2's sandbox forbids those that do. */
import { type Dict, DictView, dictEntries, dictGet, PyDict } from './dict.ts';
import { typeError, valueError } from './errors.ts';
import { equal } from './operators.ts';
import { bind, parameters } from './signature.ts';
import { toArray } from './types.ts';
import { admit, type Kwargs, toIndex, type Value } from './values.ts';

type Method<Self> = (self: Self, args: readonly Value[], kwargs: Kwargs) => Value;

function method<Self>(
  name: string,
  signature: string,
  run: (self: Self, ...args: Value[]) => Value,
): [string, Method<Self>] {
  const accepted = parameters(signature);
  return [name, (self, args, kwargs) => run(self, ...bind(name, accepted, args, kwargs))];
}

/** What the immutable sandbox refuses, as any attribute whose name begins with an underscore. */
export const changesList: ReadonlySet<string> = new Set(
  'append clear pop reverse insert sort extend remove'.split(' '),
);
export const changesDict: ReadonlySet<string> = new Set('clear pop popitem setdefault update'.split(' '));

export const dictMethods: ReadonlyMap<string, Method<Dict>> = new Map([
  method<Dict>('get', 'key, default=None, /', (self, key, otherwise) => {
    const value = dictGet(self, key);
    return value === undefined ? otherwise : value;
  }),
  method<Dict>('items', '', (self) => new DictView(self, 'items')),
  method<Dict>('keys', '', (self) => new DictView(self, 'keys')),
  method<Dict>('values', '', (self) => new DictView(self, 'values')),
  method<Dict>('copy', '', (self) => PyDict.of(dictEntries(self))),
  method<Dict>('fromkeys', 'iterable, value=None, /', (_, keys, value) =>
    PyDict.of(toArray(keys).map((key) => [key, value])),
  ),
]);

function indexOf(items: readonly Value[], sought: Value, start: Value, stop: Value): number {
  const bound = (value: Value, otherwise: number): number => {
    const index = value === null ? otherwise : toIndex(value);
    if (index === null) throw typeError('slice indices must be integers or have an __index__ method');
    return index < 0 ? Math.max(0, index + items.length) : index;
  };
  const end = Math.min(bound(stop, items.length), items.length);
  for (let i = bound(start, 0); i < end; i++) if (equal(admit(items[i]), sought)) return i;
  throw valueError('the value is not in the list');
}

export const sequenceMethods: ReadonlyMap<string, Method<readonly Value[]>> = new Map([
  method<readonly Value[]>('index', 'value, start=None, stop=None, /', indexOf),
  method<readonly Value[]>(
    'count',
    'value, /',
    (self, sought) => self.filter((item) => equal(admit(item), sought)).length,
  ),
]);

export const listMethods: ReadonlyMap<string, Method<readonly Value[]>> = new Map([
  ...sequenceMethods,
  method<readonly Value[]>('copy', '', (self) => [...self]),
]);
