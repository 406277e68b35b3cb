import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile, GgufTensorInfo, GgufValue } from '../formats/gguf/types.ts';
import { architectures, largestMatrix, readModelConfig } from './config.ts';
import { unusedKeys } from './metadata-keys.ts';

const source = openGguf(join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf'));

/** The fixture with some metadata and tensors changed; null takes a key away. */
function changed(
  metadata: Readonly<Record<string, string | number | GgufValue | null>>,
  tensors: Readonly<Record<string, readonly number[]>> = {},
): GgufFile {
  const values = new Map<string, GgufValue>(source.metadata);
  for (const [key, value] of Object.entries(metadata)) {
    if (value === null) values.delete(key);
    else if (typeof value === 'object') values.set(key, value);
    else values.set(key, typeof value === 'string' ? { type: 'string', value } : { type: 'uint32', value });
  }
  const infos = new Map<string, GgufTensorInfo>(source.tensors);
  for (const [name, shape] of Object.entries(tensors))
    infos.set(name, { name, shape, type: 'F32', offset: 0, byteLength: 0 });
  const scalar = (key: string): unknown => values.get(key)?.value;
  return {
    ...source,
    path: 'model.gguf',
    metadata: values,
    tensors: infos,
    number: (key) => (typeof scalar(key) === 'number' ? (scalar(key) as number) : undefined),
    string: (key) => (typeof scalar(key) === 'string' ? (scalar(key) as string) : undefined),
  };
}

test('the fixture itself is accepted', () => {
  expect(readModelConfig(changed({}))).toMatchObject({ architecture: 'llama', layers: 3, headDim: 16, ropeScale: 1 });
});

test('other architectures are refused by name, with the list of those that work', () => {
  for (const name of ['gemma2', 'phi3', 'mamba']) {
    const read = (): unknown => readModelConfig(changed({ 'general.architecture': name }));
    expect(read).toThrow(`model.gguf: has the architecture ${name}, which nomoat cannot train`);
    for (const known of architectures) expect(read).toThrow(known);
  }
  expect(() => readModelConfig(changed({ 'general.architecture': null }))).toThrow('(none)');
});

test.each([
  ['a mixture of experts', { 'llama.expert_count': 8 }, {}, 'mixture of experts'],
  [
    'longrope',
    { 'llama.rope.scaling.type': 'longrope' },
    {},
    'uses rope scaling "longrope"; none, linear, yarn and rope_freqs are supported',
  ],
  ['heads that do not divide', { 'llama.attention.head_count_kv': 3 }, {}, 'no multiple of its 3 key/value heads'],
  ['a part of each head rotated', { 'llama.rope.dimension_count': 8 }, {}, 'rotates only a part of each head'],
  ['values of another width', { 'llama.attention.value_length': 8 }, {}, 'values of another width'],
  ['a missing number', { 'llama.block_count': null }, {}, 'llama.block_count is missing'],
  ['a wrong shape', {}, { 'output_norm.weight': [7] }, 'tensor output_norm.weight is [7], not [64]'],
  ['a tensor that is not computed with', {}, { 'blk.0.attn_output.bias': [64] }, 'which nomoat does not compute with'],
] as const)('%s', (_, metadata, tensors, message) => {
  // biome-ignore format: a table
  expect(() => readModelConfig(changed(metadata, tensors))).toThrow(message);
});

const float = (value: number): GgufValue => ({ type: 'float32', value });
const layered = (...value: number[]): GgufValue => ({ type: 'array', elementType: 'int32', value });

test.each([
  ['a factor without a type is linear, as llama.cpp has it', { 'llama.rope.scaling.factor': float(4) }, 4],
  ['the key of 2023', { 'llama.rope.scale_linear': float(4) }, 4],
  ['the newer key before the older', { 'llama.rope.scale_linear': float(4), 'llama.rope.scaling.factor': float(2) }, 2],
  ['a factor below one', { 'llama.rope.scaling.factor': float(0.5) }, 0.5],
  ['0 is no factor', { 'llama.rope.scaling.factor': float(0), 'llama.rope.scale_linear': float(4) }, 1],
  ['type none', { 'llama.rope.scaling.type': 'none', 'llama.rope.scaling.factor': float(4) }, 1],
  ['type linear', { 'llama.rope.scaling.type': 'linear', 'llama.rope.scaling.factor': float(8) }, 8],
] as const)('rope scaling: %s', (_, metadata, scale) => {
  expect(readModelConfig(changed(metadata)).ropeScale).toBe(scale);
});

test("YaRN's range and magnitude as llama.cpp computes them", () => {
  const yarn = {
    'llama.rope.scaling.type': 'yarn',
    'llama.rope.scaling.factor': float(4),
    'llama.rope.scaling.original_context_length': 32_768,
    'llama.rope.scaling.attn_factor': float(0.5),
  };
  // headDim 16, base 10000: 16 ln(32768 / 64 pi) / 2 ln 10000 = 4.4, 16 ln(32768 / 2 pi) / 2 ln 10000 = 7.4.
  const { ropeMagnitude, ...config } = readModelConfig(changed(yarn));
  expect(config).toMatchObject({ ropeBase: 10000, headDim: 16, ropeScale: 4, ropeYarn: { low: 4, high: 8 } });
  expect(ropeMagnitude).toBeCloseTo(0.5 * (1 + 0.1 * Math.log(4)), 6);
});

test('one value a layer is that value where all are the same', () => {
  const heads = source.number('llama.attention.head_count_kv')!;
  const same = { 'llama.attention.head_count_kv': layered(heads, heads, heads) };
  expect(readModelConfig(changed(same)).kvHeads).toBe(heads);
});

test.each([
  ['rope scaling of other kinds', { 'llama.rope.scaling.type': 'dynamic' }, 'uses rope scaling "dynamic"'],
  ['an adapter in place of its base', { 'general.type': 'adapter' }, 'is an adapter, not a model'],
  [
    'another remedy where another file helps',
    { 'llama.rope.scaling.type': 'longrope' },
    "Use the model's file without it",
  ],
  ['another remedy where converting helps', { 'llama.rope.scaling.factor': 4 }, 'Convert the model again'],
  ['a negative factor', { 'llama.rope.scaling.factor': float(-2) }, 'llama.rope.scaling.factor is -2'],
  ['attn_factor 0', { 'llama.rope.scaling.attn_factor': float(0) }, 'attn_factor is 0'],
  ['a factor of a type that llama.cpp does not load', { 'llama.rope.scaling.factor': 4 }, 'loads only a float32'],
  [
    'attention to later tokens',
    { 'llama.attention.causal': { type: 'bool', value: false } },
    'attends to later tokens',
  ],
  ['layers of different widths', { 'llama.attention.head_count_kv': layered(4, 2, 4) }, 'its layers differ in width'],
  ['an array of another length', { 'llama.feed_forward_length': layered(96, 96) }, 'has 2 values for 3 layers'],
  ['an array where llama.cpp wants a number', { 'llama.block_count': layered(3, 3, 3) }, 'is an array'],
  ['experts without their count', { 'llama.expert_used_count': 2 }, 'mixture of experts'],
  ['layers for several tokens at once', { 'llama.nextn_predict_layers': 1 }, 'several tokens at once'],
  ['no context length', { 'llama.context_length': null }, 'llama.context_length is missing'],
  ['no norm epsilon', { 'llama.attention.layer_norm_rms_epsilon': null }, 'layer_norm_rms_epsilon is missing'],
  ['a frequency base of zero', { 'llama.rope.freq_base': float(0) }, 'llama.rope.freq_base is 0'],
] as const)('refused: %s', (_, metadata, message) => {
  expect(() => readModelConfig(changed(metadata as Readonly<Record<string, GgufValue | null>>))).toThrow(message);
});

test('keys that neither llama.cpp nor nomoat computes with are listed', () => {
  const odd = changed({
    'llama.attention.sliding_window': 4096,
    'llama.logit_scale': float(2),
    'llama.constructor': 1,
    'llama.invented': 'x'.repeat(100),
  });
  expect(unusedKeys(source, 'llama')).toEqual([]);
  expect(unusedKeys(odd, 'llama')).toEqual([
    'llama.attention.sliding_window = 4096',
    'llama.logit_scale = 2',
    'llama.constructor = 1',
    `llama.invented = ${'x'.repeat(60)}...`,
  ]);
});

test('the largest matrix of a model by its name', () => {
  const vector = { name: 'output_norm.weight', shape: [9000] };
  const tensors = [
    { name: 'blk.0.ffn_up.weight', shape: [96, 64] },
    { name: 'token_embd.weight', shape: [500, 64] },
    vector,
  ];
  expect(largestMatrix(tensors)).toEqual({ name: 'token_embd.weight', rows: 500, columns: 64 });
});
