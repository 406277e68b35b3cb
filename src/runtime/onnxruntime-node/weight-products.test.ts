import { expect, test } from 'vitest';
import { Random } from '../../batches/random.ts';
import { weightOperator } from '../../linear-algebra/operator.ts';
import { WeightProducts } from './weight-products.ts';

test('products by the engine are those of the slow way, of weights of several shapes', async () => {
  const random = new Random(2);
  const drawn = (length: number): number[] => Array.from({ length }, () => random.uniform() - 0.5);
  const products = await WeightProducts.open(1);
  for (const [rows, columns, count] of [
    [7, 5, 3],
    [6, 30, 1],
  ] as const) {
    const values = Float32Array.from(drawn(rows * columns));
    const [fast, slow] = [products.operator({ rows, columns }, values), weightOperator({ rows, columns }, values)];
    const x = { rows: columns, columns: count, data: Float64Array.from(drawn(columns * count)) };
    const y = { rows, columns: count, data: Float64Array.from(drawn(rows * count)) };
    for (const [got, expected] of [
      [await fast.apply(x), await slow.apply(x)],
      [await fast.applyTransposed(y), await slow.applyTransposed(y)],
    ] as const) {
      expect([got.rows, got.columns]).toEqual([expected.rows, expected.columns]);
      for (const [i, value] of expected.data.entries()) expect(got.data[i]).toBeCloseTo(value, 5);
    }
  }
  await products.close();
});
