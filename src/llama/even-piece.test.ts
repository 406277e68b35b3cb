import { expect, test } from 'vitest';
import { largestPiece } from './even-piece.ts';

const bounds = { each: 32, together: 128 };
const piece = (lefts: readonly number[], orders = [...lefts.keys()]) =>
  largestPiece(
    lefts.map((left, i) => ({ left, order: orders[i]! })),
    bounds,
  );

test('most tokens are taken that equally long sequences beside each other have', () => {
  expect(piece([25, 3, 3, 2, 4])).toEqual({ first: 0, last: 0, each: 25 });
  expect(piece([4, 3, 3, 3, 1])).toEqual({ first: 0, last: 3, each: 3 });
  expect(piece([1, 1, 1, 1, 1, 1, 1, 3])).toEqual({ first: 0, last: 7, each: 1 });
});

test('sequences that have others between them are no neighbours', () => {
  expect(piece([5, 5, 5], [0, 2, 3])).toEqual({ first: 1, last: 2, each: 5 });
});

test('no sequence gets more than its bound, nor all together', () => {
  expect(piece([100])).toEqual({ first: 0, last: 0, each: 32 });
  expect(piece([100, 100, 100, 100, 100, 100, 100, 100])).toEqual({ first: 0, last: 3, each: 32 });
  expect(piece([20, 20, 20, 20, 20, 20, 20, 20])).toEqual({ first: 0, last: 7, each: 16 });
});
