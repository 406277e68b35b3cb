/** How far adapters that are merged work in the same directions. Pure. */
import { compareUpdates, cosineOf } from '../inspect/compare-updates.ts';
import { factorsOf } from '../inspect/update.ts';
import { type LoraAdapter, moduleKey } from '../lora/adapter.ts';

/** How far two adapters work in the same directions, over the modules that both adapt. */
export interface Interference {
  /** The two, as they were given. */
  readonly adapters: readonly [string, string];
  /** Modules that both adapt. */
  readonly modules: number;
  /** Cosine of the updates of these modules as one vector each, -1 to 1; null where one is zero. */
  readonly cosine: number | null;
  /** Share of the smaller space of outputs that lies in the other's, 0 to 1, the mean of the modules; null where none are shared. */
  readonly outputs: number | null;
  /** The same of the inputs that are read. */
  readonly inputs: number | null;
  /** What random spaces of these dimensions would share. */
  readonly chance: { readonly outputs: number; readonly inputs: number } | null;
}

function interferenceOf(
  paths: readonly string[],
  adapters: readonly LoraAdapter[],
  i: number,
  j: number,
): Interference {
  const [first, second] = [adapters[i]!, adapters[j]!];
  const others = new Map(second.pairs.map((pair) => [moduleKey(pair), pair]));
  const found = first.pairs.flatMap((pair) => {
    const other = others.get(moduleKey(pair));
    return other ? [compareUpdates(factorsOf(first, pair), factorsOf(second, other))] : [];
  });
  const total = { first: 0, second: 0, both: 0 };
  for (const { products } of found)
    for (const name of ['first', 'second', 'both'] as const) total[name] += products[name];
  const mean = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  const chance = {
    outputs: mean(found.map((one) => one.chance.outputs)),
    inputs: mean(found.map((one) => one.chance.inputs)),
  };
  return {
    adapters: [paths[i]!, paths[j]!],
    modules: found.length,
    cosine: cosineOf(total),
    outputs: mean(found.map(({ outputs }) => outputs)),
    inputs: mean(found.map(({ inputs }) => inputs)),
    chance:
      chance.outputs === null || chance.inputs === null ? null : { outputs: chance.outputs, inputs: chance.inputs },
  };
}

/** Of each two of them. */
export const interferences = (paths: readonly string[], adapters: readonly LoraAdapter[]): Interference[] =>
  paths.flatMap((_, i) => paths.slice(i + 1).map((__, k) => interferenceOf(paths, adapters, i, i + 1 + k)));
