/** Values of which some belong together: their mean's standard error, and a share's interval that counts them as fewer than they are. Pure. */
import { normalQuantile } from './normal.ts';
import { confidence, type Interval, wilsonInterval } from './proportions.ts';
import { studentQuantile } from './student.ts';
import { mean, sum } from './sums.ts';

/** A cluster's sum and size: all that the mean needs of it. */
export interface Cluster {
  sum: number;
  size: number;
}

/** Sums of values that have the same name; without names, each value is one by itself. */
export function clustersOf(values: readonly number[], names: readonly string[] | undefined): Cluster[] {
  if (!names) return values.map((sum) => ({ sum, size: 1 }));
  const byName = new Map<string, Cluster>();
  values.forEach((value, i) => {
    const cluster = byName.get(names[i]!) ?? { sum: 0, size: 0 };
    cluster.sum += value;
    cluster.size++;
    byName.set(names[i]!, cluster);
  });
  return [...byName.values()];
}

/** Indexes of the values of each cluster, in the order of their first ones; without names, each value is one by itself. */
export function rowsOf(count: number, names: readonly string[] | undefined): number[][] {
  const byName = new Map<string, number[]>();
  for (let i = 0; i < count; i++) {
    const name = names?.[i] ?? String(i);
    const rows = byName.get(name);
    if (rows) rows.push(i);
    else byName.set(name, [i]);
  }
  return [...byName.values()];
}

/**
 * Standard error of the mean, by whole clusters (Miller 2024, https://arxiv.org/abs/2411.00640, with the factor for few of them): that of plain
 * values where each is one by itself. Infinite for a single one, of which nothing can be said.
 */
export function standardError(values: readonly number[], names?: readonly string[]): number {
  const clusters = clustersOf(values, names);
  if (clusters.length < 2) return Number.POSITIVE_INFINITY;
  const centre = mean(values);
  const squares = sum(clusters.map((cluster) => (cluster.sum - cluster.size * centre) ** 2));
  return Math.sqrt((squares * clusters.length) / (clusters.length - 1)) / values.length;
}

/**
 * Wilson's interval of a share whose values come in clusters: as if there were as many independent ones as would have its standard error, fewer
 * still for few clusters (Korn and Graubard 1998, https://www150.statcan.gc.ca/n1/en/catalogue/12-001-X19980024356). Where all are
 * right, or all wrong, each cluster counts as one.
 */
export function clusteredWilson(values: readonly number[], names: readonly string[]): Interval {
  const count = new Set(names).size;
  if (count < 2) return [0, 1];
  const share = mean(values);
  const error = standardError(values, names);
  const independent = error === 0 ? count : Math.min(values.length, (share * (1 - share)) / error ** 2);
  const fewer = independent * (normalQuantile((1 + confidence) / 2) / studentQuantile(confidence, count - 1)) ** 2;
  return wilsonInterval(share * fewer, fewer);
}
