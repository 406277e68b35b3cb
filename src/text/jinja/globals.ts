/**
 * The functions that chat templates find without being given them: jinja2's, and transformers' raise_exception and
 * strftime_now.
 */
import { dictEntries, isDict, PyDict } from './dict.ts';
import { MissingConstruct, PythonError, Raised, typeError, valueError } from './errors.ts';
import { type Str, textOf } from './marked-text.ts';
import { rangeOf } from './range.ts';
import { bind, parameters } from './signature.ts';
import { strftime } from './strftime.ts';
import { str } from './to-text.ts';
import { toArray } from './types.ts';
import { Attributed, Callable, type Kwargs, Namespace, Tuple, Undefined, type Value } from './values.ts';

/** dict(mapping or pairs, **values). */
function makeDict(args: readonly Value[], kwargs: Kwargs): PyDict {
  if (args.length > 1) throw typeError(`dict expected at most 1 argument, got ${args.length}`);
  const [from] = args;
  // dict() asks for the attribute keys first.
  if (from instanceof Undefined) throw from.error();
  const dict = new PyDict();
  if (isDict(from)) for (const [key, value] of dictEntries(from)) dict.set(key, value);
  else if (args.length === 1)
    toArray(from).forEach((pair, i) => {
      const items = toArray(pair);
      if (items.length !== 2)
        throw valueError(`dictionary update sequence element #${i} has length ${items.length}; 2 is required`);
      dict.set(items[0], items[1]);
    });
  for (const [key, value] of kwargs) dict.set(key, value);
  return dict;
}

/** Names that transformers' namespace does not take. */
export function assertNamespaceName(name: string): void {
  if (name.startsWith('_'))
    throw new PythonError(
      'SecurityError',
      `Chat templates cannot store underscore-prefixed attributes on a namespace, but got '${name}'`,
    );
}

function makeNamespace(args: readonly Value[], kwargs: Kwargs): Namespace {
  const values = new Map<string, Value>();
  for (const [key, value] of makeDict(args, kwargs).all()) {
    const name = textOf(str(key));
    assertNamespaceName(name);
    values.set(name, value);
  }
  return new Namespace(values);
}

class Cycler extends Attributed {
  readonly typeName = 'Cycler';
  private readonly items: readonly Value[];
  private position = 0;

  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }

  attribute(name: string): Value | undefined {
    if (name === 'current') return this.items[this.position];
    if (name === 'next' || name === '__next__')
      return new Callable('next', () => {
        const value = this.items[this.position];
        this.position = (this.position + 1) % this.items.length;
        return value;
      });
    if (name !== 'reset') return undefined;
    return new Callable('reset', () => {
      this.position = 0;
      return null;
    });
  }
}

function makeJoiner(separator: Value): Callable {
  let used = false;
  return new Callable(
    'joiner',
    () => {
      const value: Str | Value = used ? separator : '';
      used = true;
      return value;
    },
    'Joiner',
  );
}

const one = (name: string, signature: string, run: (value: Value) => Value): Callable => {
  const accepted = parameters(signature);
  return new Callable(name, (args, kwargs) => run(bind(name, accepted, args, kwargs)[0]));
};

/** `stateful` hears of functions that are made and remember what they gave. */
export function makeGlobals(now: () => Date, stateful: () => void): ReadonlyMap<string, Value> {
  const functions = [
    new Callable('range', (args) => rangeOf(args)),
    new Callable('dict', makeDict),
    new Callable('namespace', makeNamespace),
    new Callable('cycler', (args) => {
      if (args.length === 0) throw new PythonError('RuntimeError', 'at least one item has to be provided');
      stateful();
      return new Cycler(args);
    }),
    one('joiner', "sep=', '", (separator) => {
      stateful();
      return makeJoiner(separator);
    }),
    one('raise_exception', 'message', (message) => {
      throw new Raised(textOf(str(message)));
    }),
    one('strftime_now', 'format', (format) => strftime(textOf(str(format)), now())),
    new Callable('lipsum', () => {
      throw new MissingConstruct('the function `lipsum`');
    }),
  ];
  return new Map(functions.map((callable) => [callable.name, callable]));
}

/** A mapping given to **: names and values. */
export function keywords(value: Value): Kwargs {
  if (!isDict(value)) throw typeError('argument after ** must be a mapping');
  return new Map(dictEntries(value).map(([key, item]) => [textOf(str(key)), item]));
}

/** A tuple's elements, for functions that take what * gives them. */
export const positional = (value: Value): readonly Value[] => (value instanceof Tuple ? value.items : toArray(value));
