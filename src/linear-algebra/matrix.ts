/**
 * Dense matrices in float64, column by column as LAPACK keeps them, so that the sums of QR and SVD run over memory in
 * order. For factors of adapters and vectors of a model's weights; the training step has its own arithmetic. Pure.
 */

/** [rows, columns]; element (i, j) stands at `data[j * rows + i]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

export const zeros = (rows: number, columns: number): Matrix => ({
  rows,
  columns,
  data: new Float64Array(rows * columns),
});

/** Column `j`, a view. */
export const column = (matrix: Matrix, j: number): Float64Array =>
  matrix.data.subarray(j * matrix.rows, (j + 1) * matrix.rows);

/** The first `count` columns, a view. */
export const firstColumns = (matrix: Matrix, count: number): Matrix => ({
  rows: matrix.rows,
  columns: count,
  data: matrix.data.subarray(0, count * matrix.rows),
});

/** The columns of all, in their order; at least one, of as many rows. */
export function sideBySide(...parts: readonly Matrix[]): Matrix {
  const all = zeros(
    parts[0]!.rows,
    parts.reduce((sum, { columns }) => sum + columns, 0),
  );
  let at = 0;
  for (const { data } of parts) {
    all.data.set(data, at);
    at += data.length;
  }
  return all;
}

/** A matrix [rows, columns] from numbers row by row, as weights and LoRA factors are kept; `scale` multiplies each. */
export function fromRows(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  values: ArrayLike<number>,
  scale = 1,
): Matrix {
  const matrix = zeros(rows, columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) matrix.data[j * rows + i] = values[i * columns + j]! * scale;
  return matrix;
}

/** The transpose of a matrix from numbers row by row: the numbers as they stand, read column by column. */
export const fromRowsTransposed = (
  { rows, columns }: { readonly rows: number; readonly columns: number },
  values: ArrayLike<number>,
): Matrix => ({ rows: columns, columns: rows, data: Float64Array.from(values) });

/** Row by row in float32, as safetensors and the trainer have it. */
export function toRows(matrix: Matrix): Float32Array {
  const { rows, columns, data } = matrix;
  const values = new Float32Array(rows * columns);
  for (let j = 0; j < columns; j++) for (let i = 0; i < rows; i++) values[i * columns + j] = data[j * rows + i]!;
  return values;
}

export function transpose(matrix: Matrix): Matrix {
  const { rows, columns, data } = matrix;
  const turned = zeros(columns, rows);
  for (let j = 0; j < columns; j++) for (let i = 0; i < rows; i++) turned.data[i * columns + j] = data[j * rows + i]!;
  return turned;
}

/** x . y, in four sums side by side, which a processor adds at once. */
export function dot(x: Float64Array, y: Float64Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const even = x.length - (x.length % 4);
  for (let i = 0; i < even; i += 4) {
    a += x[i]! * y[i]!;
    b += x[i + 1]! * y[i + 1]!;
    c += x[i + 2]! * y[i + 2]!;
    d += x[i + 3]! * y[i + 3]!;
  }
  for (let i = even; i < x.length; i++) a += x[i]! * y[i]!;
  return a + b + (c + d);
}

/** The length of a vector. */
export const norm = (x: Float64Array): number => Math.sqrt(dot(x, x));

/** The Frobenius norm: the root of the sum of the squares of all elements. */
export const frobeniusNorm = (matrix: Matrix): number => norm(matrix.data);

/** y += factor x. */
export function addScaled(y: Float64Array, x: Float64Array, factor: number): void {
  for (let i = 0; i < y.length; i++) y[i]! += factor * x[i]!;
}

/** A B: [m, k] [k, n] -> [m, n]. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  const product = zeros(a.rows, b.columns);
  for (let j = 0; j < b.columns; j++) {
    const [target, factors] = [column(product, j), column(b, j)];
    for (let k = 0; k < a.columns; k++) if (factors[k] !== 0) addScaled(target, column(a, k), factors[k]!);
  }
  return product;
}

/** A' B: [k, m]' [k, n] -> [m, n]. */
export function multiplyTransposed(a: Matrix, b: Matrix): Matrix {
  const product = zeros(a.columns, b.columns);
  for (let j = 0; j < b.columns; j++) {
    const right = column(b, j);
    for (let i = 0; i < a.columns; i++) product.data[j * a.columns + i] = dot(column(a, i), right);
  }
  return product;
}

/** A' A: [m, k] -> [k, k], each element computed once. */
export function gram(matrix: Matrix): Matrix {
  const { columns } = matrix;
  const found = zeros(columns, columns);
  for (let i = 0; i < columns; i++)
    for (let j = 0; j <= i; j++) {
      const value = dot(column(matrix, i), column(matrix, j));
      found.data[j * columns + i] = value;
      found.data[i * columns + j] = value;
    }
  return found;
}

/** The columns, each multiplied by its factor. */
export function scaleColumns(matrix: Matrix, factors: ArrayLike<number>): Matrix {
  const scaled = { ...matrix, data: Float64Array.from(matrix.data) };
  for (let j = 0; j < matrix.columns; j++) {
    const target = column(scaled, j);
    for (let i = 0; i < target.length; i++) target[i]! *= factors[j]!;
  }
  return scaled;
}
