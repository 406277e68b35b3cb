/** Hidden states beside transformers' (bench/oracles/make_hidden_states.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readEvenAdapter } from '../adapter/read-adapter.ts';
import { packRows } from '../batches/pack.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { readModelConfig } from '../models/config.ts';
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
