/** What all rows begin with, computed once: the loss and the gradients of rows that stand by themselves. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { relative } from '../../test/relative.ts';
import { packRows, sharedPrefix } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { Random } from '../batches/random.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { type EvenAdapter, projections } from '../lora/adapter.ts';
import { initLora } from '../lora/init.ts';
import { activationPolicies } from '../models/activation-policy.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { quantizeModel } from './int8-model.ts';
import { createFullStep, createLoraStep } from './open-step.ts';
import type { TrainStep } from './step.ts';

const pathOf = (name: string): string => join(import.meta.dirname, '../../test/fixtures/reference', name, 'base.gguf');

/** Rows of `prefix` common tokens and as many of their own as `lengths` say; all but the first of those are supervised. */
function rowsOf(prefix: number, lengths: readonly number[], vocabulary: number): TokenRow[] {
  return lengths.map((length, row) => ({
    tokens: Int32Array.from({ length: prefix + length }, (_, i) =>
      i < prefix ? (i * i + 3) % vocabulary : (i * 7 + row * 31 + (i % 5)) % vocabulary,
    ),
    supervised: Uint8Array.from({ length: prefix + length }, (_, i) => Number(i > prefix)),
    source: { file: 'made', line: row },
  }));
}

const packed = (rows: readonly TokenRow[], prefix: number): PackedBatch =>
  packRows(rows, { packing: true, microBatchSize: null, maxTokens: 1e9, padToken: 0, prefix })[0]!;

function adapterOf(name: string): EvenAdapter {
  const config = readModelConfig(openGguf(pathOf(name)));
  const adapter = initLora({
    rank: 4,
    alpha: 8,
    rslora: false,
    dropout: 0,
    targetModules: projections,
    seed: 1,
    baseModel: name,
    layers: config.layers,
    dimensions: (p) => projectionDimensions(config, p),
  });
  const random = new Random(5, 6);
  for (const { b } of adapter.pairs) b.set(b.map(() => random.uniform() - 0.5));
  return adapter;
}

interface Results {
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly logp: Float32Array;
}
async function resultsOf(step: TrainStep, batch: PackedBatch): Promise<Results> {
  step.clearGradients();
  const { lossSum, supervisedTokens } = await step.accumulate([batch], 1 / batch.supervisedTokens, [0]);
  const gradients = new Map(step.parameters.map(({ gradient, name }) => [name, gradient.slice()]));
  return { loss: lossSum / supervisedTokens, gradients, logp: (await step.logProbabilities([batch]))[0]! };
}

/** Largest relative distance of a gradient, and of the log-probabilities. */
async function apart(step: TrainStep, prefix: number, lengths: readonly number[], vocabulary: number): Promise<number> {
  const rows = rowsOf(prefix, lengths, vocabulary);
  expect(sharedPrefix(rows)).toBe(prefix);
  const shared = packed(rows, prefix);
  expect(shared.tokens.length).toBe(prefix + lengths.reduce((a, b) => a + b));
  const ours = await resultsOf(step, shared);
  const theirs = await resultsOf(step, packed(rows, 0));
  expect(ours.loss).toBeCloseTo(theirs.loss, 3);
  const distances = [...ours.gradients].map(([name, gradient]) => relative(gradient, theirs.gradients.get(name)!));
  return Math.max(...distances, relative(ours.logp, theirs.logp));
}

/** Within a tile; beyond what is kept of it; beyond a tile. */
const prefixes = [12, 80, 150, 300];
/** Of every tile size, of more than a tile, and of more than two chunks. */
const lengths = [5, 9, 30, 60, 60, 100, 140, 300];

describe.each(['llama', 'qwen2', 'qwen3'])('%s', (name) => {
  const model = openGguf(pathOf(name));
  const { vocabulary } = readModelConfig(model);

  test.each(prefixes)('an adapter, %i tokens', async (prefix) => {
    for (const activations of activationPolicies) {
      const step = await createLoraStep({ model, adapter: adapterOf(name), threads: 2, activations });
      const bound = activations === 'float16' ? 5e-3 : 1e-4;
      expect(await apart(step, prefix, lengths, vocabulary)).toBeLessThan(bound);
      // The step's memory is used again: other lengths, then the same.
      expect(await apart(step, prefix, [20, 7], vocabulary)).toBeLessThan(bound);
      await step.close();
    }
  });
});

test('every weight, embeddings and norms included', async () => {
  const model = openGguf(pathOf('llama'));
  const step = await createFullStep({ model, threads: 2 });
  for (const prefix of prefixes)
    expect(await apart(step, prefix, lengths, readModelConfig(model).vocabulary)).toBeLessThan(1e-4);
  await step.close();
});

test('many rows after a long beginning take several calls', async () => {
  const model = openGguf(pathOf('llama'));
  const step = await createLoraStep({ model, adapter: adapterOf('llama'), threads: 2 });
  const many = Array.from({ length: 30 }, (_, i) => 10 + i);
  expect(await apart(step, 900, many, readModelConfig(model).vocabulary)).toBeLessThan(1e-4);
  await step.close();
});

test('int8: as close to rows by themselves as rounding the sum of their gradients allows', async () => {
  const model = openGguf(pathOf('llama'));
  const { vocabulary } = readModelConfig(model);
  const compared = packed(rowsOf(20, [30, 40], vocabulary), 0);
  const { weights } = await quantizeModel({ model, compared, threads: 2, levels: 127 });
  const step = await createLoraStep({ model, adapter: adapterOf('llama'), threads: 2, weights });
  expect(await apart(step, 20, [9, 30, 60], vocabulary)).toBeLessThan(0.03);
  await step.close();
});
