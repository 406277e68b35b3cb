/**
 * Llama 3.x files: rope factors, a head width of its own, q/k/v biases, a head of its own, a mixture of K-quants; and linear rope scaling.
 * The oracle is PyTorch (bench/oracles/make_llama3_case.py), and llama.cpp on the same file.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { writeGgufLora } from '../adapter/gguf-lora.ts';
import { rewriteModel } from '../adapter/rewrite-model.ts';
import { packRows } from '../batches/pack.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { type GgufTensorData, writeGguf } from '../formats/gguf/write.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { measureParity } from '../llama/parity.ts';
import { type EvenAdapter, projections } from '../lora/adapter.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { createLoraStep } from './open-step.ts';

interface Case {
  readonly tokens: number[][];
  readonly lengths: number[];
  readonly labels: number[][];
  readonly supervised_tokens: number;
  readonly losses: Readonly<Record<string, number>>;
  readonly linear_factor: number;
  readonly lora: { readonly r: number; readonly alpha: number };
}

const source = join(import.meta.dirname, '../../test/fixtures/reference/llama3');
const reference = JSON.parse(readFileSync(join(source, 'case.json'), 'utf8')) as Case;
const folder = mkdtempSync(join(tmpdir(), 'nomoat-llama3-'));
afterAll(() => rmSync(folder, { recursive: true }));

const tensorsOf = (file: GgufFile): GgufTensorData[] =>
  [...file.tensors.values()].map((info) => ({ ...info, bytes: () => file.readBytes(info.name) }));

/** The file without its rope factors and with linear scaling instead. */
function linearFile(): string {
  const file = openGguf(join(source, 'base.gguf'));
  const path = join(folder, 'linear.gguf');
  const metadata = new Map(file.metadata)
    .set('llama.rope.scaling.type', { type: 'string', value: 'linear' })
    .set('llama.rope.scaling.factor', { type: 'float32', value: reference.linear_factor });
  writeGguf(path, { metadata, tensors: tensorsOf(file).filter(({ name }) => name !== 'rope_freqs.weight') });
  file.close();
  return path;
}

function adapterFor(model: GgufFile): EvenAdapter {
  const { tensors } = readSafetensors(join(source, 'lora.start.safetensors'));
  const config = readModelConfig(model);
  const { r: rank, alpha } = reference.lora;
  const pairs = Array.from({ length: config.layers }, (_, layer) =>
    projections.map((projection) => {
      const base = `base_model.model.model.layers.${layer}.${/^[qkvo]_/.test(projection) ? 'self_attn' : 'mlp'}.${projection}`;
      const half = (name: 'A' | 'B'): Float32Array => tensors.get(`${base}.lora_${name}.weight`)!.float32();
      return {
        layer,
        projection,
        rank,
        alpha,
        a: half('A'),
        b: half('B'),
        ...projectionDimensions(config, projection),
      };
    }),
  ).flat();
  return { rank, alpha, rslora: false, dropout: 0, targetModules: projections, baseModel: 'llama3', pairs };
}

const rows: TokenRow[] = reference.tokens.map((tokens, r) => ({
  tokens: Int32Array.from(tokens.slice(0, reference.lengths[r])),
  supervised: Uint8Array.from(reference.labels[r]!.slice(0, reference.lengths[r]), (label) => (label === -100 ? 0 : 1)),
  source: { file: 'case.json', line: r },
}));
const [batch] = packRows(rows, { packing: true, microBatchSize: 2, maxTokens: 1024, padToken: 0 });

function relative(ours: Float32Array, theirs: Float32Array): number {
  let [difference, norm] = [0, 0];
  ours.forEach((value, i) => {
    difference += (value - theirs[i]!) ** 2;
    norm += theirs[i]! ** 2;
  });
  return Math.sqrt(difference / norm);
}

describe.each([
  ['llama3', () => join(source, 'base.gguf')],
  ['linear', linearFile],
])('rope scaling %s', (kind, make) => {
  const path = make();
  const model = openGguf(path);
  const scale = 1 / reference.supervised_tokens;

  test('the file is what it is meant to be', () => {
    const config = readModelConfig(model);
    expect(config.headDim).toBe(32);
    expect(config.modelWidth / config.heads).toBe(64);
    expect(config.tiedHead).toBe(false);
    expect(config.ropeScale).toBe(kind === 'linear' ? reference.linear_factor : 1);
    expect(model.tensors.has('rope_freqs.weight')).toBe(kind === 'llama3');
    expect(model.tensors.has('blk.1.attn_k.bias')).toBe(true);
    const types = new Set([...model.tensors.values()].map(({ type }) => type));
    for (const type of ['Q4_K', 'Q5_K', 'Q6_K', 'Q5_0', 'Q4_0', 'Q8_0', 'F16', 'BF16', 'F32'] as const)
      expect(types.has(type), type).toBe(true);
  });

  test('loss and every LoRA gradient against PyTorch', async () => {
    const step = await createLoraStep({ model, adapter: adapterFor(model), threads: 1 });
    const { lossSum, supervisedTokens } = await step.accumulate([batch!], scale, [0]);
    expect(supervisedTokens).toBe(reference.supervised_tokens);
    expect(Math.abs((lossSum * scale) / reference.losses[kind]! - 1)).toBeLessThan(1e-5);
    const { tensors } = readSafetensors(join(source, `${kind}.gradients.safetensors`));
    expect(step.parameters.length).toBe(28);
    expect(step.parameters.map(({ name }) => name).sort()).toEqual([...tensors.keys()].sort());
    for (const { gradient, name } of step.parameters)
      expect(relative(gradient, tensors.get(name)!.float32()), name).toBeLessThan(1e-4);
    await step.close();
  });

  test('log-probabilities against llama.cpp, base alone and with the exported adapter', async () => {
    const exact = join(folder, `${kind}.f32.gguf`);
    rewriteModel(exact, model, { type: 'F32' });
    const adapter = adapterFor(model);
    const file = join(folder, `${kind}.lora.gguf`);
    writeGgufLora(file, adapter, model);
    const still = { ...adapter, pairs: adapter.pairs.map((pair) => ({ ...pair, b: new Float32Array(pair.b.length) })) };
    for (const [used, adapterPath] of [
      [still, null],
      [adapter, file],
    ] as const) {
      const step = await createLoraStep({ model, adapter: used, threads: 1 });
      const ours: Float32Array[] = [];
      for (const row of rows) {
        const [alone] = packRows([row], { packing: true, microBatchSize: 1, maxTokens: 1024, padToken: 0 });
        ours.push(...(await step.logProbabilities([alone!])));
      }
      await step.close();
      const parity = await measureParity({ modelPath: exact, adapterPath, rows, ours, threads: 1 });
      expect(parity.tokens).toBe(reference.supervised_tokens);
      expect(parity.meanDifference).toBeLessThan(2e-3);
      expect(parity.worstDifference).toBeLessThan(2e-2);
    }
  });
});

test('what would silently be left out is refused by name', () => {
  const file = openGguf(join(source, 'base.gguf'));
  const changed = (name: string, change: (tensors: GgufTensorData[]) => GgufTensorData[]): string => {
    const path = join(folder, `${name}.gguf`);
    writeGguf(path, { metadata: file.metadata, tensors: change(tensorsOf(file)) });
    return path;
  };
  const bias = {
    name: 'blk.0.attn_output.bias',
    shape: [256],
    type: 'F32' as const,
    bytes: () => new Uint8Array(1024),
  };
  const refused =
    (path: string): (() => unknown) =>
    () =>
      readModelConfig(openGguf(path));
  expect(refused(changed('o-bias', (tensors) => [...tensors, bias]))).toThrow(
    /has the tensor blk\.0\.attn_output\.bias, which nomoat does not compute with/,
  );
  expect(refused(changed('half', (tensors) => tensors.filter(({ name }) => name !== 'blk.1.attn_v.bias')))).toThrow(
    /has no tensor blk\.1\.attn_v\.bias/,
  );
  expect(
    refused(
      changed('factors', (tensors) =>
        tensors.map((t) =>
          t.name === 'rope_freqs.weight' ? { ...t, shape: [8], bytes: () => new Uint8Array(32) } : t,
        ),
      ),
    ),
  ).toThrow(/tensor rope_freqs\.weight is \[8\], not \[16\]/);
});
