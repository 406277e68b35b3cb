/**
 * The leading singular vectors of a matrix that is only multiplied with: randomized subspace iteration (Halko,
 * Martinsson and Tropp, arXiv 0909.4061, algorithm 4.4), until the accuracy that is asked for is reached. Pure.
 */
import { Random } from '../batches/random.ts';
import { addScaled, column, type Matrix, multiply, norm, zeros } from './matrix.ts';
import type { LinearOperator } from './operator.ts';
import { thinQr } from './qr.ts';
import { type Svd, smallSvd, truncateSvd } from './svd.ts';

export interface SubspaceOptions {
  /** Residual, relative to the largest singular value, at which a pair counts as found; 1e-3 without. */
  readonly tolerance?: number;
  /** Most passes; one is a product with W and one with W'. */
  readonly maxPasses?: number;
  readonly seed?: number;
  /** Columns [columns, any] near which the right singular vectors are expected; the others begin at random. */
  readonly start?: Matrix;
  readonly signal?: AbortSignal;
}

/** The leading singular triplets and how good they are. */
export interface LeadingSvd extends Svd {
  /**
   * |W' u_i - s_i v_i| / s_1 for each i; W v_i = s_i u_i holds to rounding. Each s_i is at most that far (times s_1) from
   * a singular value, and the angle of u_i and v_i to its space at most about the residual over the relative gap.
   */
  readonly residuals: Float64Array;
  readonly passes: number;
}

/** Vectors beside those that are asked for: the more, the faster the last ones converge; the paper takes 5 to 10. */
const oversampling = 8;
const defaultTolerance = 1e-3;
/** Spectra of trained weights that fall slowly need 5 to 20 passes for 1e-3. */
const defaultMaxPasses = 40;

function startOf({ columns }: LinearOperator, width: number, { start, seed = 0 }: SubspaceOptions): Matrix {
  const random = new Random(seed);
  const basis = zeros(columns, width);
  for (let i = 0; i < basis.data.length; i++) basis.data[i] = 2 * random.uniform() - 1;
  if (start !== undefined) basis.data.set(start.data.subarray(0, basis.data.length));
  return thinQr(basis).q;
}

/**
 * The `count` largest singular values of `operator` with their vectors. Stops when all residuals are at most `tolerance`, or after
 * `maxPasses`, with `residuals` saying what was reached.
 */
export async function leadingSingularVectors(
  operator: LinearOperator,
  count: number,
  options: SubspaceOptions = {},
): Promise<LeadingSvd> {
  const { tolerance = defaultTolerance, maxPasses = defaultMaxPasses, signal } = options;
  const most = Math.min(operator.rows, operator.columns);
  const kept = Math.min(count, most);
  const width = Math.min(Math.max(kept, options.start?.columns ?? 0) + oversampling, most);
  let basis = startOf(operator, width, options);
  for (let passes = 1; ; passes++) {
    signal?.throwIfAborted();
    const image = thinQr(await operator.apply(basis));
    const inner = smallSvd(image.r);
    const found = { u: multiply(image.q, inner.u), s: inner.s, v: multiply(basis, inner.v) };
    const back = await operator.applyTransposed(found.u);
    const residuals = residualsOf(found, back, kept);
    if (passes >= maxPasses || residuals.every((residual) => residual <= tolerance))
      return { ...truncateSvd(found, kept), residuals, passes };
    basis = thinQr(back).q;
  }
}

function residualsOf({ s, v }: Svd, back: Matrix, count: number): Float64Array {
  const residuals = new Float64Array(count);
  if (s[0]! === 0) return residuals;
  for (let i = 0; i < count; i++) {
    const difference = Float64Array.from(column(back, i));
    addScaled(difference, column(v, i), -s[i]!);
    residuals[i] = norm(difference) / s[0]!;
  }
  return residuals;
}
