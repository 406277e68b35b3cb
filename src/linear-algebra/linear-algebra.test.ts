/** Held against numpy: test/fixtures/linear-algebra, written by bench/oracles/make_linear_algebra_cases.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import {
  addScaled,
  column,
  dot,
  frobeniusNorm,
  fromRows,
  fromRowsTransposed,
  type Matrix,
  multiply,
  multiplyTransposed,
  scaleColumns,
  toRows,
  transpose,
  zeros,
} from './matrix.ts';
import { updatedOperator, weightOperator } from './operator.ts';
import { thinQr } from './qr.ts';
import { leadingSingularVectors } from './subspace-iteration.ts';
import { balancedFactors, productSvd, smallSvd, truncateSvd } from './svd.ts';

interface Cases {
  readonly qr: readonly { rows: number; columns: number; values: number[]; absoluteR: number[] }[];
  readonly product: readonly {
    out: number;
    rank: number;
    in: number;
    b: number[];
    a: number[];
    s: number[];
    first: { u: number[]; v: number[] };
  }[];
  readonly leading: readonly {
    rows: number;
    columns: number;
    count: number;
    values: number[];
    s: number[];
    u: number[];
    v: number[];
  }[];
}
const path = join(import.meta.dirname, '../../test/fixtures/linear-algebra/cases.json');
const cases = JSON.parse(readFileSync(path, 'utf8')) as Cases;

const expectNear = (matrix: Matrix, expected: Matrix, within = 1e-12): void => {
  expect([matrix.rows, matrix.columns]).toEqual([expected.rows, expected.columns]);
  const most = matrix.data.reduce((max, value, i) => Math.max(max, Math.abs(value - expected.data[i]!)), 0);
  expect(most).toBeLessThan(within);
};
const identity = (size: number): Matrix => {
  const matrix = zeros(size, size);
  for (let i = 0; i < size; i++) matrix.data[i * size + i] = 1;
  return matrix;
};

describe('QR', () => {
  test.each(cases.qr.map((found, i) => [i, found] as const))('case %i is numpy’s, up to signs', (_, found) => {
    const matrix = fromRows(found, found.values);
    const { q, r } = thinQr(matrix);
    expectNear(multiply(q, r), matrix);
    expectNear(multiplyTransposed(q, q), identity(Math.min(found.rows, found.columns)));
    expectNear(
      { ...r, data: r.data.map(Math.abs) },
      fromRows({ rows: r.rows, columns: r.columns }, found.absoluteR),
      1e-10,
    );
  });
});

describe('SVD of a product', () => {
  test.each(cases.product.map((found, i) => [i, found] as const))('case %i is numpy’s', (_, found) => {
    const b = fromRows({ rows: found.out, columns: found.rank }, found.b);
    const a = fromRows({ rows: found.rank, columns: found.in }, found.a);
    const aTransposed = fromRowsTransposed({ rows: found.rank, columns: found.in }, found.a);
    const svd = productSvd(b, aTransposed);
    expect(svd.s.length).toBe(found.s.length);
    for (const [i, value] of found.s.entries()) expect(svd.s[i]).toBeCloseTo(value, 10);
    expectNear(multiply(scaleColumns(svd.u, svd.s), transpose(svd.v)), multiply(b, a), 1e-11);
    if (found.s[0]! > 1e-9) {
      expect(Math.abs(dot(column(svd.u, 0), Float64Array.from(found.first.u)))).toBeCloseTo(1, 10);
      expect(Math.abs(dot(column(svd.v, 0), Float64Array.from(found.first.v)))).toBeCloseTo(1, 10);
    }
    const again = balancedFactors(truncateSvd(svd, found.rank));
    expectNear(multiply(again.b, transpose(again.aTransposed)), multiply(b, a), 1e-11);
  });

  test('rows of float32 come back as they were', () => {
    const values = Float32Array.from({ length: 12 }, (_, i) => i / 7);
    expect(toRows(fromRows({ rows: 3, columns: 4 }, values))).toEqual(values);
    expect(toRows(transpose(fromRowsTransposed({ rows: 3, columns: 4 }, values)))).toEqual(values);
  });
});

describe('leading singular vectors', () => {
  test.each(cases.leading.map((found, i) => [i, found] as const))('case %i is numpy’s', async (_, found) => {
    const operator = weightOperator(found, Float32Array.from(found.values));
    const svd = await leadingSingularVectors(operator, found.count, { tolerance: 1e-9, maxPasses: 200 });
    expect(Math.max(...svd.residuals)).toBeLessThanOrEqual(1e-9);
    for (let i = 0; i < found.count; i++) {
      expect(svd.s[i]).toBeCloseTo(found.s[i]!, 7);
      const [u, v] = [found.u, found.v].map((all) => {
        const length = all.length / found.count;
        return Float64Array.from(all.slice(i * length, (i + 1) * length));
      });
      expect(Math.abs(dot(column(svd.u, i), u!))).toBeCloseTo(1, 6);
      expect(Math.abs(dot(column(svd.v, i), v!))).toBeCloseTo(1, 6);
    }
  });

  test('the residual is the accuracy: values are no further off than it says, and fewer passes leave more', async () => {
    const found = cases.leading[1]!;
    const operator = weightOperator(found, Float32Array.from(found.values));
    const rough = await leadingSingularVectors(operator, found.count, { maxPasses: 2, tolerance: 0 });
    expect(rough.passes).toBe(2);
    const fine = await leadingSingularVectors(operator, found.count, { maxPasses: 30, tolerance: 0 });
    expect(Math.max(...fine.residuals)).toBeLessThan(Math.max(...rough.residuals));
    const far = Math.max(...found.s.map((value, i) => Math.abs(rough.s[i]! - value) / found.s[0]!));
    expect(far).toBeGreaterThan(1e-6);
    expect(far).toBeLessThanOrEqual(Math.max(...rough.residuals));
  });

  test('of a weight with its update, and of zeros', async () => {
    const { rows, columns, values } = cases.leading[0]!;
    const random = new Random(3);
    const drawn = (height: number): Matrix => ({
      rows: height,
      columns: 2,
      data: Float64Array.from({ length: height * 2 }, () => random.uniform() - 0.5),
    });
    const [b, aTransposed] = [drawn(rows), drawn(columns)];
    const sum = fromRows({ rows, columns }, values);
    addScaled(sum.data, multiply(b, transpose(aTransposed)).data, 1);
    const expected = smallSvd(sum);
    const operator = updatedOperator(weightOperator({ rows, columns }, Float32Array.from(values)), b, aTransposed);
    const found = await leadingSingularVectors(operator, 3, { tolerance: 1e-10, maxPasses: 500 });
    for (let i = 0; i < 3; i++) expect(found.s[i]).toBeCloseTo(expected.s[i]!, 8);
    expect(frobeniusNorm(sum)).toBeCloseTo(Math.hypot(...expected.s), 10);
    const nothing = await leadingSingularVectors(weightOperator({ rows: 4, columns: 3 }, new Float32Array(12)), 2);
    expect([...nothing.s]).toEqual([0, 0]);
  });

  test('an interruption ends it', async () => {
    const operator = weightOperator({ rows: 4, columns: 3 }, new Float32Array(12));
    await expect(leadingSingularVectors(operator, 1, { signal: AbortSignal.abort() })).rejects.toThrow('abort');
  });
});
