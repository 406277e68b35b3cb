/** POST /v1/embeddings by the official client, with a model whose file says that its last token is the vector of a text. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type OpenAI from 'openai';
import { BadRequestError } from 'openai';
import { beforeAll, expect, test } from 'vitest';
import { openGguf } from '../../src/formats/gguf/read.ts';
import { NomoatError, openEmbedder, openModel } from '../../src/index.ts';
import { withMetadata } from '../cases/support.ts';
import { folder, reference, type Served, served } from './support.ts';

const models = join(folder, 'models');
mkdirSync(models);
const pooled = (name: string, value: number): string =>
  withMetadata(reference, join(models, `${name}.gguf`), { 'llama.pooling_type': { type: 'uint32', value } });
const last = pooled('last', 3);
pooled('mean', 1);
pooled('rank', 4);

let server: Served;
let client: OpenAI;
beforeAll(async () => {
  server = await served({ models: [models] });
  ({ client } = server);
});
const vectorsOf = async (input: OpenAI.EmbeddingCreateParams['input'], more: object = {}) =>
  (await client.embeddings.create({ model: 'last', input, ...more })).data.map(({ embedding }) => embedding);
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

test('vectors of unit length, in the order of the texts, counted', async () => {
  const texts = ['a cat', 'a dog', 'a cat'];
  const answer = await client.embeddings.create({ model: 'last', input: texts });
  expect(answer).toMatchObject({ object: 'list', model: 'last' });
  expect(answer.data.map(({ index, object }) => [index, object])).toEqual([0, 1, 2].map((i) => [i, 'embedding']));
  const [cat, dog, again] = answer.data.map(({ embedding }) => embedding);
  expect(dot(cat!, cat!)).toBeCloseTo(1, 5);
  expect(again).toEqual(cat);
  expect(dot(cat!, dog!)).toBeLessThan(0.999);
  expect(answer.usage.prompt_tokens).toBe(answer.usage.total_tokens);
  expect(answer.usage.prompt_tokens % 3).toBe(0);
});

test('as numbers and as base64, of texts and of their tokens', async () => {
  const [base64] = await vectorsOf('a cat');
  const [float] = await vectorsOf('a cat', { encoding_format: 'float' });
  expect(base64!.length).toBe(float!.length);
  expect(float).toEqual(base64);
  await using model = await openModel({ model: last, threads: 1 });
  const tokens = model.tokenize('a cat');
  expect(await vectorsOf(tokens)).toEqual([base64]);
  expect(await vectorsOf([tokens, tokens])).toEqual([base64, base64]);
});

test('the vector is the hidden state of the last token: the likeliest next token follows from it', async () => {
  await using embedder = await openEmbedder({ model: last, threads: 1 });
  await using model = await openModel({ model: last, threads: 1 });
  const gguf = openGguf(last);
  const head = gguf.readFloat32('token_embd.weight');
  gguf.close();
  for (const text of ['a cat', 'once upon', 'x']) {
    const { tokens, vector } = await embedder.embed(text);
    const width = embedder.dimensions;
    const logits = Array.from({ length: head.length / width }, (_, i) =>
      dot([...head.subarray(i * width, (i + 1) * width)], [...vector]),
    );
    const prompt = model.tokenize(text);
    expect(tokens).toBe(prompt.length);
    const { logProbabilities } = await model.continue(prompt, { temperature: 0, maxTokens: 1, logProbabilities: 0 });
    expect(logits.indexOf(Math.max(...logits)), text).toBe(logProbabilities![0]!.id);
  }
});

test('another pooling is another vector', async () => {
  const [mean] = await vectorsOf('a cat and a dog', { model: 'mean' });
  const [end] = await vectorsOf('a cat and a dog');
  expect(dot(mean!, end!)).toBeLessThan(0.999);
});

test.each([
  ['model', 'no_embeddings', { model: 'nomoat-mini' }],
  ['model', 'no_embeddings', { model: 'rank' }],
  ['model', 'model_not_found', { model: 'none' }],
  ['dimensions', 'unsupported_parameter', { dimensions: 2 }],
  ['encoding_format', 'invalid_value', { encoding_format: 'int8' }],
  ['input', 'invalid_value', { input: '' }],
  ['input', 'invalid_value', { input: [] }],
  ['input', 'missing_required_parameter', { input: undefined }],
  ['input', 'context_length_exceeded', { input: 'and on '.repeat(400) }],
  ['input', 'invalid_value', { input: [1_000_000] }],
  ['why', 'unknown_parameter', { why: 1 }],
])('%s: %s', async (param, code, body) => {
  const error = await client.embeddings
    .create({ model: 'last', input: 'x', ...body } as OpenAI.EmbeddingCreateParams)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ param, code });
  expect(String(error)).not.toContain(models);
  if (code !== 'model_not_found') expect(error).toBeInstanceOf(BadRequestError);
});

test('models that make none, from code; one that is closed', async () => {
  await expect(openEmbedder({ model: reference })).rejects.toThrow('does not say how its hidden states become');
  const embedder = await openEmbedder({ model: last, threads: 1 });
  await embedder.close();
  await expect(embedder.embed('x')).rejects.toBeInstanceOf(NomoatError);
});
