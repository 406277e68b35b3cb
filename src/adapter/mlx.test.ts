import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import { readSafetensors, writeSafetensors } from '../formats/safetensors.ts';
import { type LoraAdapter, summarizeAdapter } from '../lora/adapter.ts';
import { writeMlx } from './mlx.ts';
import { readPeft } from './peft.ts';
import { readAdapter } from './read-adapter.ts';

const reference = join(import.meta.dirname, '../../test/fixtures/reference/llama');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-mlx-'));
afterAll(() => rmSync(folder, { recursive: true }));
const model = openGguf(join(reference, 'base.gguf'));
afterAll(() => model.close());
const adapter = readPeft(join(reference, 'lora.after20.safetensors'));

let made = 0;
function written(from: LoraAdapter, change: Record<string, unknown> = {}): string {
  const path = join(folder, String(made++));
  writeMlx(path, from, 3);
  const config = join(path, 'adapter_config.json');
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), ...change }));
  return path;
}

describe('adapters of mlx-lm', () => {
  it('come back as they were written, bit for bit, rsLoRA and layers included', () => {
    const some = { ...adapter, rslora: true, pairs: adapter.pairs.filter(({ layer }) => layer > 0) };
    for (const one of [adapter, some]) expect(readAdapter(written(one), model)).toEqual(one);
    const config = JSON.parse(readFileSync(join(written(some), 'adapter_config.json'), 'utf8'));
    // 8 / sqrt(4)
    expect(config).toMatchObject({ fine_tune_type: 'lora', num_layers: 2, lora_parameters: { rank: 4, scale: 4 } });
  });

  it('hold A as [in, rank], under the names of the model', () => {
    const { tensors } = readSafetensors(join(written(adapter), 'adapters.safetensors'));
    const a = tensors.get('model.layers.1.mlp.down_proj.lora_a')!;
    const pair = adapter.pairs.find(({ layer, projection }) => layer === 1 && projection === 'down_proj')!;
    expect(a.shape).toEqual([pair.inFeatures, 4]);
    expect(a.float32()[4 * 3 + 1]).toBe(pair.a[pair.inFeatures + 3]);
  });

  it('have one rank and one scale; what is filled up for that is taken away again', () => {
    const ranked = {
      ...adapter,
      pairs: adapter.pairs.map((pair) => {
        if (pair.projection !== 'v_proj') return pair;
        const b = pair.b.filter((_, i) => i % 4 < 2);
        return { ...pair, rank: 2, a: pair.a.slice(0, 2 * pair.inFeatures), b };
      }),
    };
    const back = readAdapter(written(ranked), model);
    expect(summarizeAdapter(back)).toMatchObject({ ranks: [2, 4], scales: [2] });
    // 8 / 2 against 8 / 4: B holds a factor of 2, which rounds nothing.
    const [ours, theirs] = [back, ranked].map(({ pairs }) => pairs.find(({ projection }) => projection === 'v_proj')!);
    expect(ours!.a).toEqual(theirs!.a);
    expect(ours!.b).toEqual(theirs!.b.map((value) => 2 * value));
    const { tensors } = readSafetensors(join(written(ranked), 'adapters.safetensors'));
    expect(new Set([...tensors].filter(([name]) => name.endsWith('_b')).map(([, { shape }]) => shape[0]))).toEqual(
      new Set([4]),
    );
  });

  it.each([
    [{ fine_tune_type: 'full' }, /fine_tune_type full: its weights are no adapter/],
    [{ fine_tune_type: 'dora' }, /DoRA/],
    [{ lora_parameters: { rank: 4 } }, /lora_parameters\.scale/],
  ])('are refused by name: %j', (change, message) => {
    expect(() => readAdapter(written(adapter, change), model)).toThrow(message);
  });

  it('are refused with a tensor that no projection has', () => {
    const path = written(adapter);
    const weights = join(path, 'adapters.safetensors');
    const tensors = [...readSafetensors(weights).tensors].map(([name, { float32, shape }]) => ({
      name,
      shape,
      values: float32(),
    }));
    writeSafetensors(weights, [{ ...tensors[0]!, name: 'model.embed_tokens.lora_a' }, ...tensors.slice(1)]);
    expect(() => readAdapter(path, model)).toThrow(/model\.embed_tokens\.lora_a/);
  });
});
