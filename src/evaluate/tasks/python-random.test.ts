import { expect, test } from 'vitest';
import { PythonRandom } from './python-random.ts';

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

// random.Random(seed) of CPython 3.11: sample(range(100), 5) twice, then of 10 three, of 1000 eight, of 7473 five, of 30 eight.
test.each([
  [1234, [[99, 56, 14, 0, 11], [74, 4, 85, 88, 10], [1, 5, 3], [17, 31, 807, 16, 354, 663, 638, 495], [5044, 3797, 1216, 747, 1499], [22, 3, 27, 0, 16, 15, 7, 2]]],
  [0, [[49, 97, 53, 5, 33], [65, 62, 51, 38, 61], [5, 3, 2], [288, 143, 773, 97, 633, 818, 256, 931], [4362, 5776, 6637, 4930, 7390], [4, 9, 3, 23, 2, 21, 10, 15]]],
  [7, [[41, 19, 50, 83, 6], [9, 68, 12, 46, 74], [0, 8, 3], [38, 88, 444, 428, 71, 246, 92, 564], [3477, 484, 6773, 4632, 1014], [7, 20, 28, 18, 1, 26, 24, 12]]],
])('samples are those of random.Random(%i)', (seed, expected) => {
  const random = new PythonRandom(seed);
  expect([100, 100, 10, 1000, 7473, 30].map((count, i) => random.sample(range(count), expected[i]!.length))).toEqual(expected);
}); // biome-ignore format: draws
