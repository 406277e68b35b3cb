/** The average of a run's last checkpoints: of what they add to the weights, not of their factors. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { addProduct } from '../adapter/low-rank.ts';
import { readAdapter } from '../adapter/read-adapter.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { tune } from '../index.ts';
import { type LoraAdapter, loraScale } from '../lora/adapter.ts';
import { mergeAdapters } from './merge-adapters.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-checkpoints-'));
vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
const base = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const model = openGguf(base);
afterAll(() => {
  model.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
const data = join(folder, 'data.jsonl');
writeFileSync(
  data,
  Array.from({ length: 8 }, (_, i) => JSON.stringify({ prompt: `is ${i} odd`, completion: i % 2 ? 'yes' : 'no' })).join(
    '\n',
  ),
);

/** What an adapter adds to its first matrix, [out, in]. */
function update({ pairs, rslora }: LoraAdapter): Float32Array {
  const pair = pairs[0]!;
  const product = new Float32Array(pair.outFeatures * pair.inFeatures);
  addProduct(product, pair, loraScale({ ...pair, rslora }));
  return product;
}

test('is of their products, exactly, and of the rank that is asked for; where there are too few it is refused', async () => {
  const run = join(folder, 'run');
  const settings = { data, model: base, run, epochs: 4, batchSize: 4, keepEpochs: 3, learningRate: 0.02, rank: 2 };
  await tune({ ...settings, warmupSteps: 0, threads: 1, safetyShare: 0 }).result;
  const names = readdirSync(join(run, 'checkpoints')).slice(-3);
  const updates = names.map((name) => update(readAdapter(join(run, 'checkpoints', name), model)));
  const expected = updates[0]!.map((_, i) => (updates[0]![i]! + updates[1]![i]! + updates[2]![i]!) / 3);
  const out = join(folder, 'mean');
  const merged = await mergeAdapters([run], { base, out, lastCheckpoints: 3 });
  expect(merged).toMatchObject({ rank: 6, discarded: 0, weights: [1 / 3, 1 / 3, 1 / 3] });
  const mean = update(readAdapter(out, model));
  mean.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 6);
  });
  const size = (values: Float32Array): number => Math.hypot(...values);
  const apart = expected.map((value, i) => value - updates[2]![i]!);
  // The steps were large enough for the last checkpoint to be another.
  expect(size(apart) / size(expected)).toBeGreaterThan(0.05);
  const low = await mergeAdapters([run], { base, out: join(folder, 'low'), lastCheckpoints: 3, rank: 2 });
  expect(low.rank).toBe(2);
  expect(low.discarded).toBeGreaterThan(0);
  const few = mergeAdapters([run], { base, out: join(folder, 'few'), lastCheckpoints: 9 });
  await expect(few).rejects.toThrow(/keeps \d checkpoints, and 9 are to be averaged.*`keepEpochs: 9`/);
  const none = mergeAdapters([out], { base, out: join(folder, 'none'), lastCheckpoints: 2 });
  await expect(none).rejects.toThrow(/is no run, and only runs have checkpoints/);
}, 60_000);
