/** Sums and means, from the first value to the last. Pure. */

export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** NaN of none. */
export const mean = (values: readonly number[]): number => sum(values) / values.length;
