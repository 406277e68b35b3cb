import { describe, expect, it } from 'vitest';
import { Random } from '../batches/random.ts';
import { nearestFactors } from './gram-svd.ts';
import { type Matrix, multiply, transpose, zeros } from './matrix.ts';
import { balancedFactors, productSvd, truncateSvd } from './svd.ts';

const random = new Random(7);
const drawn = (rows: number, columns: number, scale = 1): Matrix => ({
  rows,
  columns,
  data: Float64Array.from({ length: rows * columns }, () => scale * (random.uniform() - 0.5)),
});
const apart = (left: Matrix, right: Matrix): number =>
  left.data.reduce((most, value, i) => Math.max(most, Math.abs(value - right.data[i]!)), 0);
const product = ({ b, aTransposed }: { b: Matrix; aTransposed: Matrix }): Matrix => multiply(b, transpose(aTransposed));

describe('nearestFactors', () => {
  it.each([1, 3, 6, 20])('rank %i is that of the SVD by QR', (rank) => {
    const [b, a] = [drawn(40, 6), drawn(25, 6)];
    const exact = balancedFactors(truncateSvd(productSvd(b, a), rank));
    const found = nearestFactors(b, a, rank);
    expect(found.b.columns).toBe(Math.min(rank, 6));
    expect(apart(product(found), product(exact))).toBeLessThan(1e-9);
    for (const [i, value] of productSvd(b, a).s.entries()) expect(found.s[i]).toBeCloseTo(value, 8);
  });

  it('directions that come twice, that are tiny, and nothing at all', () => {
    const one = drawn(30, 2);
    const twice: Matrix = { rows: 30, columns: 4, data: Float64Array.from([...one.data, ...one.data]) };
    const a = drawn(20, 4);
    const found = nearestFactors(twice, a, 4);
    expect(found.b.columns).toBe(2);
    expect(apart(product(found), product({ b: twice, aTransposed: a }))).toBeLessThan(1e-8);
    const uneven: Matrix = {
      ...drawn(30, 4),
      data: drawn(30, 4).data.map((value, i) => (i < 30 ? value : value * 1e-3)),
    };
    expect(apart(product(nearestFactors(uneven, a, 4)), product({ b: uneven, aTransposed: a }))).toBeLessThan(1e-8);
    const nothing = nearestFactors(zeros(5, 2), drawn(4, 2), 2);
    expect([...nothing.b.data, ...nothing.aTransposed.data].every((value) => value === 0)).toBe(true);
  });
});
