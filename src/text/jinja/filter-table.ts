/** How a builtin filter is declared: its parameters as Python names them, the value first. */
import { bind, parameters } from './signature.ts';
import type { Kwargs, Value } from './values.ts';

export type Filter = (args: readonly Value[], kwargs: Kwargs) => Value;
export type FilterEntry = readonly [name: string, filter: Filter];

/** One filter under each of the names. */
export function filter(names: string, signature: string, run: (...args: Value[]) => Value): FilterEntry[] {
  const accepted = parameters(signature);
  return names.split(' ').map((name) => [name, (args, kwargs) => run(...bind(name, accepted, args, kwargs))]);
}
