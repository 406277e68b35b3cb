import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { initLora } from '../lora/init.ts';
import { loraWeights, projectionDimensions, readModelConfig } from '../models/config.ts';
import { assertDiskHolds, runBytes } from './disk-space.ts';

test('a disk that is too small is refused with both figures', () => {
  const run = join(import.meta.dirname, 'not', 'yet', 'there');
  const needed = runBytes(135_000_000, 'full');
  const refusal = (): void => assertDiskHolds(run, needed, 1e9);
  expect(refusal).toThrow(NomoatError);
  expect(refusal).toThrow(/has 1.0 GB free.*take up to 7.3 GB/);
  expect(() => assertDiskHolds(run, needed, needed)).not.toThrow();
  expect(() => assertDiskHolds(run, needed, null)).not.toThrow();
  // The real disk, which nobody has this much of.
  expect(() => assertDiskHolds(run, 1e18)).toThrow(/GB free/);
});

test('pretraining also holds its starting model, LoRA only its adapter', () => {
  expect(runBytes(1000, 'lora')).toBe(48_000);
  expect(runBytes(1000, 'lora', { goesOn: true })).toBe(52_000);
  expect(runBytes(1000, 'lora', { keepEpochs: 3 })).toBe(84_000);
  expect(runBytes(1000, 'full')).toBe(54_000);
  expect(runBytes(1000, 'pretrain')).toBe(58_000);
});

test('the weights of a LoRA run are those of the adapter that it makes', () => {
  const model = openGguf(join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf'));
  const config = readModelConfig(model);
  const targetModules = ['q_proj', 'down_proj'] as const;
  const { pairs } = initLora({
    rank: 4,
    alpha: 8,
    dropout: 0,
    rslora: false,
    seed: 0,
    targetModules,
    baseModel: 'm',
    layers: config.layers,
    dimensions: (projection) => projectionDimensions(config, projection),
  });
  const made = pairs.reduce((sum, { a, b }) => sum + a.length + b.length, 0);
  expect(loraWeights(readModelConfig(model), { rank: 4, targetModules })).toBe(made);
  model.close();
});
