/** Matrices that are only multiplied with: a model's weights as they are kept, with a low-rank update or without. Pure. */
import { addScaled, column, type Matrix, multiply, multiplyTransposed, zeros } from './matrix.ts';

export interface Shape {
  readonly rows: number;
  readonly columns: number;
}

/** A matrix [rows, columns] by its products. */
export interface LinearOperator extends Shape {
  /** W X: [columns, k] -> [rows, k]. */
  readonly apply: (x: Matrix) => Matrix | Promise<Matrix>;
  /** W' Y: [rows, k] -> [columns, k]. */
  readonly applyTransposed: (y: Matrix) => Matrix | Promise<Matrix>;
}

/** Rows, or columns, that are computed with at once: each number that is read is used that often. */
const abreast = 4;

/** y [rows] of four columns x of X at once, or of those that are left: sums over a row of W, which is read once for them. */
function applyRows({ columns, rows }: Shape, values: Float32Array, x: Matrix, product: Matrix): void {
  for (let k = 0; k < x.columns; k += abreast) {
    const [x0, x1, x2, x3] = [0, 1, 2, 3].map((i) => column(x, Math.min(k + i, x.columns - 1))) as Four;
    const [y0, y1, y2, y3] = [0, 1, 2, 3].map((i) => column(product, Math.min(k + i, x.columns - 1))) as Four;
    for (let i = 0; i < rows; i++) {
      const at = i * columns;
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let j = 0; j < columns; j++) {
        const value = values[at + j]!;
        a += value * x0[j]!;
        b += value * x1[j]!;
        c += value * x2[j]!;
        d += value * x3[j]!;
      }
      y0[i] = a;
      y1[i] = b;
      y2[i] = c;
      y3[i] = d;
    }
  }
}
type Four = [Float64Array, Float64Array, Float64Array, Float64Array];

/** Four rows of W at once, each by its number of Y, added to a column of the product; of the last rows some may count as zero. */
function applyColumns({ columns, rows }: Shape, values: Float32Array, y: Matrix, product: Matrix): void {
  for (let i = 0; i < rows; i += abreast) {
    const [r0, r1, r2, r3] = [0, 1, 2, 3].map((n) => Math.min(i + n, rows - 1) * columns) as [
      number,
      number,
      number,
      number,
    ];
    for (let k = 0; k < y.columns; k++) {
      const target = column(product, k);
      const factor = (n: number): number => (i + n < rows ? y.data[k * rows + i + n]! : 0);
      const [a, b, c, d] = [factor(0), factor(1), factor(2), factor(3)];
      for (let j = 0; j < columns; j++)
        target[j]! += a * values[r0 + j]! + b * values[r1 + j]! + c * values[r2 + j]! + d * values[r3 + j]!;
    }
  }
}

/** A weight in float32, row by row as a model's file has it; sums are in float64. */
export function weightOperator({ rows, columns }: Shape, values: Float32Array): LinearOperator {
  return {
    rows,
    columns,
    apply: (x) => {
      const product = zeros(rows, x.columns);
      applyRows({ rows, columns }, values, x, product);
      return product;
    },
    applyTransposed: (y) => {
      const product = zeros(columns, y.columns);
      applyColumns({ rows, columns }, values, y, product);
      return product;
    },
  };
}

/** W + B A, from the products of W and the factors B [rows, r] and A' [columns, r]. */
export function updatedOperator(weight: LinearOperator, b: Matrix, aTransposed: Matrix): LinearOperator {
  const plus = (product: Matrix, update: Matrix): Matrix => {
    addScaled(product.data, update.data, 1);
    return product;
  };
  return {
    rows: weight.rows,
    columns: weight.columns,
    apply: async (x) => plus(await weight.apply(x), multiply(b, multiplyTransposed(aTransposed, x))),
    applyTransposed: async (y) =>
      plus(await weight.applyTransposed(y), multiply(aTransposed, multiplyTransposed(b, y))),
  };
}

/** W'. */
export const transposedOperator = ({ apply, applyTransposed, columns, rows }: LinearOperator): LinearOperator => ({
  rows: columns,
  columns: rows,
  apply: applyTransposed,
  applyTransposed: apply,
});
