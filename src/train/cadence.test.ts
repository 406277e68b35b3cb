import { expect, test } from 'vitest';
import { endsKeptEpoch, keptEpochEnds, validationInterval } from './cadence.ts';

test('validations are four in a run, or at the ends of epochs whose checkpoints are kept, or as they are set', () => {
  const settings = { batchSize: 4, keepEpochs: 0, validateEvery: null };
  expect(validationInterval(settings, 30, 40)).toBe(8);
  expect(validationInterval({ ...settings, keepEpochs: 1 }, 30, 39)).toBe(10);
  expect(validationInterval({ ...settings, keepEpochs: 1, validateEvery: 7 }, 30, 39)).toBe(7);
});

test('the last ends of epochs are kept', () => {
  expect(keptEpochEnds(9, 10, 3)).toEqual([]);
  expect(keptEpochEnds(35, 10, 2)).toEqual([30, 20]);
  expect(keptEpochEnds(40, 10, 9)).toEqual([40, 30, 20, 10]);
  expect([0, 5, 10, 20].filter((step) => endsKeptEpoch(step, 10, 1))).toEqual([10, 20]);
  expect(endsKeptEpoch(10, 10, 0)).toBe(false);
});
