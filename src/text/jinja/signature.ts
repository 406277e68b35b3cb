/**
 * Parameters of a builtin function, written as Python writes them ('sep=None, maxsplit=-1'), and arguments put into
 * their places.
 */
import { typeError } from './errors.ts';
import { type Kwargs, PyFloat, type Value } from './values.ts';

export interface Parameters {
  readonly names: readonly string[];
  /** undefined where the argument must be given. */
  readonly defaults: readonly (Value | undefined)[];
  /** How many cannot be given by name. */
  readonly positionalOnly: number;
}

/** Of text such as 'chars=None, /': what stands before the / cannot be given by name. */
export function parameters(text: string): Parameters {
  const parts = text === '' ? [] : text.split(/, (?=[\w/])/);
  const slash = parts.indexOf('/');
  const named = parts.filter((part) => part !== '/').map((part) => part.split('='));
  return {
    names: named.map(([name]) => name!),
    defaults: named.map(([, value]) => (value === undefined ? undefined : literal(value))),
    positionalOnly: Math.max(0, slash),
  };
}

function literal(text: string): Value {
  if (text === 'None') return null;
  if (text === 'True' || text === 'False') return text === 'True';
  if (text.startsWith("'")) return text.slice(1, -1);
  return text.includes('.') ? new PyFloat(Number(text)) : Number(text);
}

export function bind(called: string, target: Parameters, args: readonly Value[], kwargs: Kwargs): readonly Value[] {
  const { names, defaults } = target;
  if (args.length > names.length)
    throw typeError(`${called}() takes at most ${names.length} arguments (${args.length} given)`);
  if (kwargs.size === 0 && args.length === names.length) return args;
  const bound = [...args];
  for (const name of kwargs.keys()) {
    const place = names.indexOf(name);
    if (place < target.positionalOnly) throw typeError(`${called}() got an unexpected keyword argument '${name}'`);
    if (place < args.length) throw typeError(`${called}() got multiple values for argument '${name}'`);
  }
  for (let i = args.length; i < names.length; i++) {
    const value = kwargs.get(names[i]!) ?? (kwargs.has(names[i]!) ? null : defaults[i]);
    if (value === undefined) throw typeError(`${called}() missing 1 required positional argument: '${names[i]}'`);
    bound.push(value);
  }
  return bound;
}
