import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relative } from '../../test/relative.ts';
import { packRows } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { type EvenAdapter, type LoraPair, projections } from '../lora/adapter.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import { loadKernels } from '../runtime/native/load.ts';
import { clipping } from './clip.ts';
import { createFullStep, createLoraStep } from './open-step.ts';
import { initAdamW, updateAdamW } from './optimizer.ts';
import type { TrainStep } from './step.ts';

const root = join(import.meta.dirname, '../../test/fixtures/reference');
interface Case {
  tokens: number[][];
  lengths: number[];
  labels: number[][];
  supervised_tokens: number;
  loss: number;
  losses: number[];
  gradient_norms_before_clipping: number[];
  lora: { r: number; alpha: number };
  optimizer: { lr: number; weight_decay: number };
}

function rowsToBatch(reference: Case, rows: number[], padded: boolean): PackedBatch {
  const tokens: number[] = [];
  const positions: number[] = [];
  const supervised: number[] = [];
  const segmentStarts = [0];
  let realTokens = 0;
  for (const r of rows) {
    const length = reference.lengths[r]!;
    realTokens += length;
    for (let t = 0; t < reference.tokens[r]!.length; t++) {
      if (t >= length && !padded) break;
      tokens.push(reference.tokens[r]![t]!);
      positions.push(t < length ? t : t - length);
      supervised.push(t < length && reference.labels[r]![t] !== -100 ? 1 : 0);
      if (t === length) segmentStarts.push(tokens.length - 1);
    }
    segmentStarts.push(tokens.length);
  }
  return {
    tokens: Int32Array.from(tokens),
    positions: Int32Array.from(positions),
    supervised: Uint8Array.from(supervised),
    segmentStarts: Int32Array.from(segmentStarts),
    realTokens,
    supervisedTokens: supervised.reduce((a, b) => a + b, 0),
  };
}

/** A small model is taken in one call, unless that is forbidden: both ways have to be right. */
const ways = ['llama', 'qwen2', 'qwen3'].flatMap((name) => [true, false].map((oneCall) => ({ name, oneCall })));

const { kernels } = loadKernels();
const adapterWays = [
  ...ways.map((way) => ({ ...way, engine: 'onnxruntime' as const })),
  ...['llama', 'qwen2', 'qwen3'].map((name) => ({ name, oneCall: false, engine: 'native' as const })),
].filter(({ engine }) => engine === 'onnxruntime' || kernels);

describe.each(adapterWays)(
  '$name against PyTorch and PEFT, in one call: $oneCall, engine $engine',
  ({ engine, name, oneCall }) => {
    const folder = join(root, name);
    const reference = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Case;
    const model = openGguf(join(folder, 'base.gguf'));
    const config = readModelConfig(model);
    const batch = rowsToBatch(reference, [0, 1, 2], false);
    const scale = 1 / reference.supervised_tokens;

    function adapterFrom(file: string, dropout = 0): EvenAdapter {
      const { tensors } = readSafetensors(join(folder, file));
      const { r: rank, alpha } = reference.lora;
      const pairs: LoraPair[] = [];
      for (let layer = 0; layer < config.layers; layer++) {
        for (const projection of projections) {
          const module = /^[qkvo]_/.test(projection) ? 'self_attn' : 'mlp';
          const base = `base_model.model.model.layers.${layer}.${module}.${projection}`;
          const a = tensors.get(`${base}.lora_A.weight`)!.float32();
          const b = tensors.get(`${base}.lora_B.weight`)!.float32();
          pairs.push({ layer, projection, rank, alpha, a, b, ...projectionDimensions(config, projection) });
        }
      }
      return { rank, alpha, rslora: false, dropout, targetModules: projections, baseModel: name, pairs };
    }

    let step: TrainStep;
    beforeAll(async () => {
      step = await createLoraStep({
        model,
        adapter: adapterFrom('lora.start.safetensors'),
        threads: 2,
        oneCall,
        engine,
      });
    });
    afterAll(() => step.close());
    const clear = (): void => {
      step.clearGradients();
    };
    const copies = (): Float32Array[] => step.parameters.map(({ gradient }) => gradient.slice());

    test('loss and every LoRA gradient', async () => {
      clear();
      const { lossSum, supervisedTokens } = await step.accumulate([batch], scale, [0]);
      expect(supervisedTokens).toBe(reference.supervised_tokens);
      expect(Math.abs(lossSum * scale - reference.loss) / reference.loss).toBeLessThan(1e-5);
      const { tensors } = readSafetensors(join(folder, 'lora.gradients.safetensors'));
      expect(step.parameters.length).toBe(tensors.size);
      for (const parameter of step.parameters) {
        expect(relative(parameter.gradient, tensors.get(parameter.name)!.float32()), parameter.name).toBeLessThan(1e-4);
      }
    });

    test('log-probabilities are those of the loss', async () => {
      const logp = (await step.logProbabilities([batch]))[0]!;
      expect(-logp.reduce((a, b) => a + b, 0) * scale).toBeCloseTo(reference.loss, 4);
    });

    test('padded rows, and micro-batches accumulated, equal packed rows', async () => {
      clear();
      await step.accumulate([batch], scale, [0]);
      const packed = copies();
      clear();
      await step.accumulate([rowsToBatch(reference, [0, 1, 2], true)], scale, [0]);
      copies().forEach((gradient, i) => {
        expect(relative(gradient, packed[i]!)).toBeLessThan(1e-5);
      });
      clear();
      for (const row of [2, 0, 1]) await step.accumulate([rowsToBatch(reference, [row], false)], scale, [0]);
      copies().forEach((gradient, i) => {
        expect(relative(gradient, packed[i]!)).toBeLessThan(1e-5);
      });
    });

    test('a conversation longer than a chunk of queries', async () => {
      // 12 copies of row 0 as one conversation of 288 tokens: its chunks must agree with the loss of its own prefix.
      const long = Array.from({ length: 12 }, () => reference.tokens[0]!).flat();
      const one = (length: number): PackedBatch => ({
        tokens: Int32Array.from(long.slice(0, length)),
        positions: Int32Array.from({ length }, (_, i) => i),
        supervised: new Uint8Array(length).fill(1),
        segmentStarts: Int32Array.of(0, length),
        realTokens: length,
        supervisedTokens: length - 1,
      });
      const whole = (await step.logProbabilities([one(288)]))[0]!;
      const prefix = (await step.logProbabilities([one(120)]))[0]!;
      prefix.forEach((value, i) => {
        expect(Math.abs(value - whole[i]!)).toBeLessThan(1e-4);
      });
    });

    test('20 AdamW steps', async () => {
      const trained = await createLoraStep({
        model,
        adapter: adapterFrom('lora.start.safetensors'),
        threads: 2,
        oneCall,
        engine,
      });
      const state = initAdamW(trained.parameters);
      for (let i = 0; i < 20; i++) {
        trained.clearGradients();
        const { lossSum } = await trained.accumulate([batch], scale, [i]);
        const { factor: clip, norm } = clipping(trained.parameters, 1);
        expect(Math.abs(lossSum * scale - reference.losses[i]!) / reference.losses[i]!, `step ${i}`).toBeLessThan(1e-4);
        expect(Math.abs(norm / reference.gradient_norms_before_clipping[i]! - 1), `norm ${i}`).toBeLessThan(1e-3);
        updateAdamW(trained.parameters, state, reference.optimizer.lr, {
          weightDecay: reference.optimizer.weight_decay,
          clip,
        });
      }
      const { tensors } = readSafetensors(join(folder, 'lora.after20.safetensors'));
      const all = { ours: [] as number[], theirs: [] as number[] };
      for (const { name: tensor, value } of trained.parameters) {
        const theirs = tensors.get(tensor)!.float32();
        all.ours.push(...value);
        all.theirs.push(...theirs);
        // Where a gradient is nearly zero, Adam's first steps turn its last bits into a sign: single tensors differ a little more.
        expect(relative(value, theirs), tensor).toBeLessThan(5e-4);
      }
      expect(relative(Float32Array.from(all.ours), Float32Array.from(all.theirs))).toBeLessThan(1e-4);
      await trained.close();
    });

    test('dropout changes the gradients, repeatably by seed, and leaves log-probabilities alone', async () => {
      const dropped = await createLoraStep({
        model,
        adapter: adapterFrom('lora.start.safetensors', 0.5),
        threads: 2,
        engine,
      });
      const run = async (seed: number): Promise<Float32Array> => {
        dropped.clearGradients();
        await dropped.accumulate([batch], scale, [seed]);
        return dropped.parameters[0]!.gradient.slice();
      };
      const first = await run(1);
      expect(await run(1)).toEqual(first);
      expect(relative(await run(2), first)).toBeGreaterThan(0.1);
      const plain = (await step.logProbabilities([batch]))[0]!;
      const undropped = (await dropped.logProbabilities([batch]))[0]!;
      plain.forEach((value, i) => {
        expect(undropped[i]!).toBeCloseTo(value, 5);
      });
      await dropped.close();
    });
  },
);

interface FullCase {
  losses: number[];
  gradient_norms_before_clipping: number[];
  norms_after: Record<string, number>;
}

describe.each(ways)('every weight of $name against PyTorch, in one call: $oneCall', ({ name, oneCall }) => {
  const folder = join(root, name);
  const reference = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Case;
  const full = JSON.parse(readFileSync(join(folder, 'full.json'), 'utf8')) as FullCase;
  const batch = rowsToBatch(reference, [0, 1, 2], false);
  const scale = 1 / reference.supervised_tokens;

  test('loss and the gradient of each tensor', async () => {
    const step = await createFullStep({ model: openGguf(join(folder, 'base.gguf')), threads: 2, oneCall });
    const { lossSum } = await step.accumulate([batch], scale, [0]);
    expect(Math.abs(lossSum * scale - full.losses[0]!) / full.losses[0]!).toBeLessThan(1e-5);
    const { tensors } = readSafetensors(join(folder, 'full.gradients.safetensors'));
    expect(step.parameters.map((parameter) => parameter.name).sort()).toEqual([...tensors.keys()].sort());
    for (const parameter of step.parameters) {
      const theirs = tensors.get(parameter.name)!;
      expect([...parameter.shape], parameter.name).toEqual([...theirs.shape]);
      expect(relative(parameter.gradient, theirs.float32()), parameter.name).toBeLessThan(1e-4);
    }
    await step.close();
  });

  test('10 AdamW steps with weight decay on matrices only', async () => {
    const step = await createFullStep({ model: openGguf(join(folder, 'base.gguf')), threads: 2, oneCall });
    const optimizer = initAdamW(step.parameters);
    for (const [i, expected] of full.losses.entries()) {
      step.clearGradients();
      const { lossSum } = await step.accumulate([batch], scale, [0]);
      expect(Math.abs(lossSum * scale - expected) / expected, `loss of step ${i}`).toBeLessThan(1e-4);
      const { factor: clip, norm } = clipping(step.parameters, 1);
      const expectedNorm = full.gradient_norms_before_clipping[i]!;
      expect(Math.abs(norm - expectedNorm) / expectedNorm, `norm of step ${i}`).toBeLessThan(1e-3);
      updateAdamW(step.parameters, optimizer, 1e-3, { weightDecay: 0.1, beta2: 0.95, clip });
    }
    for (const { name: tensor, value } of step.parameters) {
      const norm = Math.sqrt(value.reduce((sum, x) => sum + x * x, 0));
      expect(Math.abs(norm - full.norms_after[tensor]!) / full.norms_after[tensor]!, tensor).toBeLessThan(1e-4);
    }
    await step.close();
  });
});

test('every weight: rows whose attention probabilities are kept give the gradients of the same rows with more tokens after them', async () => {
  // Nothing is supervised in what follows, and no row sees ahead: but longer rows are computed in chunks, and keep nothing.
  const path = join(root, 'llama', 'base.gguf');
  const { vocabulary } = readModelConfig(openGguf(path));
  const lengths = [150, 200];
  const batchOf = (more: number): PackedBatch => {
    const rows = lengths.map((length) => ({
      tokens: Int32Array.from({ length: length + more }, (_, i) => (i * i + 7 * length) % vocabulary),
      supervised: Uint8Array.from({ length: length + more }, (_, i) => Number(i > 0 && i < length)),
      source: { file: 'made', line: 1 },
    }));
    return packRows(rows, { packing: true, microBatchSize: null, maxTokens: 4096, padToken: 0 })[0]!;
  };
  const gradientsOf = async (batch: PackedBatch): Promise<Map<string, Float32Array>> => {
    const step = await createFullStep({ model: openGguf(path), threads: 2 });
    await step.accumulate([batch], 1 / batch.supervisedTokens, [0]);
    const gradients = new Map(step.parameters.map(({ gradient, name }) => [name, gradient.slice()]));
    await step.close();
    return gradients;
  };
  const [kept, chunked] = [await gradientsOf(batchOf(0)), await gradientsOf(batchOf(150))];
  for (const [name, gradient] of kept) expect(relative(gradient, chunked.get(name)!), name).toBeLessThan(1e-5);
});

test('a row so long that its masks are made when wanted: the loss and gradients of what it begins with', async () => {
  const path = join(root, 'llama', 'base.gguf');
  const { vocabulary } = readModelConfig(openGguf(path));
  const learnt = 150;
  const gradientsOf = async (length: number): Promise<[number, Map<string, Float32Array>]> => {
    const row = {
      tokens: Int32Array.from({ length }, (_, i) => (i * i + 7) % vocabulary),
      supervised: Uint8Array.from({ length }, (_, i) => Number(i > 0 && i < learnt)),
      source: { file: 'made', line: 1 },
    };
    const batch = packRows([row], { packing: true, microBatchSize: null, maxTokens: 1e9, padToken: 0 })[0]!;
    const step = await createFullStep({ model: openGguf(path), threads: 2 });
    const { lossSum } = await step.accumulate([batch], 1, [0]);
    const gradients = new Map(step.parameters.map(({ gradient, name }) => [name, gradient.slice()]));
    await step.close();
    return [lossSum, gradients];
  };
  const [short, own] = await gradientsOf(learnt);
  const [long, all] = await gradientsOf(6000);
  expect(long / short).toBeCloseTo(1, 5);
  for (const [name, gradient] of own) expect(relative(all.get(name)!, gradient), name).toBeLessThan(1e-4);
});
