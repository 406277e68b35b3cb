/**
 * Products with a weight by the engine, in float32: some thirty times as fast as sums in JavaScript, and exact to 1e-6 of the largest
 * singular value, which residuals of 1e-3 do not notice.
 */
import { type Graph, input, matmul } from '../../graph/graph.ts';
import type { Matrix } from '../../linear-algebra/matrix.ts';
import type { LinearOperator, Shape } from '../../linear-algebra/operator.ts';
import { Executor, floats } from './executor.ts';

/** X' W': [K, N] [M, N]' -> [K, M]. A matrix by columns is its transpose by rows, so that nothing is turned. */
const rowProducts = (): Graph =>
  new Map([['product', matmul(input('x', ['K', 'N']), input('weight', ['M', 'N']), { transposeB: true })]]);
/** Y' W: [K, M] [M, N] -> [K, N]. */
const columnProducts = (): Graph => new Map([['product', matmul(input('x', ['K', 'M']), input('weight', ['M', 'N']))]]);
/** X' X: [N, K] -> [K, K]. */
function squares(): Graph {
  const x = input('x', ['N', 'K']);
  return new Map([['product', matmul(x, x, { transposeA: true })]]);
}

export class WeightProducts {
  private readonly rows: Executor;
  private readonly columns: Executor;
  private readonly squares: Executor;

  private constructor(rows: Executor, columns: Executor, squared: Executor) {
    this.rows = rows;
    this.columns = columns;
    this.squares = squared;
  }

  static async open(threads: number): Promise<WeightProducts> {
    return new WeightProducts(
      await Executor.create(rowProducts(), threads),
      await Executor.create(columnProducts(), threads),
      await Executor.create(squares(), threads),
    );
  }

  /** Writes B A, of B [rows, rank] and A [rank, columns] row by row, into `out`: the product of columns, with A as the weight. */
  async formUpdate(
    { columns, rows }: Shape,
    { a, b }: { readonly a: Float32Array; readonly b: Float32Array },
    out: Float32Array,
  ): Promise<void> {
    const rank = a.length / columns;
    await this.columns.run(
      new Map([
        ['x', floats(b, [rows, rank])],
        ['weight', floats(a, [rank, columns])],
      ]),
      new Map([['product', floats(out, [rows, columns])]]),
    );
  }

  /** A B: [m, k] [k, n] -> [m, n] of a tall A and a small B. */
  async multiply(a: Matrix, b: Matrix): Promise<Matrix> {
    return this.operator({ rows: a.columns, columns: a.rows }, Float32Array.from(a.data)).applyTransposed(b);
  }

  /** X' X, [columns, columns], of X [rows, columns], row by row. */
  async gram({ columns, rows }: Shape, values: Float32Array): Promise<Matrix> {
    const product = new Float32Array(columns * columns);
    await this.squares.run(
      new Map([['x', floats(values, [rows, columns])]]),
      new Map([['product', floats(product, [columns, columns])]]),
    );
    return { rows: columns, columns, data: Float64Array.from(product) };
  }

  /** The weight [rows, columns], row by row, as an operator that is good until `close`. */
  operator({ columns, rows }: Shape, values: Float32Array): LinearOperator {
    const weight = floats(values, [rows, columns]);
    const product = async (executor: Executor, x: Matrix, length: number): Promise<Matrix> => {
      const made = new Float32Array(x.columns * length);
      const given = floats(Float32Array.from(x.data), [x.columns, x.rows]);
      await executor.run(
        new Map([
          ['x', given],
          ['weight', weight],
        ]),
        new Map([['product', floats(made, [x.columns, length])]]),
      );
      return { rows: length, columns: x.columns, data: Float64Array.from(made) };
    };
    return {
      rows,
      columns,
      apply: (x) => product(this.rows, x, rows),
      applyTransposed: (y) => product(this.columns, y, columns),
    };
  }

  async close(): Promise<void> {
    await this.rows.close();
    await this.columns.close();
    await this.squares.close();
  }
}
