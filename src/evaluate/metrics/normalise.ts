/** Texts before they are compared. Pure. */

/** Python's string.punctuation. */
const punctuation = /[!-/:-@[-`{-~]/g;

/** As SQuAD's evaluation: lower case, without punctuation, English articles and doubled white space. */
export const normalised = (text: string): string =>
  text
    .toLowerCase()
    .replace(punctuation, '')
    .replace(/\b(a|an|the)\b/g, ' ')
    .split(/\s+/)
    .filter(Boolean)
    .join(' ');

/** How often each value is there. */
export function counted<T>(values: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** How many values two lists share, each as often as in both. */
export function shared<T>(a: ReadonlyMap<T, number>, b: ReadonlyMap<T, number>): number {
  let sum = 0;
  for (const [value, count] of a) sum += Math.min(count, b.get(value) ?? 0);
  return sum;
}

/** Harmonic mean of precision and recall; 0 where nothing is shared. */
export const f1 = (matches: number, given: number, wanted: number): number =>
  matches === 0 ? 0 : (2 * matches) / (given + wanted);
