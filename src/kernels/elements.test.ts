import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import { fuseElements, type Kept, magnitudeAt, noMost } from './elements.ts';
import { sourceDigest } from './gen/elements-wasm.ts';

const random = new Random(11);
const drawn = (length: number): Float32Array => Float32Array.from({ length }, () => 2 * random.uniform() - 1);
const all: Kept = { by: 'all' };

test('the module is of the source that lies in native/wasm', () => {
  const source = readFileSync(join(import.meta.dirname, '../../native/wasm/elements.c'));
  expect(createHash('sha256').update(source).digest('hex')).toBe(sourceDigest);
});

describe('the k-th largest magnitude is that of a sort', () => {
  const rounded = drawn(300_001).map((value) => Math.round(value * 50) / 50);
  // A sample of it sees nothing but zeros.
  const misleading = new Float32Array(400_000);
  misleading[123] = -3;
  misleading[200_001] = 2;
  test.each([
    ['few', drawn(7)],
    ['many', drawn(300_001)],
    ['many alike', rounded],
    ['nearly all zero', misleading],
    ['all of one size', new Float32Array(200_000).fill(-0.5)],
  ])('%s', (_, values) => {
    const sorted = values.map(Math.abs).sort().reverse();
    for (const count of [1, 2, 3, Math.floor(values.length / 2), values.length - 1, values.length]) {
      const { bits, equal, greater } = magnitudeAt(values, count);
      const found = new Float32Array(Uint32Array.of(bits).buffer)[0]!;
      expect(found).toBe(sorted[count - 1]);
      expect(greater).toBe(sorted.indexOf(found));
      expect(equal).toBe(sorted.lastIndexOf(found) + 1 - greater);
    }
  });
});

/** Rows of more elements than are handed over at once, and few, not in fours. */
describe.each([[7], [40_001]])('rows of %i', (width) => {
  const height = 3;
  const tensors = (): Float32Array[] => [drawn(width * height), drawn(width * height), drawn(width * height)];
  const sumOfSquares = (values: Float32Array): number => values.reduce((sum, value) => sum + value ** 2, 0);

  test('weighted sums, and means of what agrees with the sum', () => {
    const given = tensors();
    const weights = [0.5, -1, 2];
    for (const elects of [false, true]) {
      const copies = given.map((tensor) => tensor.slice());
      const squares = fuseElements(copies, { kept: [all, all, all], weights, elects, width });
      const expected = given[0]!.map((_, i) => {
        const values = given.map((tensor) => tensor[i]!);
        const sign = values.reduce((sum, value) => sum + value, 0) >= 0 ? 1 : -1;
        const counted = values.map((value) => !elects || Math.sign(value) === sign);
        const sum = values.reduce((total, value, k) => total + (counted[k] ? value * weights[k]! : 0), 0);
        return elects ? sum / Math.max(1, counted.filter(Boolean).length) : sum;
      });
      const off = copies[0]!.map((value, i) => Math.abs(value - expected[i]!));
      expect(off.reduce((most, value) => Math.max(most, value), 0)).toBeLessThan(1e-6);
      expect(squares).toBeCloseTo(sumOfSquares(copies[0]!), 3);
    }
  });

  test('a band of magnitudes, with the first of what equals a bound', () => {
    const values = drawn(width * height).map((value) => Math.round(value * 5) / 5);
    const at = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!;
    const kept: Kept = { by: 'magnitude', least: at(0.4), most: at(0.8), equal: 5 };
    const copy = values.slice();
    fuseElements([copy], { kept: [kept], weights: [1], elects: false, width });
    let equal = 5;
    const expected = values.map((value) => {
      const magnitude = Math.abs(value);
      const bound = magnitude === Math.fround(0.4) || magnitude === Math.fround(0.8);
      if (bound) return equal-- > 0 ? value : 0;
      return magnitude > 0.4 && magnitude < 0.8 ? value : 0;
    });
    expect(copy.map(Math.abs)).toEqual(expected.map(Math.abs));
    const none: Kept = { by: 'magnitude', least: noMost, most: noMost, equal: 0 };
    fuseElements([copy], { kept: [none], weights: [1], elects: false, width });
    expect(copy.every((value) => value === 0)).toBe(true);
  });
});

test('chances are kept, by key and place, and by rank in the row', () => {
  const width = 4_000;
  const values = drawn(width * 20).map((value) => value + Math.sign(value));
  const shareOf = (spread: number, key: [number, number], wanted: (magnitude: number) => boolean): number => {
    const copy = values.slice();
    fuseElements([copy], { kept: [{ by: 'chance', density: 0.3, spread, key }], weights: [1], elects: false, width });
    let [kept, all, off] = [0, 0, 0];
    for (const [i, value] of values.entries()) {
      if (!wanted(Math.abs(value))) continue;
      all++;
      if (copy[i] !== 0) kept++;
      if (copy[i] !== 0 && spread === 0) off = Math.max(off, Math.abs(copy[i]! / value - 1 / 0.3));
    }
    expect(off).toBeLessThan(1e-5);
    return kept / all;
  };
  const one = (): boolean => true;
  expect(shareOf(0, [1, 2], one)).toBeCloseTo(0.3, 2);
  expect(shareOf(0, [1, 2], one)).toBe(shareOf(0, [1, 2], one));
  expect(shareOf(0, [1, 3], one)).not.toBe(shareOf(0, [1, 2], one));
  expect(shareOf(0.2, [1, 2], (magnitude) => magnitude < 1.05)).toBeCloseTo(0.11, 1);
  expect(shareOf(0.2, [1, 2], (magnitude) => magnitude > 1.95)).toBeCloseTo(0.49, 1);
});
