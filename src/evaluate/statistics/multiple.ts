/** Several comparisons at once. Pure. */

/**
 * Holm's adjusted p-values, in the order given: whoever calls those below 0.05 differences is wrong in at most 5% of all such families of
 * comparisons (Holm 1979, https://www.jstor.org/stable/4615733).
 */
export function holm(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let most = 0;
  order.forEach((index, rank) => {
    most = Math.max(most, Math.min(1, (pValues.length - rank) * pValues[index]!));
    adjusted[index] = most;
  });
  return adjusted;
}

/** Two of a comparison, and whether a difference was shown between them. */
export interface Pair {
  readonly first: string;
  readonly second: string;
  readonly differ: boolean;
}

/**
 * Sets of which no two were shown to differ, largest possible, best first. `names` are in the order of their scores; one may be in several sets:
 * a tie is not transitive.
 */
export function tiedSets(names: readonly string[], pairs: readonly Pair[]): string[][] {
  const key = (a: string, b: string): string => JSON.stringify([a, b].sort());
  const differ = new Set(pairs.filter((pair) => pair.differ).map(({ first, second }) => key(first, second)));
  const sets: string[][] = [];
  for (let from = 0; from < names.length; from++) {
    const set = [names[from]!];
    for (const name of names.slice(from + 1)) {
      if (set.some((member) => differ.has(key(member, name)))) break;
      set.push(name);
    }
    const isInside = sets.some((other) => set.every((name) => other.includes(name)));
    if (!isInside) sets.push(set);
  }
  return sets;
}
