/** DFT against 20 steps of TRL's trainer, and NEFTune against transformers' hook (bench/oracles/make_token_loss_cases.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { packRows } from '../batches/pack.ts';
import { type PackedBatch, totalWeight } from '../batches/packed-batch.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { type EvenAdapter, type LoraPair, projections } from '../lora/adapter.ts';
import { dynamicLoss } from '../losses/token-losses.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { batchLoss } from './batch-loss.ts';
import { clipping } from './clip.ts';
import { addNoise } from './neftune.ts';
import { createLoraStep } from './open-step.ts';
import { initAdamW, updateAdamW } from './optimizer.ts';
import type { Loss, LossOfTokens } from './step.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const llama = join(fixtures, 'reference/llama');
const model = openGguf(join(llama, 'base.gguf'));
afterAll(() => model.close());
const config = readModelConfig(model);
const oracle = JSON.parse(readFileSync(join(fixtures, 'preferences/token-losses.json'), 'utf8')) as {
  learningRate: number;
  losses: readonly number[];
  gradientNorms: readonly number[];
  noise: readonly { tokens: number; width: number; alpha: number; largest: number; deviation: number }[];
};
const { pairs } = JSON.parse(readFileSync(join(fixtures, 'preferences/cases.json'), 'utf8')) as {
  pairs: readonly { prompt: readonly number[]; chosen: readonly number[] }[];
};
const rows = pairs.map(
  ({ chosen, prompt }, line): TokenRow => ({
    tokens: Int32Array.from([...prompt, ...chosen]),
    supervised: Uint8Array.from([...prompt.map(() => 0), ...chosen.map(() => 1)]),
    source: { file: 'made', line },
  }),
);
const pack = (maxTokens: number): PackedBatch[] =>
  packRows(rows, { packing: true, microBatchSize: null, maxTokens, padToken: 0 });

function adapter(): EvenAdapter {
  const { tensors } = readSafetensors(join(llama, 'lora.start.safetensors'));
  const made = Array.from({ length: config.layers }, (_, layer) =>
    projections.map((projection): LoraPair => {
      const module = /^[qkvo]_/.test(projection) ? 'self_attn' : 'mlp';
      const name = `base_model.model.model.layers.${layer}.${module}.${projection}`;
      const [a, b] = ['A', 'B'].map((side) => tensors.get(`${name}.lora_${side}.weight`)!.float32());
      return { layer, projection, rank: 4, alpha: 8, a: a!, b: b!, ...projectionDimensions(config, projection) };
    }),
  );
  return { rank: 4, alpha: 8, rslora: false, dropout: 0, targetModules: projections, baseModel: 'llama', pairs: made.flat() }; // biome-ignore format: one line of facts
}

const close = (ours: number, expected: number): void =>
  expect(Math.abs(ours - expected)).toBeLessThan(1e-4 * Math.max(Math.abs(expected), 0.1));

test.each([512, 24])('20 steps of DFT are those of TRL, in micro-batches of %i tokens', async (maxTokens) => {
  const step = await createLoraStep({ model, adapter: adapter(), threads: 1 });
  const optimizer = initAdamW(step.parameters);
  for (const [i, expected] of oracle.losses.entries()) {
    const batches = pack(maxTokens);
    const loss = batchLoss('dft', null, batches);
    step.clearGradients();
    let sum = 0;
    const seen: Loss = (logp, batch) => {
      sum += dynamicLoss(batch, logp, 1).sum;
      return (loss.of as LossOfTokens)(logp, batch);
    };
    for (const batch of batches) await step.accumulate([batch], seen, [0]);
    close(sum / totalWeight(batches), expected);
    const { factor, norm } = clipping(step.parameters, 1);
    close(norm, oracle.gradientNorms[i]!);
    updateAdamW(step.parameters, optimizer, oracle.learningRate, { weightDecay: 0, beta2: 0.999, clip: factor });
  }
  await step.close();
});

describe('NEFTune', () => {
  const noise = (segments: readonly number[], width: number, alpha: number, seed = 3): Float32Array => {
    const segmentStarts = Int32Array.from([0, ...segments.map((_, i) => segments.slice(0, i + 1).reduce((a, b) => a + b, 0))]); // biome-ignore format: one sum
    const tokens = new Int32Array(segmentStarts.at(-1)!);
    const x = new Float32Array(tokens.length * width);
    addNoise(x, { segmentStarts, tokens }, { alpha, seed });
    return x;
  };

  test.each(oracle.noise)('is as large as that of transformers for $tokens tokens', (given) => {
    const { alpha, deviation, largest, tokens, width } = given;
    const x = noise(Array(64).fill(tokens), width, alpha);
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    const variance = x.reduce((sum, value) => sum + value * value, 0) / x.length;
    expect(Math.sqrt(variance) / deviation).toBeCloseTo(1, 2);
    const most = x.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    expect(most).toBeLessThanOrEqual((alpha / Math.sqrt(tokens * width)) * (1 + 1e-6));
    expect(most / largest).toBeCloseTo(1, 2);
    expect(Math.abs(mean) / deviation).toBeLessThan(5 / Math.sqrt(x.length));
  });

  test('goes by the length of each row’s own segment, and by the seed', () => {
    const x = noise([16, 400], 64, 5);
    const most = (from: number, to: number): number => Math.max(...x.subarray(from * 64, to * 64).map(Math.abs));
    expect(most(0, 16) / most(16, 416)).toBeCloseTo(5, 1);
    expect(noise([16, 400], 64, 5)).toEqual(x);
    expect(noise([16, 400], 64, 5, 4)).not.toEqual(x);
  });

  test('is in training alone: a step’s gradients move with its seed, log-probabilities do not', async () => {
    const open = (neftuneAlpha: number, oneCall: boolean) =>
      createLoraStep({ model, adapter: adapter(), threads: 1, neftuneAlpha, oneCall });
    const [plain, noisy, whole] = [await open(0, false), await open(5, false), await open(5, true)];
    const gradients = async (step: typeof plain, seed: number): Promise<Float32Array> => {
      step.clearGradients();
      for (const batch of pack(512)) await step.accumulate([batch], 1, [seed]);
      return step.parameters[0]!.gradient.slice();
    };
    expect(await gradients(noisy, 1)).not.toEqual(await gradients(plain, 1));
    expect(await gradients(noisy, 1)).not.toEqual(await gradients(noisy, 2));
    // A small model in one call sees the same noise.
    const [ours, theirs] = [await gradients(whole, 1), await gradients(noisy, 1)];
    ours.forEach((value, i) => {
      expect(value).toBeCloseTo(theirs[i]!, 4);
    });
    expect(await noisy.logProbabilities(pack(512))).toEqual(await plain.logProbabilities(pack(512)));
    for (const step of [plain, noisy, whole]) await step.close();
  });
});
