/** The norm of what is left out, against the optimum by a float64 SVD. */
import { describe, expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import { column, frobeniusNorm, type Matrix, multiply, scaleColumns, toRows, transpose, zeros } from './matrix.ts';
import { nearestOfRank } from './nearest-of-rank.ts';
import { weightOperator } from './operator.ts';
import { thinQr } from './qr.ts';
import { smallSvd } from './svd.ts';

const random = new Random(7);
const drawn = (rows: number, columns: number): Matrix => ({
  ...zeros(rows, columns),
  data: Float64Array.from({ length: rows * columns }, () => 2 * random.uniform() - 1),
});
/** A matrix [90, 70] of these singular values. */
const ofSpectrum = (values: (i: number) => number): Matrix =>
  multiply(
    scaleColumns(
      thinQr(drawn(90, 70)).q,
      Float64Array.from({ length: 70 }, (_, i) => values(i)),
    ),
    transpose(thinQr(drawn(70, 70)).q),
  );
const spectra: Readonly<Record<string, Matrix>> = {
  falling: ofSpectrum((i) => 0.8 ** i),
  slowly: ofSpectrum((i) => 1 / (1 + i)),
  'as noise does': drawn(90, 70),
  'with many of one size where it is cut': ofSpectrum((i) => (i < 12 ? 1 - i / 1000 : 0.05)),
  'all of one size': ofSpectrum(() => 1),
  'of a lower rank': ofSpectrum((i) => (i < 3 ? 3 - i : 0)),
  'with a jump of a million': ofSpectrum((i) => (i === 0 ? 1e6 : 1 - i / 100)),
  nothing: zeros(90, 70),
};

describe.each([
  ['', (matrix: Matrix) => matrix],
  [', wide', transpose],
])('the nearest of a rank%s', (_, turned) => {
  test.each(Object.keys(spectra))('of singular values %s', async (name) => {
    const matrix = turned(spectra[name]!);
    const { columns, rows } = matrix;
    const values = toRows(matrix);
    const total = values.reduce((sum, value) => sum + value ** 2, 0);
    const { s } = smallSvd(matrix);
    for (const rank of [4, 8, 100]) {
      const found = await nearestOfRank(weightOperator({ rows, columns }, values), rank, { total });
      expect(found.b.columns).toBeLessThanOrEqual(rank);
      const product = multiply(found.b, transpose(found.aTransposed));
      const left = frobeniusNorm({ ...product, data: product.data.map((value, i) => value - matrix.data[i]!) });
      const optimum = Math.hypot(...s.subarray(rank));
      const off = Math.abs(left - optimum) / Math.max(1, Math.sqrt(total));
      expect(off).toBeLessThan(1e-6);
      expect(Math.abs(frobeniusNorm(product) ** 2 - found.energy) / Math.max(1, total)).toBeLessThan(1e-6);
    }
  });
});

test('directions that are known spare products, also where they are not all of them', async () => {
  const matrix = ofSpectrum((i) => (i < 8 ? 1 : 0.01));
  const { v } = smallSvd(matrix);
  const operator = weightOperator(matrix, toRows(matrix));
  const total = frobeniusNorm(matrix) ** 2;
  const known = { ...v, columns: 8, data: v.data.subarray(0, 8 * 70) };
  expect((await nearestOfRank(operator, 8, { total, start: known })).products).toBe(2);
  const other = { ...known, columns: 7, data: known.data.subarray(70) };
  const found = await nearestOfRank(operator, 8, { total, start: other });
  expect(found.energy).toBeCloseTo(8, 5);
  expect(column(found.aTransposed, 0).length).toBe(70);
});
