import { expect, test } from 'vitest';
import { chooseLearningRate } from './defaults-from-data.ts';
import { jobHyperparameters, settingsOfHyperparameters } from './job-hyperparameters.ts';

const model = { architecture: 'llama', method: 'lora', modelWidth: 576 } as const;
const usual = chooseLearningRate(model);

test.each([
  [{}, {}],
  [{ n_epochs: 'auto', batch_size: 'auto', learning_rate_multiplier: 'auto' }, {}],
  [
    { n_epochs: 3, batch_size: null, learning_rate_multiplier: 1 },
    { epochs: 3, learningRate: usual },
  ],
  [
    { batch_size: 256, learning_rate_multiplier: 0.5 },
    { batchSize: 256, learningRate: usual / 2 },
  ],
])('%j becomes the settings %j', (given, settings) => {
  expect(settingsOfHyperparameters(jobHyperparameters.parse(given), model)).toEqual(settings);
});

test('the multiplier multiplies what tune takes for that model, also where every weight is trained', () => {
  const full = { ...model, method: 'full' } as const;
  expect(settingsOfHyperparameters({ learning_rate_multiplier: 2 }, full).learningRate).toBeCloseTo(
    2 * chooseLearningRate(full),
    9,
  );
});

test('a rate that tune would refuse is refused with both numbers', () => {
  expect(() => settingsOfHyperparameters({ learning_rate_multiplier: 1e6 }, model)).toThrow(
    `1000000 times this model's default learning rate of ${usual}`,
  );
});

test.each([
  { n_epochs: 0 },
  { n_epochs: 51 },
  { n_epochs: 1.5 },
  { n_epochs: 'three' },
  { batch_size: 257 },
  { batch_size: 0 },
  { learning_rate_multiplier: 0 },
  { learning_rate_multiplier: -1 },
  { warmup: 1 },
])('%j is refused', (given) => {
  expect(jobHyperparameters.safeParse(given).success).toBe(false);
});
