import { expect, test } from 'vitest';
import { LossWatch } from './divergence.ts';

const watch = (losses: readonly number[], vocabulary = 4096): LossWatch => {
  const watched = new LossWatch(vocabulary);
  for (const loss of losses) watched.see(loss);
  return watched;
};
const unknown = { before: null, after: null };
const times = (n: number, loss: number): number[] => Array.from({ length: n }, () => loss);

test.each<[string, number[], boolean, boolean]>([
  ['learns', [3, 2, 1, 1], false, false],
  ['learns nothing', times(50, 3), false, false],
  ['gets worse, but still knows more than nothing', [2, 4, 6, 7, 8], false, false],
  ['is torn apart', [8.3, 58, 103, 217, 133, 143, 141, 109], true, true],
  ['comes back', [8.3, 16.6, 16.3, 9.1, 16.1, 7.1, 6.6, 6.5], false, true],
  ['has hard batches among its last', [...times(40, 3), ...times(2, 12)], false, true],
  ['begins with a new model', [8.9, 8.7, 8.4, 8.2], false, false],
  ['begins worse than guessing', [12, 11, 12.5, 12.2], false, false],
])('a run that %s', (_, losses, torn, spiked) => {
  expect(watch(losses).tornApart(unknown)).toBe(torn);
  expect(watch(losses).spiked).toBe(spiked);
});

test('a validation of the result says more than the last batches', () => {
  const losses = [3, 100, 100, 100];
  expect(watch(losses).tornApart({ before: 3, after: 2 })).toBe(false);
  expect(watch([3, 3]).tornApart({ before: 3, after: 40 })).toBe(true);
});

test('a hundred steps above the bound are hopeless, fewer are not', () => {
  expect(watch([3, ...times(99, 30)]).hopeless).toBe(false);
  expect(watch([3, ...times(100, 30)]).hopeless).toBe(true);
  expect(watch([3, ...times(100, 30), 5]).hopeless).toBe(false);
});
