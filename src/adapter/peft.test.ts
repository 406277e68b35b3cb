import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NomoatError } from '../errors.ts';
import { type NamedTensor, readSafetensors, writeSafetensors } from '../formats/safetensors.ts';
import { type LoraAdapter, loraScale, type Projection, projections, summarizeAdapter } from '../lora/adapter.ts';
import { evenAdapter } from './even-adapter.ts';
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
    expect(summarizeAdapter(adapter)).toEqual({
      ranks: [4],
      alphas: [8],
      scales: [2],
      targetModules: projections,
      rslora: false,
      dropout: 0,
      baseModel: `reference-${model}`,
    });
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
    expect(summarizeAdapter(readPeft(bare, { alpha: 32, rslora: true }))).toMatchObject({
      alphas: [32],
      rslora: true,
      ranks: [4],
    });
  });

  it.each([
    [{ use_dora: true }, /is DoRA by its config, and has no lora_magnitude_vector/],
    [{ lora_bias: true }, /lora_bias/],
    [{ layer_replication: [[0, 2]] }, /layer_replication/],
    [{ target_parameters: ['experts'] }, /target_parameters/],
    [{ use_bdlora: { nblocks: 2 } }, /use_bdlora/],
    [{ layers_to_transform: [0, 1] }, /in the layers 0, 1, but the weights have model\.layers\.2\.self_attn\.q_proj/],
    [{ alpha_pattern: { '(a+)+b': 8 } }, /the pattern \(a\+\)\+b, which nomoat cannot use/],
    [{ alpha_pattern: { '[': 8 } }, /the pattern \[, which nomoat cannot use/],
    [{ modules_to_save: ['lm_head'] }, /modules_to_save/],
    [{ rank_pattern: { q_proj: 8 } }, /r = 8 for model\.layers\.0\.self_attn\.q_proj, but the weights have rank 4/],
    [{ init_lora_weights: 'pissa_niter_4' }, /init_lora_weights/],
    [{ peft_type: 'IA3' }, /peft_type/],
    [{ r: 8 }, /r = 8, but the weights have rank 4/],
    [{ target_modules: ['q_proj'] }, /lists the target modules q_proj/],
    [
      { target_modules: '.*_proj', exclude_modules: ['down_proj'] },
      /lists the target modules \.\*_proj without down_proj, but the weights have model\.layers\.0\.mlp\.down_proj/,
    ],
    [{ exclude_modules: '.*layers\\.1\\..*' }, /without .*, but the weights have model\.layers\.1\.self_attn\.q_proj/],
    [{ target_modules: '.*(q|k|v|o)_proj' }, /but the weights have model\.layers\.0\.mlp\.gate_proj/],
    [{ target_modules: 'q_proj' }, /but the weights have model\.layers\.0\.self_attn\.q_proj/],
    [{ layers_to_transform: [0, 1, 2], layers_pattern: ['h'] }, /in the layers 0, 1, 2, but the weights have/],
    [{ lora_alpha: 'many' }, /lora_alpha/],
  ])('refuses %j by name', (config, message) => {
    expect(() => readPeft(spoiled({ config }))).toThrow(message);
    expect(() => readPeft(spoiled({ config }))).toThrow(NomoatError);
  });

  it.each([
    ['an unknown module', rename(/q_proj/, 'query'), /self_attn\.query\.lora_A/],
    ['a DoRA vector', rename(/lora_A\.weight/, 'lora_magnitude_vector'), /lora_magnitude_vector/],
    ['half a pair', (all: NamedTensor[]) => all.slice(1), /layer 0 q_proj has lora_B but no lora_A/],
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

/** What the adapter adds to the matrix: scale * B A, [out, in]. */
function added({ pairs, rslora }: LoraAdapter, layer: number, projection: Projection): number[] {
  const pair = pairs.find((one) => one.layer === layer && one.projection === projection)!;
  const { a, b, inFeatures, outFeatures, rank } = pair;
  const scale = loraScale({ ...pair, rslora });
  return Array.from({ length: outFeatures * inFeatures }, (_, i) => {
    const [row, column] = [Math.floor(i / inFeatures), i % inFeatures];
    let sum = 0;
    for (let r = 0; r < rank; r++) sum += b[row * rank + r]! * a[r * inFeatures + column]!;
    return scale * sum;
  });
}
const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const apart = (left: readonly number[], right: readonly number[]): number => largest(left.map((v, i) => v - right[i]!));
/** B is zero in a fresh adapter; here it is not. */
const trained = (tensors: NamedTensor[]): NamedTensor[] =>
  tensors.map((tensor) => ({ ...tensor, values: tensor.values.map((value, i) => value + ((i * 7) % 11) / 100) }));
/** The two first of four rows of A, and columns of B, of a projection. */
const halved =
  (projection: string) =>
  (tensors: NamedTensor[]): NamedTensor[] =>
    trained(tensors).map((tensor) => {
      if (!tensor.name.includes(projection)) return tensor;
      const [rows, columns] = tensor.shape as [number, number];
      if (tensor.name.includes('lora_A'))
        return { ...tensor, shape: [2, columns], values: tensor.values.slice(0, 2 * columns) };
      return { ...tensor, shape: [rows, 2], values: tensor.values.filter((_, i) => i % columns < 2) };
    });

describe('what others write', () => {
  const told = (change: Parameters<typeof spoiled>[0]): { adapter: LoraAdapter; notes: string[] } => {
    const notes: string[] = [];
    const adapter = readPeft(spoiled(change), { note: (text) => notes.push(text) });
    return { adapter, notes };
  };
  const plain = told({ tensors: trained }).adapter;

  it.each([
    ['more target modules than weights', { target_modules: [...projections, 'W_pack'] }, /do not have: W_pack/],
    ['a pattern', { target_modules: '.*(q|k|v|o|gate|up|down)_proj' }, null],
    ['all-linear', { target_modules: 'all-linear' }, null],
    ['what is excluded and is not there', { exclude_modules: ['lm_head', 'layers.7.self_attn.q_proj'] }, null],
    ['no layers chosen', { layers_to_transform: [] }, null],
    [
      'a pattern of several parts',
      { target_modules: '(?:.*?layers\\.\\d+\\.(?:self_attn|mlp)\\.(?:q|k|v|o|gate|up|down)_proj)' },
      null,
    ],
    [
      'a pattern that is only of Python',
      { target_modules: '(?P<which>.*)_proj' },
      /has the pattern \(\?P<which>.*, which is not looked at/,
    ],
    [
      'whole paths',
      {
        target_modules: projections.flatMap((p) =>
          [0, 1, 2].map((n) => `model.layers.${n}.${p.length > 6 || p === 'up_proj' ? 'mlp' : 'self_attn'}.${p}`),
        ),
      },
      null,
    ],
    ['no target modules', { target_modules: null }, null],
    [
      'modules to save that are not there',
      { modules_to_save: ['classifier', 'score'] },
      /modules to save .*classifier, score/,
    ],
    ['biases that no module has', { bias: 'all' }, /bias = "all"/],
    ['fan_in_fan_out', { fan_in_fan_out: true }, /fan_in_fan_out/],
    ['layers by number', { layers_to_transform: [0, 1, 2], layers_pattern: 'layers' }, null],
    ['settings of later versions', { eva_config: null, runtime_config: { ephemeral_gpu_offload: false } }, null],
  ])('is taken as PEFT takes it: %s', (_, config, note) => {
    const { adapter, notes } = told({ config, tensors: trained });
    expect(adapter).toEqual(plain);
    if (note) expect(notes.join()).toMatch(note);
    else expect(notes).toEqual([]);
  });

  it.each([
    ['a model without its head', /^base_model\.model\.model\./, 'base_model.model.'],
    ['no prefix', /^base_model\.model\./, ''],
    ['the adapter by name', /\.weight$/, '.default.weight'],
    ['torch.compile', /^base_model\.model\./, 'base_model.model._orig_mod.'],
    ['DDP', /^/, 'module.'],
  ])('names of tensors: %s', (_, from, to) => {
    expect(told({ tensors: (all) => rename(from, to)(trained(all)) }).adapter).toEqual(plain);
  });

  it.each([false, true])('alphas and ranks by pattern give every module its own scale (rsLoRA: %s)', (rslora) => {
    const config = {
      use_rslora: rslora,
      rank_pattern: { v_proj: 2 },
      alpha_pattern: { 'self_attn.v_proj': 3, '^model.layers.1.mlp.up_proj': 32 },
    };
    const { adapter, notes } = told({ config, tensors: halved('v_proj') });
    const root = (rank: number): number => (rslora ? Math.sqrt(rank) : rank);
    expect(notes).toEqual([]);
    expect(summarizeAdapter(adapter)).toMatchObject({ ranks: [2, 4], alphas: [3, 8, 32], rslora });
    const filled: string[] = [];
    const even = evenAdapter(adapter, { part: 'it', layers: 3, note: (text) => filled.push(text) });
    expect(even).toMatchObject({ rank: 4, alpha: 8, rslora });
    expect(filled.join()).toMatch(/^it has ranks 2, 4: it is held with rank 4/);
    const again = join(folder, `patterns-${rslora}`);
    writePeft(again, adapter);
    expect(readPeft(again)).toEqual(adapter);
    // B's values are about 0.1, A's too: sums of 4.
    for (const layer of [0, 1, 2])
      for (const projection of projections) {
        const alpha = projection === 'v_proj' ? 3 : projection === 'up_proj' && layer === 1 ? 32 : 8;
        const own = projection === 'v_proj' ? 2 : 4;
        const raw =
          projection === 'v_proj'
            ? told({
                config: { r: 2, lora_alpha: 2 },
                tensors: (all) => halved('v_proj')(all).filter(({ name }) => name.includes('v_proj')),
              }).adapter
            : plain;
        const unit = added(
          { ...raw, pairs: raw.pairs.map((pair) => ({ ...pair, alpha: pair.rank })), rslora: false },
          layer,
          projection,
        );
        const wanted = unit.map((value) => (value * alpha) / root(own));
        for (const one of [adapter, even])
          expect(apart(added(one, layer, projection), wanted)).toBeLessThan(1e-5 * largest(wanted));
      }
  });

  it('one alpha for all modules by pattern stays that alpha', () => {
    const { adapter, notes } = told({ config: { alpha_pattern: { proj: 1, '.*_proj': 24 } }, tensors: trained });
    expect(adapter).toEqual({ ...plain, pairs: plain.pairs.map((pair) => ({ ...pair, alpha: 24 })) });
    expect(notes).toEqual([]);
  });

  it('layers and modules without weights stay as they are', () => {
    const some = (all: NamedTensor[]): NamedTensor[] =>
      trained(all).filter(({ name }) => !name.includes('layers.1.') && !/2\.mlp\.up/.test(name));
    const sparse = told({ config: { layers_to_transform: [0, 2] }, tensors: some }).adapter;
    expect(sparse.pairs).toHaveLength(2 * 7 - 1);
    const notes: string[] = [];
    const adapter = evenAdapter(sparse, { part: 'it', layers: 4, note: (text) => notes.push(text) });
    expect(adapter.pairs).toHaveLength(4 * 7);
    expect(notes.join()).toMatch(/has no weights for layer 1 q_proj, layer 1 k_proj, layer 1 v_proj and 12 more/);
    expect(added(adapter, 0, 'up_proj')).toEqual(added(plain, 0, 'up_proj'));
    for (const [layer, projection] of [
      [1, 'q_proj'],
      [2, 'up_proj'],
      [3, 'down_proj'],
    ] as const)
      expect(largest(added(adapter, layer, projection))).toBe(0);
    const again = join(folder, 'sparse');
    writePeft(again, sparse, 4);
    expect(readPeft(again)).toEqual(sparse);
    expect(() => evenAdapter(plain, { part: 'it', layers: 2 })).toThrow(
      /adapts layer 2, and the model's last layer is 1/,
    );
  });

  it('folders: divided weights, a run, several adapters, a pickle', () => {
    const path = spoiled({ tensors: trained });
    const [one, two] = [join(path, 'a-00001-of-00002.safetensors'), join(path, 'a-00002-of-00002.safetensors')];
    const all = peftTensors(plain);
    writeSafetensors(one, all.slice(0, 9));
    writeSafetensors(two, all.slice(9));
    const map = Object.fromEntries(all.map(({ name }, i) => [name, `a-0000${i < 9 ? 1 : 2}-of-00002.safetensors`]));
    rmSync(join(path, 'adapter_model.safetensors'));
    const index = join(path, 'adapter_model.safetensors.index.json');
    writeFileSync(index, JSON.stringify({ weight_map: map }));
    expect(readPeft(path)).toEqual(plain);
    rmSync(two);
    expect(() => readPeft(path)).toThrow(/has no a-00002-of-00002\.safetensors, which .* names/);
    writeFileSync(index, JSON.stringify({ weight_map: { x: '../secret.safetensors' } }));
    expect(() => readPeft(path)).toThrow(/no usable weight_map/);
    rmSync(index);
    writeFileSync(join(path, 'adapter_model.bin'), 'PK');
    expect(() => readPeft(path)).toThrow(/adapter_model\.bin.*pickle/);
    expect(() => readPeft(join(path, 'adapter_model.bin'))).toThrow(/pickle/);
    const run = join(folder, 'a-run');
    writePeft(join(run, 'adapter'), plain);
    expect(readPeft(run)).toEqual(plain);
    const trainer = join(folder, 'trainer');
    for (const name of ['checkpoint-2', 'checkpoint-10']) writePeft(join(trainer, name), plain);
    expect(() => readPeft(trainer)).toThrow(/checkpoint-10, .*checkpoint-2/);
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
