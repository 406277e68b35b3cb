/** Hidden states beside transformers' (bench/oracles/make_hidden_states.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addProduct } from '../adapter/low-rank.ts';
import { readEvenAdapter } from '../adapter/read-adapter.ts';
import { packAlone, packRows } from '../batches/pack.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { loraScale, type Projection } from '../lora/adapter.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import { readLayer } from '../models/weights.ts';
import { fileWeights } from './base-weights.ts';
import { EvaluationPass } from './evaluation-pass.ts';

const tokensShown = 8;

test.each(['llama', 'qwen2', 'qwen3'])('%s: states between the blocks, with an adapter and without', async (name) => {
  const folder = join(import.meta.dirname, '../../test/fixtures/reference', name);
  const { tokens } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as { tokens: number[][] };
  const row = {
    tokens: Int32Array.from(tokens[0]!.slice(0, tokensShown)),
    supervised: new Uint8Array(tokensShown),
    source: { file: name, line: 1 },
  };
  const [batch] = packRows([row], { packing: true, microBatchSize: null, maxTokens: tokensShown, padToken: 0 });
  const oracle = readSafetensors(join(folder, 'hidden.safetensors')).tensors;
  const model = openGguf(join(folder, 'base.gguf'));
  const config = readModelConfig(model);
  const adapter = readEvenAdapter(join(folder, 'lora.after20.safetensors'), model, { alpha: 8 });
  const ends: number[] = [];
  for (const [which, given] of [
    ['base', null],
    ['tuned', adapter],
  ] as const) {
    const base = fileWeights(model, config);
    const pass = await EvaluationPass.open({ config, base, threads: 1, adapter: given });
    const states = await pass.states(batch!);
    expect(states).toHaveLength(config.layers + 1);
    for (const [i, state] of states.entries()) expectNear(state, oracle.get(`${which}.${i}`)!.float32());
    const last = states.at(-1)!;
    expectNear(
      await pass.logits(last.subarray(last.length - config.modelWidth)),
      oracle.get(`${which}.logits`)!.float32(),
    );
    ends.push(last[0]!);
    await pass.close();
    base.close();
  }
  expect(Math.abs(ends[0]! - ends[1]!)).toBeGreaterThan(1e-3);
  model.close();
});

test.each(['llama', 'qwen3'])('%s: what the projections read makes the states', async (name) => {
  const folder = join(import.meta.dirname, '../../test/fixtures/reference', name);
  const model = openGguf(join(folder, 'base.gguf'));
  const config = readModelConfig(model);
  const adapter = readEvenAdapter(join(folder, 'lora.after20.safetensors'), model, { alpha: 8 });
  const batch = packAlone({
    tokens: Int32Array.of(5, 9, 17, 3),
    supervised: new Uint8Array(4),
    source: { file: name, line: 1 },
  });
  const base = fileWeights(model, config);
  const pass = await EvaluationPass.open({ config, base, threads: 1, adapter });
  const states = await pass.states(batch);
  let layer = 0;
  for await (const inputs of pass.inputs(batch)) {
    const weights = readLayer(model, config, layer);
    /** x W' and x A' B' s, [rows, out]. */
    const through = (x: Float32Array, projection: Projection): Float32Array => {
      const { inFeatures, outFeatures } = projectionDimensions(config, projection);
      const whole = weights.get(`${projection}.weight`)!.slice();
      const pair = adapter.pairs.find((each) => each.layer === layer && each.projection === projection);
      if (pair) addProduct(whole, pair, loraScale({ ...pair, rslora: adapter.rslora }));
      return Float32Array.from({ length: (x.length / inFeatures) * outFeatures }, (_, at) => {
        const [row, o] = [Math.floor(at / outFeatures), at % outFeatures];
        let sum = 0;
        for (let i = 0; i < inFeatures; i++) sum += x[row * inFeatures + i]! * whole[o * inFeatures + i]!;
        return sum;
      });
    };
    const plus = (x: Float32Array, y: Float32Array): Float32Array => x.map((value, i) => value + y[i]!);
    const norm = (x: Float32Array, weight: Float32Array): Float32Array =>
      x.map((value, i) => {
        const row = x.subarray(i - (i % weight.length), i - (i % weight.length) + weight.length);
        const mean = row.reduce((sum, each) => sum + each * each, 0) / weight.length;
        return (value / Math.sqrt(mean + config.normEpsilon)) * weight[i % weight.length]!;
      });
    expectNear(inputs.get('pre')!, norm(states[layer]!, weights.get('attn_norm')!));
    const mid = plus(states[layer]!, through(inputs.get('o')!, 'o_proj'));
    expectNear(inputs.get('mlp')!, norm(mid, weights.get('ffn_norm')!));
    const up = through(inputs.get('mlp')!, 'up_proj');
    const down = through(inputs.get('mlp')!, 'gate_proj').map((gate, i) => (gate / (1 + Math.exp(-gate))) * up[i]!);
    expectNear(inputs.get('down')!, down);
    expectNear(states[layer + 1]!, plus(mid, through(down, 'down_proj')));
    layer++;
  }
  expect(layer).toBe(config.layers);
  await pass.close();
  base.close();
  model.close();
});

function expectNear(got: Float32Array, expected: Float32Array): void {
  expect(got.length).toBe(expected.length);
  const most = got.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i]!)), 0);
  expect(most).toBeLessThan(1e-4);
}

test('a layer that is read into the memory of the one before is that layer, and what is small is its own', () => {
  const model = openGguf(join(import.meta.dirname, '../../test/fixtures/reference/qwen2/base.gguf'));
  const config = readModelConfig(model);
  const fresh = readLayer(model, config, 1);
  const before = readLayer(model, config, 0);
  const kept = before.get('attn_norm')!.slice();
  const layer = readLayer(model, config, 1, before);
  expect(layer).toEqual(fresh);
  expect(layer.get('gate_proj.weight')!.buffer).toBe(before.get('gate_proj.weight')!.buffer);
  expect(before.get('attn_norm')).toEqual(kept);
  model.close();
});
