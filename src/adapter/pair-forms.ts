/** A pair in other words: more rank than it has, a factor in B, without rank that adds nothing. What it computes is the same. Pure. */
import type { LoraPair } from '../lora/adapter.ts';

/** With B times `factor`; the same pair where that is 1. */
export const scaledB = <Pair extends Pick<LoraPair, 'b'>>(pair: Pair, factor: number): Pair =>
  factor === 1 ? pair : { ...pair, b: pair.b.map((value) => factor * value) };

type Factors = Pick<LoraPair, 'a' | 'b' | 'inFeatures' | 'outFeatures' | 'rank'>;

/** The first `rank` rows of A and columns of B, filled up with zeros where there are fewer; alpha stays. */
function resized<Pair extends Factors>(pair: Pair, rank: number): Pair {
  const { inFeatures, outFeatures, rank: own } = pair;
  if (own === rank) return pair;
  const kept = Math.min(own, rank);
  const a = new Float32Array(rank * inFeatures);
  a.set(pair.a.subarray(0, kept * inFeatures));
  const b = new Float32Array(outFeatures * rank);
  for (let row = 0; row < outFeatures; row++) for (let r = 0; r < kept; r++) b[row * rank + r] = pair.b[row * own + r]!;
  return { ...pair, rank, a, b };
}

/** With a rank of at least its own. Its scale has to be told anew: alpha stays. */
export const widened = <Pair extends Factors>(pair: Pair, rank: number): Pair => resized(pair, rank);

/** Without the last rows of A and columns of B that are zero in both; at least one stays. */
export function trimmed<Pair extends Factors>(pair: Pair): Pair {
  const { a, b, inFeatures, outFeatures, rank: own } = pair;
  const isEmpty = (r: number): boolean => {
    for (let i = 0; i < inFeatures; i++) if (a[r * inFeatures + i] !== 0) return false;
    for (let row = 0; row < outFeatures; row++) if (b[row * own + r] !== 0) return false;
    return true;
  };
  let rank = own;
  while (rank > 1 && isEmpty(rank - 1)) rank--;
  return resized(pair, rank);
}
