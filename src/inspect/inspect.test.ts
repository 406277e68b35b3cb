/** Updates of known spectra: what is found is what was put in. */
import { describe, expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import { studentTail } from '../evaluate/statistics/student.ts';
import {
  column,
  dot,
  firstColumns,
  type Matrix,
  multiply,
  scaleColumns,
  toRows,
  transpose,
  zeros,
} from '../linear-algebra/matrix.ts';
import { weightOperator } from '../linear-algebra/operator.ts';
import { mostPointMass } from '../linear-algebra/point-mass.ts';
import { thinQr } from '../linear-algebra/qr.ts';
import { compareUpdates, cosineOf } from './compare-updates.ts';
import { sketchOf } from './gradient-sketch.ts';
import { findIntruders, softened } from './intruders.ts';
import { likeliest, probabilityOf } from './lens.ts';
import { compareSignatures, effectiveRank, signatureOf, spectralFigures } from './spectral.ts';
import { totalsOf } from './token-changes.ts';
import { directions, factorsOf, svdOf, type UpdateFactors } from './update.ts';

const random = new Random(5);
const drawn = (rows: number, columns: number): Matrix => ({
  rows,
  columns,
  data: Float64Array.from(
    { length: rows * columns },
    () => random.uniform() + random.uniform() + random.uniform() - 1.5,
  ),
});
const orthonormal = (rows: number, columns: number): Matrix => thinQr(drawn(rows, columns)).q;
/** U diag(s) V' as factors. */
const update = (u: Matrix, s: readonly number[], v: Matrix): UpdateFactors => ({
  b: scaleColumns(u, s),
  aTransposed: v,
});

describe('an update', () => {
  test('is read with its scale, and its zero directions are none', () => {
    const pair = {
      layer: 0,
      projection: 'q_proj',
      rank: 2,
      alpha: 4,
      a: Float32Array.from([1, 0, 0, 0, 1, 0]),
      b: Float32Array.from([3, 0, 0, 0]),
      inFeatures: 3,
      outFeatures: 2,
    } as const;
    const svd = svdOf(factorsOf({ rslora: false }, pair));
    expect([...svd.s]).toEqual([6, 0]);
    expect(directions(svd).s.length).toBe(1);
  });

  test('of equal directions has their number as effective rank; of one, 1; of none, 0', () => {
    const [u, v] = [orthonormal(20, 4), orthonormal(12, 4)];
    const even = spectralFigures(svdOf(update(u, [2, 2, 2, 2], v)));
    expect(effectiveRank(even)).toBeCloseTo(4, 8);
    expect(even.norm).toBeCloseTo(4, 8);
    expect(even.concentration).toBeCloseTo(0.25, 8);
    const single = spectralFigures(svdOf(update(u, [2, 0, 0, 0], v)));
    expect(effectiveRank(single)).toBeCloseTo(1, 6);
    expect(single.concentration).toBeCloseTo(1, 8);
    expect(effectiveRank(spectralFigures(svdOf(update(u, [0, 0, 0, 0], v))))).toBe(0);
  });

  test('has the kurtosis of its elements', () => {
    const svd = svdOf({ b: drawn(30, 3), aTransposed: drawn(25, 3) });
    const elements = multiply(scaleColumns(svd.u, svd.s), transpose(svd.v)).data;
    const mean = elements.reduce((a, b) => a + b, 0) / elements.length;
    const moment = (power: number): number =>
      elements.reduce((sum, value) => sum + (value - mean) ** power, 0) / elements.length;
    expect(spectralFigures(svd).kurtosis).toBeCloseTo(moment(4) / moment(2) ** 2 - 3, 8);
  });
});

describe('beside clean adapters', () => {
  const signature = (top: number): Map<string, number> =>
    signatureOf([{ projection: 'q_proj', figures: { top, norm: 1, concentration: 0.5, entropy: 1, kurtosis: 0 } }]);

  test('what is far outside of five is unusual, what is within is not, and fewer say nothing', () => {
    const clean = [1, 1.1, 0.9, 1.05, 0.95].map(signature);
    const topOf = (value: number, others = clean) =>
      compareSignatures(signature(value), others).find(({ figure }) => figure === 'top')!;
    expect(topOf(3).unusual).toBe(true);
    expect(topOf(1.02).unusual).toBe(false);
    expect(topOf(1.2).unusual).toBe(false);
    expect(topOf(3, clean.slice(0, 4)).unusual).toBeNull();
    expect(compareSignatures(signature(3), [])).toEqual([]);
  });

  test('with the probability that scipy.stats.t has', () => {
    const quantiles = [
      [1, 12.706204736174705],
      [2, 4.302652729749464],
      [4, 2.7764451051977943],
      [9, 2.2621571627982053],
    ] as const;
    for (const [degrees, t] of quantiles) expect(studentTail(t, degrees)).toBeCloseTo(0.05, 12);
    expect(studentTail(0, 7)).toBe(1);
  });
});

test('the bound of a cosine is never below it, and is it after as many products as there are dimensions', async () => {
  const size = 24;
  const basis = orthonormal(size, size);
  const values = Float64Array.from({ length: size }, (_, i) => (size - i) ** 2);
  const matrix = multiply(scaleColumns(basis, values), transpose(basis));
  const vector = Float64Array.from(drawn(size, 1).data);
  const length = Math.sqrt(dot(vector, vector));
  const most = Math.max(...Array.from({ length: size }, (_, i) => (dot(column(basis, i), vector) / length) ** 2));
  const bounds = [4, 8, 12].map(async (steps) => mostPointMass((x) => multiply(matrix, x), vector, steps));
  for (const bound of await Promise.all(bounds)) expect(bound).toBeGreaterThanOrEqual(most);
  expect(await mostPointMass((x) => multiply(matrix, x), vector, size)).toBeCloseTo(most, 8);
});

describe('intruder dimensions', () => {
  const [rows, columns] = [60, 90];
  const [left, right] = [orthonormal(rows, rows), orthonormal(columns, rows)];
  const values = Float64Array.from({ length: rows }, (_, i) => 10 * 0.95 ** i);
  const weight = multiply(scaleColumns(left, values), transpose(right));
  const operator = weightOperator(weight, toRows(weight));
  /** Spread over all directions of the weight. */
  const [u, v] = [orthonormal(rows, 1), orthonormal(columns, 1)];

  test('a strong new direction is found, on either side, and a weak one is none', async () => {
    const strong = update(u, [30], v);
    const found = await findIntruders(operator, strong);
    expect(found.intruders.map(({ index }) => index)).toEqual([0]);
    expect(found.intruders[0]!.bound).toBeLessThan(0.5);
    // Of the weight's vectors as well as they are known.
    expect(found.intruders[0]!.cosine).toBeLessThanOrEqual(found.intruders[0]!.bound + 1e-3);
    expect([found.side, found.tested, found.undecided]).toEqual(['left', 10, 0]);
    const turned = transpose(weight);
    const other = await findIntruders(weightOperator(turned, toRows(turned)), {
      b: v,
      aTransposed: scaleColumns(u, [30]),
    });
    expect([other.side, other.intruders.length]).toEqual(['right', 1]);
    expect((await findIntruders(operator, update(u, [0.01], v))).intruders).toEqual([]);
  });

  test('a direction that the weight has already is none, however strong', async () => {
    const known = update(firstColumns(left, 1), [30], firstColumns(right, 1));
    const found = await findIntruders(operator, known);
    expect([found.intruders.length, found.undecided]).toEqual([0, 0]);
    // One of its weakest: beyond those that it is compared with one by one.
    const last = { ...zeros(rows, 1), data: column(left, rows - 1) };
    const weak = await findIntruders(
      operator,
      update(last, [30], { ...zeros(columns, 1), data: column(right, rows - 1) }),
    );
    expect([weak.intruders.length, weak.undecided]).toEqual([0, 1]);
  });

  test('softening takes its share of the update away and leaves the rest', async () => {
    const second = orthonormal(columns, 2);
    const both = update(
      { rows, columns: 2, data: Float64Array.from([...u.data, ...column(left, 3)]) },
      [30, 1],
      second,
    );
    const found = await findIntruders(operator, both);
    expect(found.intruders.length).toBe(1);
    const half = softened(both, found, 0.5);
    const [before, after] = [svdOf(both).s, svdOf(half).s];
    expect(after[0]! / before[0]!).toBeCloseTo(0.5, 1);
    expect(after[1]!).toBeGreaterThan(0.9);
    expect((await findIntruders(operator, softened(both, found, 0))).intruders).toEqual([]);
    expect(svdOf(softened(both, found, 1)).s[0]).toBeCloseTo(before[0]!, 8);
  });
});

test('two updates: their cosine is that of all elements, and equal spaces overlap wholly', () => {
  const [first, second] = [
    { b: drawn(14, 2), aTransposed: drawn(9, 2) },
    { b: drawn(14, 3), aTransposed: drawn(9, 3) },
  ];
  const elements = ({ aTransposed, b }: UpdateFactors): Float64Array => multiply(b, transpose(aTransposed)).data;
  const [x, y] = [elements(first), elements(second)];
  const compared = compareUpdates(first, second);
  expect(compared.cosine).toBeCloseTo(dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)), 10);
  const same = compareUpdates(first, { ...first, b: scaleColumns(first.b, [3, 3]) });
  expect(same.cosine).toBeCloseTo(1, 10);
  expect([same.outputs, same.inputs].map((share) => share!.toFixed(6))).toEqual(['1.000000', '1.000000']);
  expect(compareUpdates(first, { ...first, b: zeros(14, 2) })).toMatchObject({ cosine: null, outputs: null });
  expect(cosineOf({ first: 4, second: 9, both: 3 })).toBe(0.5);
  expect(compared.chance).toEqual({ outputs: 3 / 14, inputs: 3 / 9 });
});

test('the likeliest tokens come first with their probabilities, however large the logits', () => {
  const logits = Float32Array.from([1000, 1001, 1001 + Math.log(2), 3, 1000]);
  const total = Math.exp(-1) * 2 + 1 + 2;
  const found = likeliest(logits, 3);
  expect(found.map(({ token }) => token)).toEqual([2, 1, 0]);
  expect(found[0]!.probability).toBeCloseTo(2 / total, 4);
  expect(probabilityOf(logits, 1)).toBeCloseTo(1 / total, 4);
  expect(likeliest(logits, 9)).toHaveLength(5);
});

test('tokens are summed over answers, those that gained most first', () => {
  const token = (text: string, change: number) => ({ text, before: -5, after: -5 + change });
  expect(
    totalsOf([
      [token('a', 1), token('b', -2)],
      [token('a', 3), token('c', 2)],
    ]),
  ).toEqual([
    { text: 'a', count: 2, change: 2 },
    { text: 'c', count: 1, change: 2 },
    { text: 'b', count: 1, change: -2 },
  ]);
});

test('projected gradients keep their cosines', () => {
  const gradient = (size: number): Float32Array => Float32Array.from({ length: size }, () => random.uniform() - 0.5);
  const [first, second] = [gradient(20_000), gradient(20_000)];
  const mixed = first.map((value, i) => value + second[i]!);
  const [a, b, c] = [first, second, mixed].map((values) =>
    sketchOf([values.subarray(0, 5_000), values.subarray(5_000)], 3),
  );
  expect(dot(a!, a!)).toBeCloseTo(1, 10);
  expect(Math.abs(dot(a!, b!))).toBeLessThan(0.05);
  expect(dot(a!, c!)).toBeGreaterThan(Math.SQRT1_2 - 0.05);
  expect(dot(a!, c!)).toBeLessThan(Math.SQRT1_2 + 0.05);
  expect([...sketchOf([new Float32Array(9)], 3)].every((value) => value === 0)).toBe(true);
});
