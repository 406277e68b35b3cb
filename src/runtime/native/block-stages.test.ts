import { expect, test } from 'vitest';
import { Random } from '../../batches/random.ts';
import type { Graph } from '../../graph/graph.ts';
import { type Projection, projections } from '../../lora/adapter.ts';
import { afterAttention, beforeAttention } from '../../models/block.ts';
import { type BlockOptions, type ProjectionGroup, projectionGroups } from '../../models/block-options.ts';
import { type ModelConfig, projectionDimensions } from '../../models/config.ts';
import { quantizeMatrix } from '../../models/quantize.ts';
import { bytes, Executor, floats, type Tensor } from '../onnxruntime-node/executor.ts';
import { type BlockStages, nativeStages, type Stage, unsupported } from './block-stages.ts';
import { type Asked, chooseKernels } from './choose.ts';
import type { Kernels } from './kernels.ts';
import { loadKernels } from './load.ts';

const loaded = loadKernels();
const reason = loaded.kernels ? '' : ` (skipped: ${loaded.reason})`;
const kernels = loaded.kernels as Kernels;
const withKernels = test.skipIf(!loaded.kernels);

const config = (widths: Partial<ModelConfig>): ModelConfig =>
  ({
    modelWidth: 128,
    heads: 4,
    kvHeads: 2,
    headDim: 32,
    feedForward: 192,
    layers: 1,
    vocabulary: 64,
    normEpsilon: 1e-5,
    ...widths,
  }) as ModelConfig;

interface Case {
  readonly name: string;
  readonly model: ModelConfig;
  readonly options: BlockOptions;
  readonly rows: number;
}
const plain: BlockOptions = {
  trainable: 'adapter',
  precision: 'f32',
  targets: projections,
  rank: 8,
  dropout: false,
  biases: false,
  qkNorms: false,
};
const cases: readonly Case[] = [
  { name: 'llama, all targets', model: config({}), options: plain, rows: 150 },
  {
    name: 'qwen2, biases and dropout',
    model: config({}),
    options: { ...plain, biases: true, dropout: true },
    rows: 65,
  },
  { name: 'qwen3, norms per head', model: config({}), options: { ...plain, qkNorms: true, rank: 3 }, rows: 64 },
  {
    name: 'q and down only, rank 20',
    model: config({ feedForward: 208 }),
    options: { ...plain, targets: ['q_proj', 'down_proj'], rank: 20 },
    rows: 1,
  },
  {
    name: 'o and up only, heads of 16, narrow keys',
    model: config({ modelWidth: 80, headDim: 16, heads: 5, kvHeads: 1 }),
    options: { ...plain, targets: ['o_proj', 'up_proj'] },
    rows: 700,
  },
];

const random = new Random(5);
const drawn = (length: number, size = 1): Float32Array =>
  Float32Array.from({ length }, () => (random.uniform() + random.uniform() - 1) * size);

/** Every array that the graphs of the case may read. */
function inputsOf({ model, options, rows }: Case): Map<string, Tensor> {
  const { headDim, heads, kvHeads, modelWidth: width } = model;
  const [query, key] = [heads * headDim, kvHeads * headDim];
  const found = new Map<string, Tensor>();
  const put = (name: string, shape: readonly number[], size = 1): void => {
    found.set(
      name,
      floats(
        drawn(
          shape.reduce((a, b) => a * b),
          size,
        ),
        shape,
      ),
    );
  };
  for (const [name, columns] of [
    ['x', width],
    ['o', query],
    ['d.y', width],
    ['d.q', query],
    ['d.k', key],
    ['d.v', key],
    ['d.through', width],
  ] as const)
    put(name, [rows, columns]);
  for (const [name, columns] of [
    ['cos', headDim / 2],
    ['sin', headDim / 2],
  ] as const)
    put(name, [rows, columns]);
  for (const [name, columns] of [
    ['attn_norm', width],
    ['ffn_norm', width],
    ['attn_q_norm', headDim],
    ['attn_k_norm', headDim],
    ['q_proj.bias', query],
    ['k_proj.bias', key],
    ['v_proj.bias', key],
  ] as const)
    put(name, [columns]);
  for (const [group, members] of Object.entries(projectionGroups) as [ProjectionGroup, readonly Projection[]][]) {
    const { inFeatures } = projectionDimensions(model, members[0]!);
    const adapted = members.filter((projection) => options.targets.includes(projection));
    if (adapted.length > 0) put(`lora_A.${group}`, [adapted.length * options.rank, inFeatures], 0.3);
    const mask = Float32Array.from({ length: rows * inFeatures }, () => (random.uniform() < 0.2 ? 0 : 1.25));
    found.set(`mask.${group}`, floats(mask, [rows, inFeatures]));
    for (const projection of members) {
      const { outFeatures } = projectionDimensions(model, projection);
      put(`${projection}.lora_B`, [outFeatures, options.rank], 0.3);
      const weight = drawn(outFeatures * inFeatures, 1 / Math.sqrt(inFeatures));
      if (options.precision === 'f32') found.set(`${projection}.weight`, floats(weight, [outFeatures, inFeatures]));
      else {
        const { scale, values } = quantizeMatrix(weight, inFeatures, 127);
        found.set(`${projection}.weight`, bytes(values, [inFeatures, outFeatures]));
        found.set(`${projection}.scale`, floats(scale, [outFeatures]));
      }
    }
  }
  return found;
}

/** Arrays of what a stage writes. */
function outputsOf(graph: Graph, rows: number): Map<string, Tensor> {
  const sized = (size: number | string): number => (typeof size === 'number' ? size : rows);
  return new Map(
    [...graph].map(([name, { shape }]) => {
      const dims = shape.map(sized);
      return [name, floats(new Float32Array(dims.reduce((a, b) => a * b)), dims)] as const;
    }),
  );
}

type StageOf = keyof BlockStages;
const order: readonly StageOf[] = ['preForward', 'postForward', 'postBackward', 'preBackward', 'preBackwardFirst'];

function graphsOf({ model, options }: Case): Record<StageOf, Graph> {
  const [before, after] = [beforeAttention(model, options), afterAttention(model, options)];
  return {
    preForward: before.forward,
    preBackward: before.backward,
    preBackwardFirst: before.backwardFirst,
    postForward: after.forward,
    postBackward: after.backward,
  };
}

/** Results of all stages, each reading what the engine `reference` has saved. */
async function resultsOf(
  given: Case,
  inputs: ReadonlyMap<string, Tensor>,
  stageOf: (name: StageOf, graph: Graph) => Promise<Stage>,
): Promise<Map<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  const known = new Map(inputs);
  for (const name of order) {
    const graph = graphsOf(given)[name];
    if (graph.size === 0) continue;
    const stage = await stageOf(name, graph);
    const outputs = outputsOf(graph, given.rows);
    await stage.run(known, outputs);
    for (const [key, tensor] of outputs) {
      found.set(`${name} ${key}`, tensor.data as Float32Array);
      if (key.startsWith('saved.')) known.set(key, tensor);
    }
    await stage.close();
  }
  return found;
}

/** With copies of the int8 values, which the kernels arrange anew where they lie. */
const own = (inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  new Map(
    [...inputs].map(([name, t]) => [name, t.type === 'int8' ? bytes(Int8Array.from(t.data as Int8Array), t.dims) : t]),
  );

const byGraphs = (given: Case, inputs: ReadonlyMap<string, Tensor>) =>
  resultsOf(given, inputs, (_, graph) => Executor.create(graph, 1));
function byKernels(given: Case, inputs: ReadonlyMap<string, Tensor>, threads: number) {
  const stages = nativeStages(kernels, given.model, given.options, threads);
  return resultsOf(given, own(inputs), async (name) => stages[name]!);
}

/** |a - b| / |b|, by Euclid's norm. */
function distance(a: Float32Array, b: Float32Array): number {
  let [apart, size] = [0, 0];
  for (const [i, value] of b.entries()) {
    apart += (a[i]! - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(apart / size);
}

for (const given of cases) {
  withKernels(`${given.name}: exact kernels compute what the graphs do${reason}`, async () => {
    const inputs = inputsOf(given);
    const [got, expected] = [await byKernels(given, inputs, 2), await byGraphs(given, inputs)];
    expect([...got.keys()]).toEqual([...expected.keys()]);
    for (const [name, values] of expected) expect(distance(got.get(name)!, values), name).toBeLessThan(3e-6);
  });

  withKernels(`${given.name}: int8 kernels compute what the int8 graphs do${reason}`, async () => {
    const int8 = { ...given, options: { ...given.options, precision: 'int8' } as const };
    const inputs = inputsOf(int8);
    const [got, expected] = [await byKernels(int8, inputs, 2), await byGraphs(int8, inputs)];
    // A sum that rounds to the other side of a half changes a code by one: seldom, and by a 127th.
    for (const [name, values] of expected) expect(distance(got.get(name)!, values), name).toBeLessThan(3e-3);
  });
}

withKernels(`equal bits for one to four threads and again${reason}`, async () => {
  const given = { ...cases[1]!, rows: 900, options: { ...cases[1]!.options, precision: 'int8' } as const };
  const inputs = inputsOf(given);
  const expected = await byKernels(given, inputs, 1);
  for (const threads of [2, 3, 4, 2, 2]) {
    for (const [name, values] of await byKernels(given, inputs, threads)) {
      expect(Buffer.from(values.buffer).equals(Buffer.from(expected.get(name)!.buffer)), `${threads} ${name}`).toBe(
        true,
      );
    }
  }
});

withKernels(`arrays of another length are refused before anything is computed${reason}`, async () => {
  const given = cases[0]!;
  const inputs = inputsOf(given).set('x', floats(new Float32Array(150), [given.rows, 1]));
  await expect(byKernels(given, inputs, 1)).rejects.toThrow(/x is no Float32Array of 19200/);
});

test('what the kernels do not compute is named', () => {
  const blocks = { precision: 'f32', trainable: 'adapter', streamed: false } as const;
  expect(unsupported(config({}), blocks)).toBeNull();
  expect(unsupported(config({ modelWidth: 120 }), blocks)).toMatch(/width of the model, 120/);
  expect(unsupported(config({}), { ...blocks, trainable: 'all' })).toMatch(/adapters only/);
  expect(unsupported(config({}), { ...blocks, streamed: true })).toMatch(/in memory/);
  const large = config({ modelWidth: 4096, feedForward: 16384, layers: 32 });
  expect(unsupported(large, blocks)).toMatch(/too large in float32/);
  expect(unsupported(large, { ...blocks, precision: 'int8' })).toBeNull();
});

test('they are chosen where they are asked for: auto means int8', () => {
  const blocks = { precision: 'int8', trainable: 'adapter', streamed: false } as const;
  const chosen = (engine: Asked['engine'], precision: 'f32' | 'int8', device: Asked['device'] = 'cpu') =>
    chooseKernels({ engine, device }, config({}), { ...blocks, precision });
  expect(chosen('onnxruntime', 'int8')).toEqual({ kernels: null, reason: null });
  expect(chosen('auto', 'f32')).toEqual({ kernels: null, reason: null });
  expect(chosen('native', 'int8', 'webgpu')).toMatchObject({ kernels: null, reason: expect.stringMatching(/CPU/) });
  // What this machine cannot run has its reason.
  for (const [engine, precision] of [
    ['auto', 'int8'],
    ['native', 'f32'],
    ['native', 'int8'],
  ] as const)
    expect(chosen(engine, precision)).toEqual(loaded);
});
