/** A loss of log-probabilities, against the cross-entropy whose weights are known beforehand. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relative } from '../../test/relative.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { Random } from '../batches/random.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { type EvenAdapter, projections } from '../lora/adapter.ts';
import { initLora } from '../lora/init.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import { quantizeModel } from './int8-model.ts';
import { createFullStep, createLoraStep } from './open-step.ts';
import type { Loss, TrainStep } from './step.ts';

const model = openGguf(join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf'));
const config = readModelConfig(model);
const threads = 2;

/** Two rows, the longer first, so that the step computes them in another order than they are given. */
function batchOf(weights?: Float32Array): PackedBatch {
  const tokens = Int32Array.from({ length: 31 }, (_, n) => (n * 37 + 5) % config.vocabulary);
  const positions = Int32Array.from(tokens, (_, n) => (n < 20 ? n : n - 20));
  const supervised = Uint8Array.from(positions, (position) => Number(position > 3));
  const supervisedTokens = supervised.reduce((a, b) => a + b, 0);
  const segmentStarts = Int32Array.from([0, 20, 31]);
  return {
    tokens,
    positions,
    supervised,
    segmentStarts,
    supervisedTokens,
    realTokens: 31,
    ...(weights ? { weights } : {}),
  };
}

/** Weights that differ for every token. */
const fractions = Float32Array.from({ length: 31 }, (_, n) => (n + 1) / 32);

function adapterOf(): EvenAdapter {
  const adapter = initLora({
    rank: 4,
    alpha: 8,
    rslora: false,
    dropout: 0,
    targetModules: projections,
    seed: 1,
    baseModel: 'test',
    layers: config.layers,
    dimensions: (p) => projectionDimensions(config, p),
  });
  const random = new Random(5, 6);
  for (const { b } of adapter.pairs) b.set(b.map(() => random.uniform() - 0.5));
  return adapter;
}

async function gradients(step: TrainStep, batch: PackedBatch, loss: Loss) {
  step.clearGradients();
  const sums = await step.accumulate([batch], loss, [0]);
  return { ...sums, gradients: step.parameters.map(({ gradient }) => gradient.slice()) };
}

describe.each(['f32', 'int8'])('%s', (precision) => {
  let step: TrainStep;
  beforeAll(async () => {
    const { weights } = await quantizeModel({ model, compared: batchOf(), threads, levels: 127 });
    const own = precision === 'int8' ? { weights } : {};
    step = await createLoraStep({ model, adapter: adapterOf(), threads, oneCall: false, ...own });
  });
  afterAll(() => step.close());

  test('is the cross-entropy to the last bit where scaling is exact, by a power of two', async () => {
    const known = await gradients(step, batchOf(), 1 / 32);
    let seen = new Float32Array();
    const later = await gradients(step, batchOf(), (logp) => {
      seen = logp.slice();
      return logp.map(() => -1 / 32);
    });
    expect(later).toEqual(known);
    // The graph without a gradient sums in another order.
    expect(relative(seen, (await step.logProbabilities([batchOf()]))[0]!)).toBeLessThan(1e-6);
    expect(later.gradients.some((gradient) => gradient.some((value) => value !== 0))).toBe(true);
  });

  test('by another scale both ways round once more or less: they agree to float32', async () => {
    const known = await gradients(step, batchOf(), 1 / 27);
    const later = await gradients(step, batchOf(), (logp) => logp.map(() => -1 / 27));
    later.gradients.forEach((gradient, i) => {
      expect(relative(gradient, known.gradients[i]!)).toBeLessThan(1e-5);
    });
  });

  test('weights come to their own tokens, though rows are computed in another order', async () => {
    const batch = batchOf(fractions);
    const known = await gradients(step, batch, 1 / 32);
    const targets = [...batch.supervised.keys()].filter((n) => batch.supervised[n] === 1);
    const later = await gradients(step, batch, (logp) => logp.map((_, i) => -fractions[targets[i]!]! / 32));
    expect(later.lossSum).toBe(known.lossSum);
    later.gradients.forEach((gradient, i) => {
      expect(relative(gradient, known.gradients[i]!)).toBeLessThan(1e-5);
    });
    const logp = (await step.logProbabilities([batch]))[0]!;
    const sum = targets.reduce((total, n, i) => total - fractions[n]! * logp[i]!, 0);
    expect(known.lossSum).toBeCloseTo(sum, 3);
    const reversed = await gradients(step, batch, (values) =>
      values.map((_, i) => -fractions[targets.at(-1 - i)!]! / 32),
    );
    expect(relative(reversed.gradients[0]!, known.gradients[0]!)).toBeGreaterThan(0.01);
  });
});

test('a small model in one call takes fractional weights as well', async () => {
  const open = (oneCall: boolean) => createLoraStep({ model, adapter: adapterOf(), threads, oneCall });
  const [one, many] = [await open(true), await open(false)];
  const [ours, theirs] = [
    await gradients(one, batchOf(fractions), 1 / 32),
    await gradients(many, batchOf(fractions), 1 / 32),
  ];
  expect(ours.lossSum).toBeCloseTo(theirs.lossSum, 3);
  ours.gradients.forEach((gradient, i) => {
    expect(relative(gradient, theirs.gradients[i]!)).toBeLessThan(1e-4);
  });
  await one.close();
  await many.close();
});

test('a head that is trained is refused', async () => {
  const step = await createFullStep({ model, threads, oneCall: false });
  await expect(step.accumulate([batchOf()], (logp) => logp, [0])).rejects.toThrow('wants a head that is not trained');
  await step.close();
});
