import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { packRows } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { type Projection, projections } from '../lora/adapter.ts';
import { initLora } from '../lora/init.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import { createFullStep, createLoraStep } from './open-step.ts';
import { SmallModel } from './small-model.ts';
import type { TrainStep } from './step.ts';

const root = join(import.meta.dirname, '../../test/fixtures/reference');

/** Rows whose first third is not supervised. */
function batchOf(...lengths: number[]): PackedBatch {
  const rows = lengths.map((length, r) => ({
    source: { file: 'test', line: r + 1 },
    tokens: Int32Array.from({ length }, (_, i) => 3 + ((i * 7 + r * 11 + i * i) % 50)),
    supervised: Uint8Array.from({ length }, (_, i) => Number(i > length / 3)),
  }));
  return packRows(rows, { packing: true, microBatchSize: null, maxTokens: 1e9, padToken: 0 })[0]!;
}

async function gradientsOf(step: TrainStep, batch: PackedBatch): Promise<{ loss: number; gradients: number[][] }> {
  step.clearGradients();
  // Twice: into arrays of zeros, and added to what is there.
  const { lossSum } = await step.accumulate([batch], 1 / batch.supervisedTokens, [0]);
  await step.accumulate([batch], 1 / batch.supervisedTokens, [0]);
  return { loss: lossSum, gradients: step.parameters.map(({ gradient }) => [...gradient]) };
}

afterEach(() => void vi.restoreAllMocks());

describe.each(['llama', 'qwen2', 'qwen3'])('%s in one call', (name) => {
  const model = openGguf(join(root, name, 'base.gguf'));
  const config = readModelConfig(model);
  const lora = () => {
    const dimensions = (projection: Projection) => projectionDimensions(config, projection);
    const shape = { rank: 4, alpha: 8, rslora: false, dropout: 0, targetModules: projections, baseModel: name };
    const adapter = initLora({ ...shape, seed: 1, layers: config.layers, dimensions });
    // B is zero at the start, and with it every gradient of A.
    for (const { b } of adapter.pairs) b.set(b.map((_, i) => Math.sin(i) / 50));
    return createLoraStep({ model, adapter, threads: 1 });
  };
  const full = () => createFullStep({ model, threads: 1 });

  test.each([
    ['an adapter, rows that fill their tiles', lora, batchOf(16, 16, 16)],
    ['an adapter, rows of several lengths', lora, batchOf(9, 30, 17)],
    ['every weight, rows that fill their tiles', full, batchOf(24, 24)],
    ['every weight, rows of several lengths', full, batchOf(9, 30, 17)],
  ])('%s: the loss and gradients of block by block', async (_, make, batch) => {
    const step = await make();
    const taken = vi.spyOn(SmallModel.prototype, 'accumulate');
    const whole = await gradientsOf(step, batch);
    expect(taken).toHaveBeenCalledTimes(2);
    vi.spyOn(SmallModel.prototype, 'takes').mockReturnValue(false);
    const byBlocks = await gradientsOf(step, batch);
    expect(taken).toHaveBeenCalledTimes(2);
    await step.close();
    expect(whole.loss / byBlocks.loss).toBeCloseTo(1, 6);
    byBlocks.gradients.forEach((theirs, p) => {
      const ours = whole.gradients[p]!;
      const size = Math.sqrt(theirs.reduce((sum, x) => sum + x * x, 0));
      const apart = Math.sqrt(theirs.reduce((sum, x, i) => sum + (x - ours[i]!) ** 2, 0));
      expect(size, step.parameters[p]!.name).toBeGreaterThan(0);
      expect(apart / size, step.parameters[p]!.name).toBeLessThan(1e-5);
    });
  });

  test('up to 16 million weights in all blocks together; not in int8, not with dropout', () => {
    const options = { dropout: false, precision: 'f32' } as const;
    // 262,144 weights in a block.
    const block = { ...config, modelWidth: 128, heads: 4, kvHeads: 4, headDim: 32, feedForward: 512 };
    expect(SmallModel.suits({ ...block, layers: 61 }, options)).toBe(true);
    expect(SmallModel.suits({ ...block, layers: 62 }, options)).toBe(false);
    expect(SmallModel.suits({ ...block, layers: 1 }, { ...options, precision: 'int8' })).toBe(false);
    expect(SmallModel.suits({ ...block, layers: 1 }, { ...options, dropout: true })).toBe(false);
  });

  test('takes no micro-batch with two sizes of tiles, or with rows longer than a tile', async () => {
    const step = await full();
    const taken = vi.spyOn(SmallModel.prototype, 'accumulate');
    await gradientsOf(step, batchOf(20, 50));
    await gradientsOf(step, batchOf(200));
    expect(taken).not.toHaveBeenCalled();
    await step.close();
  });
});
