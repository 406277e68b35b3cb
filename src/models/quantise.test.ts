import { describe, expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import { columnTops, emptyMatrix, quantiseMatrix, quantiseRows, smoothingScales } from './quantise.ts';

const random = new Random(7, 1);
const matrix = (rows: number, columns: number): Float32Array =>
  Float32Array.from({ length: rows * columns }, () => random.uniform() - 0.5);

describe('quantiseMatrix', () => {
  const [rows, columns] = [150, 40];
  const weight = matrix(rows, columns);

  test('is the transposed matrix within half a step of each row', () => {
    const { values, scale } = quantiseMatrix(weight, columns, { levels: 127 });
    for (let r = 0; r < rows; r++) {
      for (let k = 0; k < columns; k++) {
        const error = Math.abs(values[k * rows + r]! * scale[r]! - weight[r * columns + k]!);
        expect(error).toBeLessThanOrEqual(scale[r]! * 0.5001);
      }
    }
    expect(Math.max(...values)).toBe(127);
  });

  test('levels bound the values; a row of zeros stays zeros', () => {
    const zeroed = weight.slice().fill(0, 0, columns);
    const { values, scale } = quantiseMatrix(zeroed, columns, { levels: 63 });
    expect(values.every((value) => Math.abs(value) <= 63)).toBe(true);
    expect(scale[0]).toBe(0);
  });

  test('input scales and output divisors: (W diag(s)) and rows / d', () => {
    const inputScale = matrix(1, columns).map((x) => x + 2);
    const outputDivisor = matrix(1, rows).map((x) => x + 3);
    const { values, scale } = quantiseMatrix(weight, columns, { levels: 127, inputScale, outputDivisor });
    for (let r = 0; r < rows; r += 7) {
      for (let k = 0; k < columns; k += 3) {
        const expected = (weight[r * columns + k]! * inputScale[k]!) / outputDivisor[r]!;
        expect(Math.abs(values[k * rows + r]! * scale[r]! - expected)).toBeLessThanOrEqual(scale[r]! * 0.5001);
      }
    }
  });

  test('rows in parts equal the whole', () => {
    const whole = quantiseMatrix(weight, columns, { levels: 127 });
    const parts = emptyMatrix(columns, rows);
    for (let first = 0; first < rows; first += 70) {
      quantiseRows(parts, first, weight.subarray(first * columns, (first + 70) * columns), { levels: 127 });
    }
    expect(parts).toEqual(whole);
  });
});

test('smoothing takes from outliers of the input; a silent channel is left alone', () => {
  const scales = smoothingScales(Float32Array.of(100, 1, 0), Float32Array.of(1, 1, 1), 0.5);
  expect([...scales]).toEqual([10, 1, 1]);
  expect([...columnTops([Float32Array.of(1, -5, 2, 3), Float32Array.of(-4, 0)], 2)]).toEqual([4, 5]);
});
