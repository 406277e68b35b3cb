/** Linear systems of symmetric positive matrices, by Cholesky's decomposition in float64. Pure. */
import { addScaled, column, dot, type Matrix, zeros } from './matrix.ts';

/** L of the matrix L L', [n, n], symmetric and positive: L' as columns, so that the sums run over memory in order. */
function choleskyTransposed(matrix: Matrix): Matrix {
  const { rows: n } = matrix;
  const upper = zeros(n, n);
  for (let i = 0; i < n; i++) {
    const own = column(upper, i);
    for (let j = 0; j <= i; j++) {
      const other = column(upper, j);
      const rest = matrix.data[i * n + j]! - dot(own.subarray(0, j), other.subarray(0, j));
      own[j] = i === j ? Math.sqrt(rest) : rest / other[j]!;
    }
  }
  return upper;
}

/** X of S X = B, of a symmetric positive S [n, n] and B [n, k]; numbers that are none where S is not positive. */
export function solvePositive(matrix: Matrix, right: Matrix): Matrix {
  const { rows: n } = matrix;
  const upper = choleskyTransposed(matrix);
  const solved = { ...right, data: Float64Array.from(right.data) };
  for (let k = 0; k < right.columns; k++) {
    const x = column(solved, k);
    for (let i = 0; i < n; i++) {
      const own = column(upper, i);
      x[i] = (x[i]! - dot(own.subarray(0, i), x.subarray(0, i))) / own[i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      const own = column(upper, i);
      x[i] = x[i]! / own[i]!;
      addScaled(x.subarray(0, i), own.subarray(0, i), -x[i]!);
    }
  }
  return solved;
}
