/** A search on a bowl whose bottom is known. */
import { expect, it } from 'vitest';
import { mostWeight, searchWeights } from './search-weights.ts';

const bowl = ([a, b]: readonly number[]): Promise<number> => Promise.resolve((a! - 0.9) ** 2 + 2 * (b! - 0.2) ** 2);
const start = [
  [0.5, 0.5],
  [1, 1],
];

it('gets near the best weights, and the same seed tries the same', async () => {
  const told: number[] = [];
  const found = await searchWeights({ start, tries: 60, seed: 3, loss: bowl, onTry: (done) => told.push(done) });
  expect(found).toHaveLength(60);
  expect(told).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  // The price of weights draws them a little towards 0.
  expect(found[0]!.loss).toBeLessThan(0.01);
  expect(await searchWeights({ start, tries: 60, seed: 3, loss: bowl })).toEqual(found);
  expect(await searchWeights({ start, tries: 60, seed: 4, loss: bowl })).not.toEqual(found);
});

it('stays within its bounds, and never returns what is worse than the given', async () => {
  const far = await searchWeights({ start, tries: 40, seed: 0, loss: ([a, b]) => Promise.resolve(-a! - b!) });
  expect(Math.max(...far.flatMap(({ weights }) => weights))).toBe(mostWeight);
  const flat = await searchWeights({
    start,
    tries: 12,
    seed: 0,
    loss: async (weights) => (weights === start[0] ? 0 : Number.NaN),
  });
  expect(flat[0]!.weights).toEqual(start[0]);
});
