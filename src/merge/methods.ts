/**
 * The ways to merge updates, as a table. Promises: what can be said as a weighted sum of products stays one, of which no
 * element is formed; only methods that look at single elements form a product, one module at a time. Pure.
 * Written after the papers; PEFT's factor forms after peft/tuners/lora/model.py, add_weighted_adapter.
 */
import type { MergeMethod } from '../settings/merge-methods.ts';
import { breadcrumbs, byChance, byMagnitude, byRankedChance, keepAll, type Prune } from './prune.ts';

/** What is known of a module's updates without forming them. */
export interface Angles {
  /** Frobenius inner products of the adapters' updates, [i][j]; zero where an adapter does not adapt the module. */
  readonly products: readonly (readonly number[])[];
  readonly weights: readonly number[];
}

/** A sum of the updates, each times a factor. */
export interface SumMethod {
  readonly kind: 'sum';
  readonly factors: (angles: Angles) => readonly number[];
  /** Whether they depend on the inner products, which are computed only then. */
  readonly byAngles: boolean;
  /** What is kept where no rank is asked for: the adapters' own factors side by side, all directions of the sum, or as many as the highest rank has. */
  readonly keeps: 'factors' | 'directions' | 'highest-rank';
}
/** Element by element: of products, or of A and B themselves. */
export interface ElementMethod {
  readonly kind: 'elements' | 'factors';
  readonly prune: Prune;
  /** Whether adapters that disagree with the sum's sign are left out of the mean of the rest (TIES), or all are summed. */
  readonly elects: boolean;
}

const cosine = (products: readonly (readonly number[])[], i: number, j: number): number => {
  const lengths = Math.sqrt(products[i]![i]! * products[j]![j]!);
  return lengths === 0 ? 0 : products[i]![j]! / lengths;
};

/** Updates whose angle is smaller are interpolated on the straight line, where the sphere's formula divides by zero. */
const leastSine = 1e-4;

/** Along the great circle between two updates (Shoemake 1985), by the second's share of the weights. */
function slerpFactors({ products, weights }: Angles): readonly number[] {
  const share = weights[1]! / (weights[0]! + weights[1]!);
  const angle = Math.acos(Math.max(-1, Math.min(1, cosine(products, 0, 1))));
  const sine = Math.sin(angle);
  if (sine < leastSine || products[0]![0] === 0 || products[1]![1] === 0) return [1 - share, share];
  return [Math.sin((1 - share) * angle) / sine, Math.sin(share * angle) / sine];
}

/** The mean, drawn towards the base the more the updates disagree: t = n cos / (1 + (n - 1) cos), arXiv 2403.19522, equation 5. */
function modelStockFactors({ products }: Angles): readonly number[] {
  const there = products.flatMap((row, i) => (row[i]! > 0 ? [i] : []));
  const pairs = there.flatMap((i) => there.filter((j) => j > i).map((j) => cosine(products, i, j)));
  const mean = pairs.length === 0 ? 1 : Math.max(0, pairs.reduce((sum, value) => sum + value, 0) / pairs.length);
  const t = (there.length * mean) / (1 + (there.length - 1) * mean);
  return products.map((_, i) => (there.includes(i) ? t / there.length : 0));
}

const weighted = { kind: 'sum', factors: ({ weights }: Angles) => weights, byAngles: false } as const;

export const mergeTable: Readonly<Record<MergeMethod, SumMethod | ElementMethod>> = {
  cat: { ...weighted, keeps: 'factors' },
  linear: { ...weighted, keeps: 'directions' },
  svd: { ...weighted, keeps: 'highest-rank' },
  // Of adapters that were fitted to their inputs before (regmean.ts).
  regmean: { ...weighted, keeps: 'factors' },
  slerp: { kind: 'sum', factors: slerpFactors, byAngles: true, keeps: 'highest-rank' },
  'model-stock': { kind: 'sum', factors: modelStockFactors, byAngles: true, keeps: 'highest-rank' },
  'magnitude-prune': { kind: 'elements', prune: byMagnitude, elects: false },
  ties: { kind: 'elements', prune: byMagnitude, elects: true },
  dare: { kind: 'elements', prune: byChance, elects: false },
  'dare-ties': { kind: 'elements', prune: byChance, elects: true },
  della: { kind: 'elements', prune: byRankedChance, elects: true },
  breadcrumbs: { kind: 'elements', prune: breadcrumbs, elects: false },
  'peft-linear': { kind: 'factors', prune: keepAll, elects: false },
  'peft-magnitude-prune': { kind: 'factors', prune: byMagnitude, elects: false },
  'peft-ties': { kind: 'factors', prune: byMagnitude, elects: true },
  'peft-dare': { kind: 'factors', prune: byChance, elects: false },
  'peft-dare-ties': { kind: 'factors', prune: byChance, elects: true },
};
