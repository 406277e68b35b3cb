/** How a builtin filter is declared: its parameters as Python names them, the value first. */
import { bind, parameters } from './signature.ts';
import type { Kwargs, Value } from './values.ts';

export type Filter = (args: readonly Value[], kwargs: Kwargs) => Value;
export type FilterEntry = readonly [name: string, filter: Filter];

type NameOf<Parameter extends string> = Parameter extends `${infer Name}=${string}` ? Name : Parameter;
type NamesOf<Signature extends string> = Signature extends `${infer First}, ${infer Rest}`
  ? NameOf<First> | NamesOf<Rest>
  : NameOf<Signature>;
/** Arguments by the names that the signature has for them. */
export type Given<Name extends string> = Readonly<Record<Name, Value>>;

/** A filter of so many parameters that it takes them by name. */
export function namedFilter<Signature extends string>(
  name: string,
  signature: Signature,
  run: (given: Given<NamesOf<Signature>>) => Value,
): FilterEntry {
  const accepted = parameters(signature);
  return [
    name,
    (args, kwargs) => {
      const values = bind(name, accepted, args, kwargs);
      const given = Object.fromEntries(accepted.names.map((parameter, i) => [parameter, values[i]!]));
      return run(given as Given<NamesOf<Signature>>);
    },
  ];
}

/** One filter under each of the names. */
export function filter(names: string, signature: string, run: (...args: Value[]) => Value): FilterEntry[] {
  const accepted = parameters(signature);
  return names.split(' ').map((name) => [name, (args, kwargs) => run(...bind(name, accepted, args, kwargs))]);
}
