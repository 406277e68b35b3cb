/**
 * Singular values and vectors of small dense matrices, and of products of low-rank factors, which are never formed. Pure.
 */
import { Matrix as MlMatrix, SingularValueDecomposition } from 'ml-matrix';
import { firstColumns, type Matrix, multiply, scaleColumns, transpose, zeros } from './matrix.ts';
import { thinQr } from './qr.ts';

/** M = U diag(s) V'. */
export interface Svd {
  /** [m, k], left singular vectors as columns. */
  readonly u: Matrix;
  /** [k], from the largest to the smallest, none negative. */
  readonly s: Float64Array;
  /** [n, k], right singular vectors as columns. */
  readonly v: Matrix;
}

function fromMl(matrix: MlMatrix, columns: number): Matrix {
  const own = zeros(matrix.rows, columns);
  for (let j = 0; j < columns; j++)
    for (let i = 0; i < matrix.rows; i++) own.data[j * matrix.rows + i] = matrix.get(i, j);
  return own;
}

/**
 * The thin SVD of a small matrix [m, n], k = min(m, n), by ml-matrix (Golub and Reinsch). Takes about a millisecond
 * for 32 x 32 and grows with the cube: larger ones go through `productSvd` or `leadingSingularVectors`.
 */
export function smallSvd(matrix: Matrix): Svd {
  const { rows, columns, data } = matrix;
  const count = Math.min(rows, columns);
  const dense = new MlMatrix(rows, columns);
  for (let j = 0; j < columns; j++) for (let i = 0; i < rows; i++) dense.set(i, j, data[j * rows + i]!);
  const found = new SingularValueDecomposition(dense, { autoTranspose: true });
  return {
    u: fromMl(found.leftSingularVectors, count),
    s: Float64Array.from(found.diagonal.slice(0, count)),
    v: fromMl(found.rightSingularVectors, count),
  };
}

/**
 * The thin SVD of B A, B [m, r] and A' [n, r] given, k = min(m, n, r): QR of both, then the SVD of the small
 * R_B R_A', so that it takes (m + n) r^2 and not m n r operations, and no matrix [m, n] is made.
 */
export function productSvd(b: Matrix, aTransposed: Matrix): Svd {
  const [left, right] = [thinQr(b), thinQr(aTransposed)];
  const inner = smallSvd(multiply(left.r, transpose(right.r)));
  return { u: multiply(left.q, inner.u), s: inner.s, v: multiply(right.q, inner.v) };
}

/** The `rank` largest of an SVD; views of it. Nearest in the Frobenius norm of all matrices of that rank (Eckart and Young). */
export const truncateSvd = ({ u, s, v }: Svd, rank: number): Svd => {
  const kept = Math.min(rank, s.length);
  return { u: firstColumns(u, kept), s: s.subarray(0, kept), v: firstColumns(v, kept) };
};

/** Factors B [m, k] and A' [n, k] whose product is the SVD's matrix, the singular values shared out evenly by their roots. */
export function balancedFactors({ u, s, v }: Svd): { readonly b: Matrix; readonly aTransposed: Matrix } {
  const roots = s.map(Math.sqrt);
  return { b: scaleColumns(u, roots), aTransposed: scaleColumns(v, roots) };
}
