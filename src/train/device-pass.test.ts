/** WebGPU against the CPU: steps of the reference models, and one block of SmolLM2's shape. Runs where an adapter is found. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import '../../test/software-adapter.ts';
import { relative } from '../../test/relative.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { Random } from '../batches/random.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { inOrder } from '../graph/graph.ts';
import type { Shape } from '../graph/op.ts';
import { type EvenAdapter, projections } from '../lora/adapter.ts';
import { attention } from '../models/attention.ts';
import { afterAttention, beforeAttention } from '../models/block.ts';
import { type ModelConfig, projectionDimensions, readModelConfig } from '../models/config.ts';
import { Executor, floats, type Tensor } from '../runtime/onnxruntime-node/executor.ts';
import { findAdapter } from '../runtime/onnxruntime-node/webgpu-adapter.ts';
import { createFullStep, createLoraStep } from './open-step.ts';
import { initAdamW, updateAdamW } from './optimizer.ts';
import type { TrainStep } from './step.ts';

const adapter = findAdapter();
const why = adapter.found ? '' : ` (skipped: no WebGPU adapter: ${adapter.reason})`;
if (!adapter.found) console.warn(`WebGPU tests are skipped: ${adapter.reason}`);

const root = join(import.meta.dirname, '../../test/fixtures/reference');
const gguf = (name: string) => openGguf(join(root, name, 'base.gguf'));
/** Steps may differ by this much, relative. */
const lossBound = 1e-5;
/** Software adapters compile a step's shaders for ten seconds, and longer beside other work. */
const slow = 180_000;

interface Case {
  tokens: number[][];
  lengths: number[];
  labels: number[][];
}

/** Conversations of these lengths, made of the reference case's first row over and over. */
function batchOf(name: string, lengths: readonly number[]): PackedBatch {
  const reference = JSON.parse(readFileSync(join(root, name, 'case.json'), 'utf8')) as Case;
  const row = reference.tokens[0]!.slice(0, reference.lengths[0]!);
  const positions = lengths.flatMap((length) => Array.from({ length }, (_, t) => t));
  const starts = lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b, 0));
  const supervised = Uint8Array.from(positions, (t, n) => Number(t > 0 && n % 3 > 0));
  return {
    tokens: Int32Array.from(positions, (t, n) => row[(t * 7 + n) % row.length]!),
    positions: Int32Array.from(positions),
    supervised,
    segmentStarts: Int32Array.from([0, ...starts]),
    realTokens: positions.length,
    supervisedTokens: supervised.reduce((a, b) => a + b, 0),
  };
}

function adapterOf(name: string, config: ModelConfig, dropout: number): EvenAdapter {
  const { tensors } = readSafetensors(join(root, name, 'lora.start.safetensors'));
  const pairs = Array.from({ length: config.layers }, (_, layer) =>
    projections.map((projection) => {
      const module = /^[qkvo]_/.test(projection) ? 'self_attn' : 'mlp';
      const base = `base_model.model.model.layers.${layer}.${module}.${projection}`;
      const [a, b] = ['A', 'B'].map((which) => tensors.get(`${base}.lora_${which}.weight`)!.float32());
      return { layer, projection, rank: 4, alpha: 8, a: a!, b: b!, ...projectionDimensions(config, projection) };
    }),
  ).flat();
  return { rank: 4, alpha: 8, rslora: false, dropout, targetModules: projections, baseModel: name, pairs };
}

/** Steps side by side; the gradients of the first step are compared too, before rounding has had time to grow. */
async function compareSteps(
  steps: readonly [TrainStep, TrainStep],
  batches: readonly PackedBatch[],
  count: number,
): Promise<void> {
  const states = steps.map(({ parameters }) => initAdamW(parameters));
  const scale = 1 / batches.reduce((sum, { supervisedTokens }) => sum + supervisedTokens, 0);
  let first: number | null = null;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const losses: number[] = [];
    for (const step of steps) {
      step.clearGradients();
      losses.push(
        (
          await step.accumulate(
            batches,
            scale,
            batches.map((_, b) => i + b),
          )
        ).lossSum * scale,
      );
    }
    expect(Math.abs(losses[1]! / losses[0]! - 1), `loss of step ${i}`).toBeLessThan(lossBound);
    if (i === 0) {
      steps[0].parameters.forEach(({ gradient, name }, p) => {
        expect(relative(steps[1].parameters[p]!.gradient, gradient), name).toBeLessThan(1e-4);
      });
    }
    steps.forEach(({ parameters }, s) => {
      updateAdamW(parameters, states[s]!, 1e-3, { weightDecay: 0 });
    });
    first ??= losses[1]!;
    last = losses[1]!;
  }
  if (count > 1) expect(last, 'the steps train').toBeLessThan(first!);
}

describe.skipIf(!adapter.found)(`WebGPU against the CPU${why}`, () => {
  test.each(['llama', 'qwen2', 'qwen3'])(
    'three LoRA steps of %s, with dropout',
    async (name) => {
      const model = gguf(name);
      const open = (device: 'cpu' | 'webgpu') =>
        createLoraStep({ model, adapter: adapterOf(name, readModelConfig(model), 0.1), threads: 2, device });
      const steps = [await open('cpu'), await open('webgpu')] as const;
      await compareSteps(steps, [batchOf(name, [24, 17, 33])], 3);
      for (const step of steps) await step.close();
    },
    slow,
  );

  test(
    'three steps of every weight of llama',
    async () => {
      const model = gguf('llama');
      const open = (device: 'cpu' | 'webgpu') => createFullStep({ model, threads: 2, device });
      const steps = [await open('cpu'), await open('webgpu')] as const;
      await compareSteps(steps, [batchOf('llama', [24, 17, 33])], 3);
      for (const step of steps) await step.close();
    },
    slow,
  );

  test(
    'a long conversation between short ones, and batches of other sizes after it',
    async () => {
      const model = gguf('llama');
      const open = (device: 'cpu' | 'webgpu') =>
        createLoraStep({ model, adapter: adapterOf('llama', readModelConfig(model), 0), threads: 2, device });
      const steps = [await open('cpu'), await open('webgpu')] as const;
      // Chunks of whole conversations, of one with others' keys out of sight, and of parts of a long one; two micro-batches in a call.
      for (const each of [[[60, 70]], [[20, 140, 30]], [[9], [60, 20]]]) {
        const batches = each.map((lengths) => batchOf('llama', lengths));
        await compareSteps(steps, batches, 1);
        const [cpu, gpu] = [await steps[0].logProbabilities(batches), await steps[1].logProbabilities(batches)];
        expect(gpu.map(({ length }) => length)).toEqual(cpu.map(({ length }) => length));
        for (const [b, values] of gpu.entries()) expect(relative(values, cpu[b]!)).toBeLessThan(1e-4);
      }
      for (const step of steps) await step.close();
    },
    slow,
  );

  test(
    "a block of SmolLM2-135M's shape, forward and backward",
    async () => {
      const sizes: Readonly<Record<string, number>> = { N: 24, C: 24, T: 24 };
      const config: ModelConfig = {
        ...readModelConfig(gguf('llama')),
        modelWidth: 576,
        feedForward: 1536,
        heads: 9,
        kvHeads: 3,
        headDim: 64,
      };
      const options = {
        trainable: 'adapter',
        precision: 'f32',
        targets: projections,
        rank: 8,
        dropout: false,
        biases: false,
        qkNorms: false,
      } as const;
      const lengthOf = (size: Shape[number]): number => {
        if (typeof size === 'number') return size;
        const [factor, symbol] = size.includes('*') ? size.split('*') : ['1', size];
        return Number(factor) * sizes[symbol!]!;
      };
      const random = new Random(1, 1);
      const stages = [beforeAttention(config, options), attention(config), afterAttention(config, options)];
      for (const graph of stages.flatMap(({ backward, forward }) => [forward, backward])) {
        const inputs = new Map<string, Tensor>();
        for (const { op, shape } of inOrder(graph.values())) {
          if (op.kind !== 'input') continue;
          const dims = shape.map(lengthOf);
          // Weights as small as real ones, so that sums stay of the size of their terms.
          const spread = op.name.endsWith('.weight') || op.name.includes('lora_') ? 0.1 : 2;
          const count = dims.reduce((a, b) => a * b, 1);
          inputs.set(
            op.name,
            floats(
              Float32Array.from({ length: count }, () => spread * (random.uniform() - 0.5)),
              dims,
            ),
          );
        }
        const results: Map<string, Tensor>[] = [];
        for (const device of ['cpu', 'webgpu'] as const) {
          const outputs = new Map<string, Tensor>();
          for (const [name, { shape }] of graph) {
            const dims = shape.map(lengthOf);
            outputs.set(name, floats(new Float32Array(dims.reduce((a, b) => a * b, 1)), dims));
          }
          const executor = await Executor.create(graph, 2, device);
          await executor.run(inputs, outputs);
          await executor.close();
          results.push(outputs);
        }
        for (const [name, expected] of results[0]!) {
          const got = results[1]!.get(name)!;
          expect(relative(got.data as Float32Array, expected.data as Float32Array), name).toBeLessThan(1e-4);
        }
      }
    },
    slow,
  );
});
