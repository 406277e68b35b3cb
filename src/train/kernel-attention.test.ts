import { expect, test } from 'vitest';
import { relative } from '../../test/relative.ts';
import type { Fork, PackedBatch } from '../batches/packed-batch.ts';
import { Random } from '../batches/random.ts';
import { projections } from '../lora/adapter.ts';
import type { BlockOptions } from '../models/block-options.ts';
import type { ModelConfig } from '../models/config.ts';
import { nativeAttention } from '../runtime/native/attention.ts';
import { shapeOf } from '../runtime/native/block-stages.ts';
import type { Kernels } from '../runtime/native/kernels.ts';
import { loadKernels } from '../runtime/native/load.ts';
import { floats, type Tensor } from '../runtime/onnxruntime-node/executor.ts';
import { type Attention, AttentionPass, type Keep } from './attention-pass.ts';
import { planAttention } from './attention-plan.ts';
import { Buffers } from './buffers.ts';
import { KernelAttention } from './kernel-attention.ts';
import { queryRanges } from './query-ranges.ts';
import { type CompiledAttention, openStages } from './stages.ts';

const loaded = loadKernels();
const withKernels = test.skipIf(!loaded.kernels);
const reason = loaded.kernels ? '' : ` (skipped: ${loaded.reason})`;

interface Case {
  readonly name: string;
  readonly heads: readonly [heads: number, kvHeads: number, headDim: number];
  readonly lengths: readonly number[];
  readonly prefix?: number;
  readonly forks?: readonly Fork[];
}
// Lengths ascend behind a prefix, as byLength orders them.
const cases: readonly Case[] = [
  { name: 'short rows', heads: [6, 2, 64], lengths: [1, 2, 15, 16, 17, 31, 32, 33] },
  { name: 'rows of one length', heads: [4, 4, 32], lengths: [70, 70, 70, 70, 70] },
  { name: 'long rows in tiles of keys', heads: [3, 1, 48], lengths: [65, 129, 300] },
  { name: 'heads of 80 and 128', heads: [2, 1, 80], lengths: [40, 90] },
  { name: 'wide heads', heads: [2, 2, 128], lengths: [7, 66] },
  {
    name: 'behind a short prefix',
    heads: [6, 2, 32],
    prefix: 25,
    lengths: [25, 3, 4, 9, 9, 12, 12, 12, 15, 18, 20, 40],
  },
  { name: 'behind a long prefix', heads: [4, 2, 16], prefix: 150, lengths: [150, 5, 30, 70, 140] },
  {
    name: 'two answers to one beginning',
    heads: [4, 2, 32],
    lengths: [30, 100, 200],
    forks: [
      { first: 10, second: 22, end: 30 },
      { first: 130, second: 200, end: 330 },
    ],
  },
];

function batchOf({ forks, lengths, prefix = 0 }: Case): PackedBatch {
  const segmentStarts = Int32Array.from([0, ...lengths]);
  for (let i = 1; i < segmentStarts.length; i++) segmentStarts[i]! += segmentStarts[i - 1]!;
  const rows = segmentStarts.at(-1)!;
  const counted = { realTokens: rows, supervisedTokens: rows, tokens: new Int32Array(rows) };
  const marks = { positions: new Int32Array(rows), supervised: new Uint8Array(rows).fill(1) };
  return { ...counted, ...marks, segmentStarts, prefix, ...(forks ? { forks } : {}) };
}

const configOf = ({ heads: [heads, kvHeads, headDim] }: Case): ModelConfig =>
  ({
    heads,
    kvHeads,
    headDim,
    modelWidth: heads * headDim,
    feedForward: 64,
    layers: 1,
    vocabulary: 64,
    normEpsilon: 1e-5,
  }) as ModelConfig;

const adapter = { trainable: 'adapter', targets: projections, rank: 4, dropout: false } as const;
const options: BlockOptions = { ...adapter, precision: 'f32', biases: false, qkNorms: false };

/** o and the gradients of q, k and v. */
async function resultsOf(given: Case, attention: Attention): Promise<Map<string, Float32Array>> {
  const batch = batchOf(given);
  const [heads, kvHeads, headDim] = given.heads;
  const rows = batch.tokens.length;
  const random = new Random(3, rows);
  const array = (count: number, drawn: boolean): Tensor =>
    floats(Float32Array.from({ length: rows * count * headDim }, () => (drawn ? 2 * random.uniform() - 1 : NaN)), [rows, count * headDim]); // biome-ignore format: a line
  const read = new Map([['q', array(heads, true)], ['k', array(kvHeads, true)], ['v', array(kvHeads, true)], ['d.o', array(heads, true)], ['o', array(heads, false)]]); // biome-ignore format: a table
  const written = new Map([['d.q', array(heads, false)], ['d.k', array(kvHeads, false)], ['d.v', array(kvHeads, false)]]); // biome-ignore format: a table
  const kept = new Map<string, Float32Array>();
  const keep: Keep = (name, length) => kept.get(name) ?? kept.set(name, new Float32Array(length)).get(name)!;
  const layout = { attention: planAttention(batch), ranges: queryRanges(batch) };
  const forward = new Map(['q', 'k', 'v', 'o'].map((name) => [name, read.get(name)!]));
  await attention.forward(layout, forward, keep);
  await attention.backward(layout, { read, written, keep });
  return new Map([...written, ['o', read.get('o')!] as const].map(([name, { data }]) => [name, data as Float32Array]));
}

async function byGraphs(given: Case): Promise<Map<string, Float32Array>> {
  const stages = await openStages(configOf(given), options, { threads: 1 });
  const buffers = new Buffers();
  const take = (name: string, rows: number, width: number) => floats(buffers.take(name, rows * width), [rows, width]);
  const results = await resultsOf(
    given,
    new AttentionPass(stages.attention as CompiledAttention, given.heads[0], take),
  );
  await stages.close();
  return results;
}

function byKernels(given: Case, threads: number): Promise<Map<string, Float32Array>> {
  const config = configOf(given);
  const kernels = nativeAttention(loaded.kernels!, config, shapeOf(config, options, threads))!;
  return resultsOf(given, new KernelAttention(kernels, given.heads[0]));
}

for (const given of cases)
  withKernels(`${given.name}: what the graphs compute, and equal bits for any number of threads${reason}`, async () => {
    const [got, expected] = [await byKernels(given, 2), await byGraphs(given)];
    expect([...got.keys()]).toEqual([...expected.keys()]);
    for (const [name, values] of expected) expect(relative(got.get(name)!, values), name).toBeLessThan(3e-6);
    for (const threads of [1, 3, 4]) {
      for (const [name, values] of await byKernels(given, threads))
        expect(Buffer.from(values.buffer).equals(Buffer.from(got.get(name)!.buffer)), `${threads} ${name}`).toBe(true);
    }
  });

withKernels(`ranges that do not cover the rows, or see what comes later, are refused${reason}`, () => {
  const config = configOf(cases[0]!);
  const kernels = nativeAttention(loaded.kernels!, config, shapeOf(config, options, 1))!;
  const arrays = new Map(
    Object.entries({ q: 6, k: 2, v: 2, o: 6 }).map(([name, heads]) => [
      name,
      floats(new Float32Array(5 * heads * 64), [5, heads * 64]),
    ]),
  );
  const attend = (...ranges: number[]) => kernels.forward(arrays, Int32Array.from(ranges), new Float32Array(5 * 6));
  expect(() => attend(0, 0, 4, 0, 0, 0)).toThrow(/do not cover/);
  for (const range of [[0, 0, 6, 0, 0, 0], [0, 0, 5, 0, 0, 3], [0, 0, 5, 2, 0, 0], [0, 0, 5, -1, 0, 0]]) // biome-ignore format: a table
    expect(() => attend(...range)).toThrow(/ranges/);
});

test('heads that the kernels do not know stay with the graphs', () => {
  for (const headDim of [8, 24, 272]) {
    const config = configOf({ name: '', heads: [2, 1, headDim], lengths: [] });
    expect(nativeAttention({} as Kernels, config, shapeOf(config, options, 1))).toBeNull();
  }
});
