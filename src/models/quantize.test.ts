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

  // The widths have Hadamard blocks of 64, 32, 8, 4 and 1; the last one takes several pieces.
  test.each([
    [70, 128],
    [33, 96],
    [16, 24],
    [5, 12],
    [1, 7],
    [300, 192],
  ])('%i rows of %i are to the last bit what the definition gives', (all, width) => {
    const given = matrix(all, width);
    const { values, scale } = quantizeMatrix(given, width, 127);
    for (let r = 0; r < all; r++) {
      const row = given.slice(r * width, (r + 1) * width);
      hadamardInPlace(row, hadamardBlock(width));
      const top = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const rounded = row.map((value) => Math.floor(value * (127 / top) + 0.5));
      expect(scale[r]).toBe(Math.fround(top / 127));
      expect(
        Array.from(row, (_, k) => values[k * all + r]),
        `row ${r}`,
      ).toEqual([...rounded]);
    }
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
