import { expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import { hadamardBlock, hadamardInPlace, hadamardMatrix } from './hadamard.ts';

const bits = (n: number): number => n.toString(2).replaceAll('0', '').length;

test('the matrix is that of the definition, and the fast transform multiplies by it, block by block', () => {
  const block = 16;
  const matrix = hadamardMatrix(block);
  matrix.forEach((value, at) => {
    const [i, j] = [Math.floor(at / block), at % block];
    expect(value).toBeCloseTo((-1) ** bits(i & j) / Math.sqrt(block), 6);
  });
  const random = new Random(5, 1);
  const x = Float32Array.from({ length: 3 * block }, () => random.uniform() - 0.5);
  const y = x.slice();
  hadamardInPlace(y, block);
  y.forEach((value, at) => {
    const from = at - (at % block);
    let expected = 0;
    for (let i = 0; i < block; i++) expected += x[from + i]! * matrix[i * block + (at % block)]!;
    expect(value).toBeCloseTo(expected, 5);
  });
  hadamardInPlace(y, block);
  y.forEach((value, i) => {
    expect(value).toBeCloseTo(x[i]!, 6);
  });
});

test.each([
  [576, 64],
  [96, 32],
  [4096, 64],
  [7, 1],
])('rows of %i are transformed in blocks of %i', (width, block) => {
  expect(hadamardBlock(width)).toBe(block);
  const row = Float32Array.from({ length: width }, (_, i) => i);
  hadamardInPlace(row, block);
  if (block === 1) expect([...row]).toEqual(Array.from({ length: width }, (_, i) => i));
});
