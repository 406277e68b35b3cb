/**
 * Thin QR by Householder's reflections (Golub and Van Loan, Matrix Computations, 5.2): exact to rounding whatever the
 * rank, a matrix of zeros included, where Gram and Schmidt's way would lose orthogonality. Pure.
 */
import { addScaled, column, dot, type Matrix, norm, zeros } from './matrix.ts';

export interface ThinQr {
  /** [m, min(m, n)], columns orthonormal. */
  readonly q: Matrix;
  /** [min(m, n), n], upper triangular; its diagonal may be negative. */
  readonly r: Matrix;
}

/** Makes `x` the vector v, and returns the factor f, of the reflection I - f v v' that takes x to (alpha, 0, ..., 0). */
function toReflector(x: Float64Array): { readonly factor: number; readonly alpha: number } {
  const length = norm(x);
  if (length === 0) return { factor: 0, alpha: 0 };
  const alpha = x[0]! > 0 ? -length : length;
  x[0]! -= alpha;
  return { factor: 2 / dot(x, x), alpha };
}

/** A = Q R of A [m, n]. The matrix is left as it is. */
export function thinQr(matrix: Matrix): ThinQr {
  const { rows, columns } = matrix;
  const work: Matrix = { ...matrix, data: Float64Array.from(matrix.data) };
  const count = Math.min(rows, columns);
  const factors = new Float64Array(count);
  const r = zeros(count, columns);
  for (let k = 0; k < count; k++) {
    const v = column(work, k).subarray(k);
    const { factor, alpha } = toReflector(v);
    factors[k] = factor;
    r.data[k * count + k] = alpha;
    for (let j = k + 1; j < columns; j++) {
      const target = column(work, j).subarray(k);
      addScaled(target, v, -factor * dot(v, target));
      r.data[j * count + k] = target[0]!;
    }
  }
  return { q: orthonormalOf(work, factors), r };
}

/** Q's columns: the reflections, which stand below the diagonal, taken to those of the identity from the last to the first. */
function orthonormalOf(reflectors: Matrix, factors: Float64Array): Matrix {
  const q = zeros(reflectors.rows, factors.length);
  for (let k = factors.length - 1; k >= 0; k--) {
    const v = column(reflectors, k).subarray(k);
    q.data[k * q.rows + k] = 1;
    for (let j = k; j < factors.length; j++) {
      const target = column(q, j).subarray(k);
      addScaled(target, v, -factors[k]! * dot(v, target));
    }
  }
  return q;
}
