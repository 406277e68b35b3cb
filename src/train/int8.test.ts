import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { relative } from '../../test/relative.ts';
import { packRows } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { writeGguf } from '../formats/gguf/write.ts';
import { input, int8Matmul, quantizeRows } from '../graph/graph.ts';
import { projections } from '../lora/adapter.ts';
import { initLora } from '../lora/init.ts';

import { type ActivationPolicy, activationPolicies } from '../models/activation-policy.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import { bytes, Executor, floats } from '../runtime/onnxruntime-node/executor.ts';
import { probeKernels, weightLevels } from '../runtime/onnxruntime-node/probe.ts';
import { diskStore } from './disk-store.ts';
import { quantizeModel } from './int8-model.ts';
import { createLoraStep, type LoraStepOptions } from './open-step.ts';
import type { TrainStep } from './step.ts';

const root = join(import.meta.dirname, '../../test/fixtures/reference');
const threads = 2;

/** Rows of a reference case, every token but the first supervised. */
function rowsOf(name: string) {
  const { tokens, lengths } = JSON.parse(readFileSync(join(root, name, 'case.json'), 'utf8')) as {
    tokens: number[][];
    lengths: number[];
  };
  return tokens.map((row, i) => ({
    tokens: Int32Array.from(row.slice(0, lengths[i])),
    supervised: new Uint8Array(lengths[i]!).fill(1, 1),
    source: { file: name, line: i + 1 },
  }));
}
const packed = (rows: ReturnType<typeof rowsOf>) =>
  packRows(rows, { packing: true, microBatchSize: null, maxTokens: 4096, padToken: 0 })[0]!;

/** An adapter whose B is not zero, so that every gradient has something to say. */
function adapterFor(path: string) {
  const config = readModelConfig(openGguf(path));
  const adapter = initLora({
    rank: 4,
    alpha: 8,
    dropout: 0,
    rslora: false,
    seed: 3,
    targetModules: projections,
    baseModel: 'test',
    layers: config.layers,
    dimensions: (projection) => projectionDimensions(config, projection),
  });
  for (const { a, b } of adapter.pairs)
    b.forEach((_, i) => {
      b[i] = 0.3 * a[i % a.length]!;
    });
  return adapter;
}

async function gradientsOf(step: TrainStep, batch: ReturnType<typeof packed>): Promise<Map<string, Float32Array>> {
  step.clearGradients();
  await step.accumulate([batch], 1 / batch.supervisedTokens, [0]);
  return new Map(step.parameters.map(({ name, gradient }) => [name, gradient.slice()]));
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((x, i) => {
    ab += x * b[i]!;
    aa += x * x;
    bb += b[i]! ** 2;
  });
  return ab / Math.sqrt(aa * bb);
}

describe.each(['llama', 'qwen2', 'qwen3'])('int8 base of %s', (name) => {
  const path = join(root, name, 'base.gguf');
  const rows = rowsOf(name);
  const batch = packed(rows);

  test('is close to float32, and so are the loss and each gradient', async () => {
    const levels = weightLevels(await probeKernels(threads));
    const model = openGguf(path);
    const { weights, divergence } = await quantizeModel({ model, compared: batch, threads, levels });
    expect(divergence).toBeGreaterThan(0);
    expect(divergence).toBeLessThan(0.01);
    const exact = await createLoraStep({ model, adapter: adapterFor(path), threads });
    const int8 = await createLoraStep({ model, adapter: adapterFor(path), threads, weights });
    const expected = (await exact.logProbabilities([batch]))[0]!;
    const got = (await int8.logProbabilities([batch]))[0]!;
    const difference = got.reduce((sum, x, i) => sum + Math.abs(x - expected[i]!), 0) / got.length;
    // Not the float32 path under another name, and yet near it.
    expect(difference).toBeGreaterThan(1e-6);
    expect(difference).toBeLessThan(0.1);
    const [theirs, ours] = [await gradientsOf(exact, batch), await gradientsOf(int8, batch)];
    expect(ours.size).toBe(readModelConfig(model).layers * 14);
    for (const [tensor, gradient] of ours) expect(cosine(gradient, theirs.get(tensor)!), tensor).toBeGreaterThan(0.95);
    await exact.close();
    await int8.close();
  });
});

test('an outlier channel of the inputs costs little', async () => {
  // The same model with one channel of each norm made 60 times as loud and its weights as much quieter: the same function in float32.
  const path = join(root, 'llama', 'base.gguf');
  const model = openGguf(path);
  const loud = 60;
  const out = join(mkdtempSync(join(tmpdir(), 'nomoat-int8-')), 'loud.gguf');
  const scaled = (tensor: string): Float32Array => {
    const values = model.readFloat32(tensor);
    const width = model.tensors.get(tensor)!.shape.at(-1)!;
    if (/norm\.weight$/.test(tensor) && /^blk/.test(tensor)) values[5]! *= loud;
    if (/(attn_[qkv]|ffn_(gate|up))\.weight$/.test(tensor))
      for (let i = 5; i < values.length; i += width) values[i]! /= loud;
    return values;
  };
  writeGguf(out, {
    metadata: model.metadata,
    tensors: [...model.tensors.values()].map(({ name, shape }) => ({
      name,
      shape,
      type: 'F32',
      bytes: () => new Uint8Array(scaled(name).buffer),
    })),
  });
  const batch = packed(rowsOf('llama'));
  const options = { compared: batch, threads, levels: 127 };
  // 0.018 where nothing is Hadamard-transformed.
  expect((await quantizeModel({ model: openGguf(out), ...options })).divergence).toBeLessThan(0.006);
});

describe('what a step holds', () => {
  const path = join(root, 'qwen3', 'base.gguf');
  const rows = rowsOf('qwen3');
  const batches = rows.map((row) => packed([row]));
  const scale = 1 / batches.reduce((sum, { supervisedTokens }) => sum + supervisedTokens, 0);

  /** Computed block by block, small as the model is. */
  const blockByBlock = (activations: ActivationPolicy) =>
    createLoraStep({ model: openGguf(path), adapter: adapterFor(path), threads, activations, oneCall: false });

  async function train(options: Partial<LoraStepOptions>, dropout = 0) {
    const adapter = { ...adapterFor(path), dropout };
    // Computed block by block, small as the model is.
    const step = await createLoraStep({ model: openGguf(path), adapter, threads, oneCall: false, ...options });
    let lossSum = 0;
    if (step.together) lossSum = (await step.accumulate(batches, scale, [1, 2, 3])).lossSum;
    else
      for (const [i, batch] of batches.entries()) lossSum += (await step.accumulate([batch], scale, [i + 1])).lossSum;
    const held = await step.logProbabilities(batches);
    const gradients = step.parameters.map(({ gradient }) => gradient.slice());
    await step.close();
    return { lossSum, held, gradients };
  }

  test('recomputed activations give the same bits as kept ones, dropout included', async () => {
    expect(await train({ activations: 'recompute' }, 0.3)).toEqual(await train({ activations: 'keep' }, 0.3));
  });

  test('activations as float16 give nearly the same gradients, and the same losses', async () => {
    const [kept, half] = [await train({ activations: 'keep' }, 0.3), await train({ activations: 'float16' }, 0.3)];
    expect([half.lossSum, half.held]).toEqual([kept.lossSum, kept.held]);
    for (const [i, gradient] of half.gradients.entries()) {
      expect(gradient).not.toEqual(kept.gradients[i]);
      expect(relative(gradient, kept.gradients[i]!)).toBeLessThan(2e-3);
    }
  });

  test.each(activationPolicies)('several micro-batches in a call give the same bits: %s', async (activations) => {
    const apart = await train({ activations });
    const step = await blockByBlock(activations);
    const { lossSum } = await step.accumulate(batches, scale, [1, 2, 3]);
    expect(lossSum).toBeCloseTo(apart.lossSum, 5);
    step.parameters.forEach(({ gradient, name }, i) => {
      expect(gradient, name).toEqual(apart.gradients[i]);
    });
    await step.close();
  });

  test.each(activationPolicies)('memory let go of and taken again changes nothing: %s', async (activations) => {
    const step = await blockByBlock(activations);
    const once = async (batch: PackedBatch) => {
      step.clearGradients();
      const { lossSum } = await step.accumulate([batch], scale, [1]);
      return [lossSum, ...step.parameters.map(({ gradient }) => gradient.slice())];
    };
    const whole = packed(rows);
    const before = await once(whole);
    await step.release();
    // Smaller arrays first, which then have to grow.
    await once(batches[0]!);
    expect(await once(whole)).toEqual(before);
    await step.close();
  });

  test('layers from the disk, all micro-batches at once, give the gradients of layers in memory', async () => {
    const model = openGguf(path);
    const options = { model, compared: packed(rows), threads, levels: 127 };
    const file = join(mkdtempSync(join(tmpdir(), 'nomoat-int8-')), 'layers');
    const memory = await train({ weights: (await quantizeModel(options)).weights });
    const { weights } = await quantizeModel({ ...options, store: diskStore(file) });
    expect(weights.streamed).toBe(true);
    const disk = await train({ weights, activations: 'recompute' });
    expect(disk.lossSum).toBeCloseTo(memory.lossSum, 5);
    expect(disk.held).toEqual(memory.held);
    disk.gradients.forEach((gradient, i) => {
      expect(cosine(gradient, memory.gradients[i]!)).toBeGreaterThan(1 - 1e-6);
    });
    expect(existsSync(file)).toBe(false);
  });
});

/** Largest relative error of an int8 product whose weights are all `level`, or `-level` in every other column. */
async function errorAt(level: number): Promise<number> {
  const [rows, inner, columns] = [5, 96, 8];
  const x = input('x', ['N', inner]);
  const weight = { values: input('w', [inner, columns], 'int8'), scale: input('s', [columns]) };
  const y = int8Matmul(quantizeRows(x), weight);
  const executor = await Executor.create(new Map([['y', y]]), threads);
  const sign = (column: number): number => (column % 2 ? -1 : 1);
  const out = new Float32Array(rows * columns);
  const inputs = new Map([
    ['x', floats(new Float32Array(rows * inner).fill(3), [rows, inner])],
    [
      'w',
      bytes(
        Int8Array.from({ length: inner * columns }, (_, i) => sign(i % columns) * level),
        [inner, columns],
      ),
    ],
    ['s', floats(new Float32Array(columns).fill(1 / level), [columns])],
  ]);
  await executor.run(inputs, new Map([['y', floats(out, [rows, columns])]]));
  await executor.close();
  return Math.max(...out.map((value, i) => Math.abs(value / (3 * inner) - sign(i % columns))));
}

test('the probe measures both kernels, and products of weights within its bound do not saturate', async () => {
  const probe = await probeKernels(threads);
  expect(probe.int8Rate).toBeGreaterThan(0);
  expect(probe.float32Rate).toBeGreaterThan(0);
  // Activations are rounded to 127 steps.
  const rounding = 0.01;
  expect(await errorAt(weightLevels(probe))).toBeLessThan(rounding);
  expect((await errorAt(127)) > rounding).toBe(probe.saturates);
});

test('an int8 head rounds by the seed of the micro-batch: equal seeds give equal gradients, others give others', async () => {
  const path = join(root, 'llama', 'base.gguf');
  const batch = packed(rowsOf('llama'));
  const model = openGguf(path);
  const { weights } = await quantizeModel({ model, compared: batch, threads, levels: 127 });
  const step = await createLoraStep({ model, adapter: adapterFor(path), threads, weights });
  const of = async (seed: number): Promise<Float32Array[]> => {
    step.clearGradients();
    await step.accumulate([batch], 1 / batch.supervisedTokens, [seed]);
    return step.parameters.map(({ gradient }) => gradient.slice());
  };
  const once = await of(1);
  expect(await of(1)).toEqual(once);
  expect(await of(2)).not.toEqual(once);
  await step.close();
});
