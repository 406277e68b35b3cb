import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NomoatError } from '../errors.ts';
import { type NamedTensor, readSafetensors, writeSafetensors } from '../files/safetensors.ts';
import { projections } from '../lora/adapter.ts';
import { peftTensors, readPeft, writePeft } from './peft.ts';

const reference = join(import.meta.dirname, '../../test/fixtures/reference');
const start = (model: string): string => join(reference, model, 'lora.start.safetensors');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-peft-'));
afterAll(() => rmSync(folder, { recursive: true }));

let made = 0;
/** A folder with a small adapter whose config and tensors the test spoils. */
function spoiled(change: {
  config?: Record<string, unknown>;
  tensors?: (tensors: NamedTensor[]) => NamedTensor[];
}): string {
  const path = join(folder, `spoiled-${made++}`);
  const adapter = readPeft(start('qwen2'));
  writePeft(path, adapter);
  const configPath = join(path, 'adapter_config.json');
  writeFileSync(configPath, JSON.stringify({ ...JSON.parse(readFileSync(configPath, 'utf8')), ...change.config }));
  if (change.tensors) writeSafetensors(join(path, 'adapter_model.safetensors'), change.tensors(peftTensors(adapter)));
  return path;
}
const rename =
  (from: RegExp, to: string) =>
  (tensors: NamedTensor[]): NamedTensor[] =>
    tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace(from, to) }));

describe('readPeft', () => {
  it.each(['llama', 'qwen2', 'qwen3'])('reads what PEFT saved for %s, config beside it', (model) => {
    const adapter = readPeft(start(model));
    expect(adapter).toMatchObject({ rank: 4, alpha: 8, rslora: false, dropout: 0, baseModel: `reference-${model}` });
    expect(adapter.targetModules).toEqual(projections);
    expect(adapter.pairs).toHaveLength(3 * 7);
    const q = adapter.pairs.find(({ layer, projection }) => layer === 1 && projection === 'q_proj')!;
    const raw = readSafetensors(start(model)).tensors;
    expect(q.b).toEqual(raw.get('base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight')!.float32());
    expect(q.a).toEqual(raw.get('base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight')!.float32());
    expect(q.outFeatures).toBe(model === 'qwen3' ? 512 : 64);
  });

  it('takes alpha from the context where no config lies beside the weights, and asks for it otherwise', () => {
    const bare = join(folder, 'bare.safetensors');
    writeSafetensors(bare, peftTensors(readPeft(start('llama'))));
    expect(() => readPeft(bare)).toThrow(/its alpha is unknown/);
    expect(readPeft(bare, { alpha: 32, rslora: true })).toMatchObject({ alpha: 32, rslora: true, rank: 4 });
  });

  it.each([
    [{ use_dora: true }, /use_dora/],
    [{ bias: 'all' }, /bias = "all"/],
    [{ modules_to_save: ['lm_head'] }, /modules_to_save/],
    [{ rank_pattern: { q_proj: 8 } }, /rank_pattern/],
    [{ alpha_pattern: { q_proj: 8 } }, /alpha_pattern/],
    [{ init_lora_weights: 'pissa_niter_4' }, /init_lora_weights/],
    [{ peft_type: 'IA3' }, /peft_type/],
    [{ r: 8 }, /r = 8, but the weights have rank 4/],
    [{ target_modules: ['q_proj'] }, /lists the target modules q_proj/],
    [{ lora_alpha: 'many' }, /lora_alpha/],
  ])('refuses %j by name', (config, message) => {
    expect(() => readPeft(spoiled({ config }))).toThrow(message);
    expect(() => readPeft(spoiled({ config }))).toThrow(NomoatError);
  });

  it.each([
    ['an unknown module', rename(/q_proj/, 'query'), /self_attn\.query\.lora_A/],
    ['a DoRA vector', rename(/lora_A\.weight/, 'lora_magnitude_vector'), /lora_magnitude_vector/],
    ['half a pair', (all: NamedTensor[]) => all.slice(1), /layer 0 q_proj has lora_B but no lora_A/],
    ['a missing layer', (all: NamedTensor[]) => all.filter(({ name }) => !name.includes('.1.')), /layer 1 differs/],
    ['uneven modules', (all: NamedTensor[]) => all.filter(({ name }) => !/2\.mlp\.up/.test(name)), /layer 2 .*up_proj/],
    [
      'ranks that differ',
      (all: NamedTensor[]) => [{ ...all[0]!, shape: [2, 128] }, ...all.slice(1)],
      /do not both have rank/,
    ],
    [
      'a NaN',
      (all: NamedTensor[]) => [
        { ...all[0]!, values: all[0]!.values.map((v, i) => (i === 5 ? Number.NaN : v)) },
        ...all.slice(1),
      ],
      /NaN at element 5/,
    ],
    ['no weights', () => [], /holds no LoRA weights/],
  ])('refuses %s by name', (_, tensors, message) => {
    expect(() => readPeft(spoiled({ tensors }))).toThrow(message);
  });

  it('refuses a folder without its files, naming the pickle where that is the reason', () => {
    expect(() => readPeft(folder)).toThrow(/has no adapter_config.json and no adapter_model.safetensors/);
    expect(() => readPeft(join(folder, 'nowhere'))).toThrow(/no such file/);
  });
});

describe('writePeft', () => {
  it('writes the tensors that PEFT wrote, bit for bit, under its names, and reads them back', () => {
    const adapter = readPeft(start('qwen3'));
    const path = join(folder, 'written');
    writePeft(path, { ...adapter, rslora: true, dropout: 0.05 });
    const ours = readSafetensors(join(path, 'adapter_model.safetensors'));
    const theirs = readSafetensors(start('qwen3'));
    expect([...ours.tensors.keys()].sort()).toEqual([...theirs.tensors.keys()].sort());
    for (const [name, tensor] of theirs.tensors) expect(ours.tensors.get(name)!.float32()).toEqual(tensor.float32());
    expect(ours.metadata).toEqual({ format: 'pt' });
    expect(readPeft(path)).toEqual({ ...adapter, rslora: true, dropout: 0.05 });
  });

  it('writes a config that says what the reference config says', () => {
    const path = join(folder, 'config');
    writePeft(path, readPeft(start('llama')));
    const ours = JSON.parse(readFileSync(join(path, 'adapter_config.json'), 'utf8'));
    expect(ours).toMatchObject(JSON.parse(readFileSync(join(reference, 'llama/adapter_config.json'), 'utf8')));
  });
});
