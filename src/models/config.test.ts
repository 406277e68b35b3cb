import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openGguf } from '../files/gguf/read.ts';
import type { GgufFile, GgufTensorInfo, GgufValue } from '../files/gguf/types.ts';
import { architectures, largestMatrix, readModelConfig } from './config.ts';

const source = openGguf(join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf'));

/** The fixture with some metadata and tensors changed; null takes a key away. */
function changed(
  metadata: Readonly<Record<string, string | number | null>>,
  tensors: Readonly<Record<string, number[]>> = {},
): GgufFile {
  const values = new Map<string, GgufValue>(source.metadata);
  for (const [key, value] of Object.entries(metadata)) {
    if (value === null) values.delete(key);
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
    'yarn',
    { 'llama.rope.scaling.type': 'yarn' },
    {},
    'uses rope scaling "yarn"; none, linear and rope_freqs are supported',
  ],
  ['heads that do not divide', { 'llama.attention.head_count_kv': 3 }, {}, 'no multiple of its 3 key/value heads'],
  ['a part of each head rotated', { 'llama.rope.dimension_count': 8 }, {}, 'rotates only a part of each head'],
  ['values of another width', { 'llama.attention.value_length': 8 }, {}, 'values of another width'],
  ['a missing number', { 'llama.block_count': null }, {}, 'llama.block_count is missing'],
  ['a wrong shape', {}, { 'output_norm.weight': [7] }, 'tensor output_norm.weight is [7], not [64]'],
  ['a tensor that is not computed with', {}, { 'blk.0.attn_output.bias': [64] }, 'which nomoat does not compute with'],
] as const)('%s', (_, metadata, tensors, message) => {
  // biome-ignore format: a table
  expect(() => readModelConfig(changed(metadata, tensors as unknown as Record<string, number[]>))).toThrow(message);
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
