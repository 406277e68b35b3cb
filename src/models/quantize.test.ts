import { describe, expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import { hadamardBlock, hadamardInPlace } from '../graph/hadamard.ts';
import { emptyMatrix, quantizeMatrix, quantizeRows } from './quantize.ts';

const random = new Random(7, 1);
const matrix = (rows: number, columns: number): Float32Array =>
  Float32Array.from({ length: rows * columns }, () => random.uniform() - 0.5);

describe('quantizeMatrix', () => {
  const [rows, columns] = [150, 40];
  const weight = matrix(rows, columns);

  test('is the transformed, transposed matrix within half a step of each row', () => {
    const { values, scale } = quantizeMatrix(weight, columns, 127);
    const transformed = weight.slice();
    hadamardInPlace(transformed, hadamardBlock(columns));
    for (let r = 0; r < rows; r++) {
      for (let k = 0; k < columns; k++) {
        const error = Math.abs(values[k * rows + r]! * scale[r]! - transformed[r * columns + k]!);
        expect(error).toBeLessThanOrEqual(scale[r]! * 0.5001);
      }
    }
    expect(Math.max(...values)).toBe(127);
  });

  test('levels bound the values; a row of zeros stays zeros', () => {
    const zeroed = weight.slice().fill(0, 0, columns);
    const { values, scale } = quantizeMatrix(zeroed, columns, 63);
    expect(values.every((value) => Math.abs(value) <= 63)).toBe(true);
    expect(scale[0]).toBe(0);
  });

  test('rows in parts equal the whole', () => {
    const whole = quantizeMatrix(weight, columns, 127);
    const parts = emptyMatrix(columns, rows);
    for (let first = 0; first < rows; first += 70) {
      quantizeRows(parts, first, weight.subarray(first * columns, (first + 70) * columns), 127);
    }
    expect(parts).toEqual(whole);
  });
});
