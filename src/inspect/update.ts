/** What an adapter adds to one weight, by its singular values: https://arxiv.org/abs/2106.09685, section 7. Pure. */
import { pairFactors } from '../adapter/low-rank.ts';
import { firstColumns, type Matrix } from '../linear-algebra/matrix.ts';
import { productSvd, type Svd } from '../linear-algebra/svd.ts';
import { type LoraAdapter, type LoraPair, loraScale } from '../lora/adapter.ts';

/** Factors of scale * B A, the scale in B. */
export interface UpdateFactors {
  /** [out, rank]. */
  readonly b: Matrix;
  /** [in, rank]. */
  readonly aTransposed: Matrix;
}

export const factorsOf = ({ rslora }: Pick<LoraAdapter, 'rslora'>, pair: LoraPair): UpdateFactors =>
  pairFactors(pair, loraScale({ ...pair, rslora }));

export const svdOf = ({ aTransposed, b }: UpdateFactors): Svd => productSvd(b, aTransposed);

/** Singular values below this share of the largest are rounding of float32 factors, not directions. */
const negligible = 1e-6;

/** The directions that the update really has: those of singular values that are no rounding. */
export function directions({ s, u, v }: Svd): Svd {
  const least = negligible * (s[0] ?? 0);
  const count = s.filter((value) => value > least).length;
  return { u: firstColumns(u, count), s: s.subarray(0, count), v: firstColumns(v, count) };
}
