/** Preferences against TRL: losses, gradients and 20 steps (bench/oracles/make_preference_cases.py); and what pairs share. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { relative } from '../../test/relative.ts';
import { packRows } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { type EvenAdapter, type LoraPair, projections } from '../lora/adapter.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import type { PreferenceMethod } from '../settings/methods.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { clipping } from './clip.ts';
import { createLoraStep } from './open-step.ts';
import { initAdamW, updateAdamW } from './optimizer.ts';
import { mismatched, type PreferenceSettings, Preferences, referenceOf, sumsBy } from './preferences.ts';
import type { TrainStep } from './step.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const llama = join(fixtures, 'reference/llama');
const model = openGguf(join(llama, 'base.gguf'));
const config = readModelConfig(model);
interface Case extends Partial<PreferenceSettings> {
  readonly name: string;
  readonly method: PreferenceMethod;
  readonly losses: readonly number[];
  readonly gradientNorms: readonly number[];
}
interface Pair {
  readonly prompt: readonly number[];
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
  readonly label: boolean;
}
const oracle = JSON.parse(readFileSync(join(fixtures, 'preferences/cases.json'), 'utf8')) as {
  learningRate: number;
  pairs: readonly Pair[];
  cases: readonly Case[];
};
const theirs = readSafetensors(join(fixtures, 'preferences/gradients.safetensors')).tensors;

function adapter(): EvenAdapter {
  const { tensors } = readSafetensors(join(llama, 'lora.start.safetensors'));
  const pairs: LoraPair[] = [];
  for (let layer = 0; layer < config.layers; layer++)
    for (const projection of projections) {
      const module = /^[qkvo]_/.test(projection) ? 'self_attn' : 'mlp';
      const base = `base_model.model.model.layers.${layer}.${module}.${projection}`;
      const [a, b] = ['A', 'B'].map((side) => tensors.get(`${base}.lora_${side}.weight`)!.float32()) as [
        Float32Array,
        Float32Array,
      ];
      pairs.push({ layer, projection, rank: 4, alpha: 8, a, b, ...projectionDimensions(config, projection) });
    }
  return { rank: 4, alpha: 8, rslora: false, dropout: 0, targetModules: projections, baseModel: 'llama', pairs };
}

const answer = (prompt: readonly number[], said: readonly number[]) => ({
  tokens: Int32Array.from([...prompt, ...said]),
  supervised: Uint8Array.from([...prompt.map(() => 0), ...said.map(() => 1)]),
});
const pairRows = (pairs = oracle.pairs): TokenRow[] =>
  pairs.map(({ chosen, prompt, rejected }, line) => ({
    ...answer(prompt, chosen),
    rejected: answer(prompt, rejected),
    source: { file: 'made', line },
  }));
const labelledRows = (): TokenRow[] =>
  oracle.pairs.map(({ chosen, label, prompt }, line) => ({
    ...answer(prompt, chosen),
    label,
    source: { file: 'made', line },
  }));

const usual: Omit<PreferenceSettings, 'method'> = {
  beta: 0.1,
  lossType: 'sigmoid',
  labelSmoothing: null,
  gamma: null,
  sftShare: 0,
  desirableWeight: 1,
  undesirableWeight: 1,
  sequenceLength: 512,
};
const pack = (rows: readonly TokenRow[], sharesPairs: boolean, maxTokens = 64): PackedBatch[] =>
  packRows(rows, { packing: true, microBatchSize: null, maxTokens, padToken: 0, sharesPairs });
const sumsWith = (step: TrainStep, shares: boolean) =>
  sumsBy(
    step,
    (rows) => pack(rows, shares).map((batch) => [batch]),
    () => Promise.resolve(),
  );

/** The step, and what its base gives without an adapter. */
async function opened(settings: PreferenceSettings, rows: readonly TokenRow[], shares: boolean) {
  const step = await createLoraStep({ model, adapter: adapter(), threads: 2 });
  const start = step.parameters.map(({ value }) => value.slice());
  for (const { value } of step.parameters) value.fill(0);
  const reference = await referenceOf(settings, [rows], sumsWith(step, shares));
  step.parameters.forEach(({ value }, i) => {
    value.set(start[i]!);
  });
  return { step, preferences: Preferences.of(settings, reference)! };
}

async function computed(
  { preferences, step }: Awaited<ReturnType<typeof opened>>,
  rows: readonly TokenRow[],
  shares: boolean,
) {
  const batches = pack(rows, shares);
  const batch = await preferences.begin(batches, sumsWith(step, shares));
  step.clearGradients();
  for (const each of batches) await step.accumulate([each], batch.lossOf, [0]);
  return batch;
}

const close = (ours: number, expected: number): void =>
  expect(Math.abs(ours - expected)).toBeLessThan(1e-4 * Math.max(Math.abs(expected), 0.1));

describe.each(oracle.cases.map((each, index) => ({ ...each, index })))(
  '$name',
  ({ index, losses, gradientNorms, name: _, ...given }) => {
    test.each([true, false])('losses, gradients and 20 steps are those of TRL, prompts shared: %s', async (shares) => {
      const settings = { ...usual, ...given };
      const rows = settings.method === 'kto' ? labelledRows() : pairRows();
      const open = await opened(settings, rows, shares);
      const { parameters } = open.step;
      const optimizer = initAdamW(parameters);
      for (const [step, loss] of losses.entries()) {
        const batch = await computed(open, rows, shares);
        close(batch.loss, loss);
        if (step === 0)
          for (const [name, tensor] of theirs) {
            if (!name.startsWith(`${index}.`)) continue;
            const own = parameters.find((each) => name.endsWith(each.name))!;
            expect(relative(own.gradient, tensor.float32()), name).toBeLessThan(1e-4);
          }
        const { factor, norm } = clipping(parameters, 1);
        close(norm, gradientNorms[step]!);
        updateAdamW(parameters, optimizer, oracle.learningRate, { weightDecay: 0, beta2: 0.999, clip: factor });
      }
      await open.step.close();
    });
  },
);

test('the oracle has every case, each with gradients', () => {
  expect(oracle.cases.length).toBe(8);
  expect(theirs.size).toBe(16);
});

describe('a prompt that two answers share', () => {
  /** Within a tile, of several tiles, beyond a chunk, and many at once. */
  const shapes = [[20, 9, 14], [70, 30, 25], [200, 90, 130], [300, 300, 280], [12, 5, 140]] as const; // biome-ignore format: a table
  const rows = pairRows(
    shapes.map(([prompt, chosen, rejected], i) => {
      const tokens = (count: number, by: number): number[] =>
        Array.from({ length: count }, (_, t) => (t * by + i * 17 + (t % 7)) % config.vocabulary);
      return { prompt: tokens(prompt, 5), chosen: tokens(chosen, 3), rejected: tokens(rejected, 11), label: true };
    }),
  );
  const steps: TrainStep[] = [];
  afterAll(() => Promise.all(steps.map((step) => step.close())));

  test.each(['keep', 'recompute'] as const)(
    'gradients are those of answers by themselves, activations: %s',
    async (activations) => {
      const step = await createLoraStep({ model, adapter: adapter(), threads: 2, activations });
      steps.push(step);
      const preferences = Preferences.of({ ...usual, method: 'dpo' }, { answers: new Map(), mismatched: new Map() })!;
      const gradients = async (shares: boolean, maxTokens: number) => {
        const batches = pack(rows, shares, maxTokens);
        const batch = await preferences.begin(batches, sumsWith(step, shares));
        step.clearGradients();
        for (const each of batches) await step.accumulate([each], batch.lossOf, [0]);
        const tokens = batches.reduce((sum, each) => sum + each.tokens.length, 0);
        return { tokens, loss: batch.loss, all: step.parameters.map(({ gradient }) => gradient.slice()) };
      };
      const [alone, shared, together] = [
        await gradients(false, 1),
        await gradients(true, 1),
        await gradients(true, 1e6),
      ];
      expect(alone.tokens - shared.tokens).toBe(shapes.reduce((sum, [prompt]) => sum + prompt - 1, 0));
      for (const { all, loss } of [shared, together]) {
        expect(loss).toBeCloseTo(alone.loss, 4);
        const [ours, theirs] = [all, alone.all].map((each) => Float32Array.from(each.flatMap((one) => [...one])));
        expect(relative(ours!, theirs!)).toBeLessThan(1e-6);
      }
    },
  );
});

test('answers that do not belong are those of the row before, and fit', () => {
  const made = mismatched(labelledRows(), 12);
  const [first] = made;
  expect([...first!.tokens]).toEqual([...oracle.pairs[0]!.prompt, ...oracle.pairs[3]!.chosen].slice(0, 12));
  expect(made.every(({ supervised }) => supervised.includes(1))).toBe(true);
  expect(Math.max(...made.map(({ tokens }) => tokens.length))).toBe(26);
});
