/** Matrices that are only multiplied with: a model's weights as they are kept, with a low-rank update or without. Pure. */
import { addScaled, column, dot, type Matrix, multiply, multiplyTransposed, zeros } from './matrix.ts';

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

/** A weight in float32, row by row as a model's file has it; sums are in float64. */
export function weightOperator({ rows, columns }: Shape, values: ArrayLike<number>): LinearOperator {
  const row = new Float64Array(columns);
  const read = (i: number): void => {
    for (let j = 0; j < columns; j++) row[j] = values[i * columns + j]!;
  };
  return {
    rows,
    columns,
    apply: (x) => {
      const product = zeros(rows, x.columns);
      for (let i = 0; i < rows; i++) {
        read(i);
        for (let k = 0; k < x.columns; k++) product.data[k * rows + i] = dot(row, column(x, k));
      }
      return product;
    },
    applyTransposed: (y) => {
      const product = zeros(columns, y.columns);
      for (let i = 0; i < rows; i++) {
        read(i);
        for (let k = 0; k < y.columns; k++) addScaled(column(product, k), row, y.data[k * rows + i]!);
      }
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
