/** The loss that weights of rows and tokens make, against its plain definition: the sum of w times -ln p, over the sum of w. */
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runSettings } from '../../test/made-runs.ts';
import { packAlone } from '../batches/pack.ts';
import type { RunEvent } from '../events.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { projections } from '../lora/adapter.ts';
import { initLora } from '../lora/init.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { createLoraStep } from './open-step.ts';
import { initAdamW } from './optimizer.ts';
import { noReference, Preferences } from './preferences.ts';
import { trainLoop } from './trainer.ts';
import { noSteps } from './trainer-state.ts';

const model = openGguf(join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf'));
const config = readModelConfig(model);
const adapter = initLora({
  rank: 4,
  alpha: 8,
  rslora: false,
  dropout: 0,
  targetModules: projections,
  seed: 1,
  baseModel: 'test',
  layers: config.layers,
  dimensions: (projection) => projectionDimensions(config, projection),
});
const step = await createLoraStep({ model, adapter, threads: 1 });
afterAll(async () => {
  await step.close();
  model.close();
});

const row = (line: number, weights?: readonly number[]): TokenRow => ({
  tokens: Int32Array.from({ length: 6 }, (_, t) => (t * 37 + line * 11) % config.vocabulary),
  supervised: Uint8Array.of(0, 0, 1, 1, 1, 1),
  ...(weights ? { weights: Float32Array.from(weights) } : {}),
  source: { file: 'made', line },
});

/** One step on these rows, which are the held-out ones too. */
async function learnt(
  rows: readonly TokenRow[],
  flags: Record<string, unknown> = {},
  preferences: Preferences | null = null,
) {
  const settings = runSettings({
    learningRate: '1e-8',
    warmupSteps: '0',
    batchSize: '4',
    maxGradientNorm: '1e6',
    ...flags,
  });
  const loop = trainLoop({
    step,
    optimizer: initAdamW(step.parameters),
    train: rows,
    validation: rows,
    steps: 1,
    settings,
    preferences,
    prefix: 0,
    state: noSteps(),
    initial: null,
    maxTokens: 512,
    save: () => ({ type: 'notice', code: 'cache', message: 'saved' }),
    shrunk: () => {},
    signal: new AbortController().signal,
  });
  const events: RunEvent[] = [];
  for await (const event of loop) events.push(event);
  const end = events.find((event) => event.type === 'step-end')!;
  const held = events.find((event) => event.type === 'validation')!;
  return { loss: end.loss, held: held.loss, gradients: step.parameters.map(({ gradient }) => gradient.slice()) };
}

test('a batch is the mean of its tokens by their weights, and so is what is held out', async () => {
  const rows = [row(1, [1, 1, 0.5, 0.25, 2, 0]), row(2), row(3, [1, 1, 3, 3, 3, 3])];
  const found = await learnt(rows);
  let [sum, total] = [0, 0];
  const gradients = step.parameters.map(({ gradient }) => new Float64Array(gradient.length));
  for (const { weights, ...each } of rows)
    for (let t = 2; t < 6; t++) {
      // One token alone, as if nothing else were learnt.
      const only = { ...each, supervised: Uint8Array.from({ length: 6 }, (_, at) => Number(at === t)) };
      const weight = weights?.[t] ?? 1;
      step.clearGradients();
      sum += weight * (await step.accumulate([packAlone(only)], 1, [0])).lossSum;
      total += weight;
      step.parameters.forEach(({ gradient }, i) => {
        for (let k = 0; k < gradient.length; k++) gradients[i]![k]! += weight * gradient[k]!;
      });
    }
  expect(total).toBe(2.75 + 4 + 12);
  expect(found.loss).toBeCloseTo(sum / total, 5);
  expect(found.held).toBeCloseTo(sum / total, 5);
  found.gradients.forEach((gradient, i) => {
    gradient.forEach((value, k) => {
      expect(value).toBeCloseTo(gradients[i]![k]! / total, 6);
    });
  });
});

test('weights that are all the same change nothing', async () => {
  const plain = await learnt([row(1), row(2)]);
  const doubled = await learnt([row(1, Array(6).fill(2)), row(2, Array(6).fill(2))]);
  expect(doubled.loss).toBeCloseTo(plain.loss, 5);
});

test('a pair that counts three times is a pair that stands there three times', async () => {
  const pair = (line: number, weight?: number): TokenRow => ({
    ...row(line),
    rejected: row(line + 7),
    ...(weight ? { weight } : {}),
  });
  for (const method of ['orpo', 'simpo'] as const) {
    const settings = { ...runSettings({ method }), beta: 0.5, gamma: 0.1 };
    const preferences = () => Preferences.of(settings, noReference);
    const thrice = await learnt([pair(1), pair(1), pair(1), pair(2)], { method }, preferences());
    const weighted = await learnt([pair(1, 3), pair(2)], { method }, preferences());
    expect(weighted.loss).toBeCloseTo(thrice.loss, 5);
    weighted.gradients.forEach((gradient, i) => {
      gradient.forEach((value, k) => {
        expect(value).toBeCloseTo(thrice.gradients[i]![k]!, 6);
      });
    });
  }
});
