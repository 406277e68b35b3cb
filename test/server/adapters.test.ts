/** vLLM's routes for adapters, and /metrics: over a real socket, against real models. */
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { writeGgufLora } from '../../src/adapter/gguf-lora.ts';
import { readPeft } from '../../src/adapter/peft.ts';
import { openGguf } from '../../src/formats/gguf/read.ts';
import { folder, reference, type Served, served } from './support.ts';

const models = join(folder, 'models');
const outside = join(folder, 'outside');
const weights = join(reference, '..', 'lora.after20.safetensors');

function ggufLora(path: string): void {
  const gguf = openGguf(reference);
  writeGgufLora(path, readPeft(weights), gguf);
  gguf.close();
}

let server: Served;
beforeAll(async () => {
  for (const path of [outside, join(models, 'adapters/peft'), join(models, 'linked')])
    mkdirSync(path, { recursive: true });
  cpSync(reference, join(models, 'reference.gguf'));
  ggufLora(join(models, 'adapters/polite.gguf'));
  ggufLora(join(models, 'beside.gguf'));
  ggufLora(join(outside, 'secret.gguf'));
  symlinkSync(join(outside, 'secret.gguf'), join(models, 'adapters/link.gguf'));
  symlinkSync(outside, join(models, 'way'));
  symlinkSync(join(models, 'adapters'), join(models, 'within'));
  // A folder of PEFT's: as it was trained, and one whose weights are a link out of the folder.
  const config = {
    peft_type: 'LORA',
    r: readPeft(weights).pairs[0]!.rank,
    lora_alpha: readPeft(weights).pairs[0]!.alpha,
    target_modules: 'all-linear',
  };
  for (const name of ['adapters/peft', 'linked'])
    writeFileSync(join(models, name, 'adapter_config.json'), JSON.stringify(config));
  cpSync(weights, join(models, 'adapters/peft/adapter_model.safetensors'));
  cpSync(weights, join(outside, 'adapter_model.safetensors'));
  symlinkSync(join(outside, 'adapter_model.safetensors'), join(models, 'linked/adapter_model.safetensors'));
  server = await served({ models: [models], memory: '900MB' });
});

const post = async (path: string, body: object) => {
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    text,
    error: answer.ok ? null : (JSON.parse(text) as { error: { param: string; code: string; message: string } }).error,
  };
};
const load = (lora_name: string, lora_path: string, more: object = {}) =>
  post('/v1/load_lora_adapter', { lora_name, lora_path, ...more });
const ask = async (model: string) =>
  (await server.client.completions.create({ model, prompt: 'number 3', temperature: 0, max_tokens: 12 })).choices[0]!
    .text;

test('an adapter below the folders becomes a model, by file or by folder, and is one no more', async () => {
  const plain = await ask('reference');
  // One that lies beside models is none of them.
  expect((await server.client.models.list()).data.map(({ id }) => id)).toEqual(['reference', 'nomoat-mini']);
  expect(await load('beside', 'beside.gguf')).toMatchObject({ status: 200 });
  expect(await post('/v1/unload_lora_adapter', { lora_name: 'beside' })).toMatchObject({ status: 200 });
  expect(await load('polite', 'adapters/polite.gguf')).toMatchObject({
    status: 200,
    text: "Success: LoRA adapter 'polite' added successfully.",
  });
  expect(await load('as-peft', 'adapters/peft', { base_model_name: 'reference' })).toMatchObject({ status: 200 });
  expect(await load('within', 'within/polite.gguf')).toMatchObject({ status: 200 });
  const told = await server.client.models.retrieve('polite');
  expect(told).toMatchObject({ id: 'polite', parent: 'reference', root: 'reference' });
  expect((await server.client.models.list()).data.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['polite', 'as-peft', 'within']),
  );
  const polite = await ask('polite');
  expect(polite).not.toBe(plain);
  expect([await ask('as-peft'), await ask('within')]).toEqual([polite, polite]);
  const half = {
    model: 'reference',
    prompt: 'number 3',
    temperature: 0,
    max_tokens: 12,
    lora: [{ id: 'polite', scale: 1 }],
  };
  expect((await server.client.completions.create(half)).choices[0]!.text).toBe(polite);
  expect(await load('polite', 'adapters/polite.gguf')).toMatchObject({ status: 400, error: { param: 'lora_name' } });
  expect(await load('reference', 'adapters/polite.gguf')).toMatchObject({ status: 400, error: { param: 'lora_name' } });
  for (const name of ['polite', 'as-peft', 'within'])
    expect(await post('/v1/unload_lora_adapter', { lora_name: name })).toMatchObject({
      status: 200,
      text: `Success: LoRA adapter '${name}' removed successfully.`,
    });
  expect(await post('/v1/unload_lora_adapter', { lora_name: 'polite' })).toMatchObject({
    status: 404,
    error: { param: 'lora_name', code: 'adapter_not_found' },
  });
  await expect(ask('polite')).rejects.toMatchObject({ status: 404 });
});

test.each([
  '../outside/secret.gguf',
  'adapters/../../outside/secret.gguf',
  'adapters/link.gguf',
  'way/secret.gguf',
  'linked',
  join(outside, 'secret.gguf'),
  join(models, 'adapters/polite.gguf'),
  'C:\\adapters\\polite.gguf',
  '..\\outside\\secret.gguf',
  'adapters/./polite.gguf',
  '.',
  '/etc/passwd',
  'adapters/none.gguf',
  'adapters/polite.gguf\0',
  '%2e%2e/outside/secret.gguf',
  'x'.repeat(2000),
])('%s is no adapter below the folders, and what lies elsewhere is not told', async (path) => {
  const { error, status } = await load('other', path);
  expect([400, 404]).toContain(status);
  expect(error).toMatchObject({ param: 'lora_path' });
  expect(error!.message).not.toContain(folder);
  expect(await server.client.models.list().then(({ data }) => data.map(({ id }) => id))).not.toContain('other');
});

test('what is no adapter, has no base here, or is asked with what nobody knows', async () => {
  expect(await load('x', 'reference.gguf')).toMatchObject({ status: 400, error: { param: 'base_model_name' } });
  expect(await load('x', 'reference.gguf', { base_model_name: 'reference' })).toMatchObject({
    status: 422,
    error: { param: 'lora_path', code: 'unusable_adapter' },
  });
  expect(await load('x', 'adapters')).toMatchObject({ status: 422, error: { param: 'lora_path' } });
  expect(await load('x', 'adapters/polite.gguf', { base_model_name: 'none' })).toMatchObject({
    status: 404,
    error: { param: 'base_model_name' },
  });
  expect(await load('x\n', 'adapters/polite.gguf')).toMatchObject({ status: 400, error: { param: 'lora_name' } });
  expect(await load('x', 'adapters/polite.gguf', { load_inplace: true })).toMatchObject({
    status: 400,
    error: { param: 'load_inplace', code: 'unsupported_parameter' },
  });
  expect(await load('x', 'adapters/polite.gguf', { rank: 8 })).toMatchObject({
    status: 400,
    error: { param: 'rank', code: 'unknown_parameter' },
  });
});

test('metrics count requests and tokens, and say what is open and how much slower adapters are, without a name that a client made', async () => {
  await load('a-clients-secret', 'adapters/polite.gguf');
  for (const model of ['reference', 'a-clients-secret'])
    await server.client.completions.create({
      model,
      prompt: 'another secret',
      temperature: 0,
      max_tokens: 40,
      user: null as never,
    });
  await server.client.completions.create({ model: 'a-missing-secret', prompt: 'x' }).catch(() => {});
  const answer = await fetch(`${server.url}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await answer.text();
  expect(text).not.toContain('secret');
  const value = (pattern: string): number => Number(new RegExp(`^${pattern} (\\S+)$`, 'm').exec(text)?.[1]);
  expect(value('nomoat_requests_total\\{route="/v1/completions",status="200"\\}')).toBeGreaterThan(1);
  expect(value('nomoat_requests_total\\{route="/v1/completions",status="404"\\}')).toBeGreaterThan(0);
  expect(value('nomoat_tokens_total\\{kind="completion"\\}')).toBeGreaterThan(79);
  expect(value('nomoat_first_token_seconds_count')).toBeGreaterThan(1);
  expect(value('nomoat_memory_limit_bytes')).toBe(900e6);
  expect(value('nomoat_base_bytes\\{base="reference.gguf"\\}')).toBeGreaterThan(600_000);
  expect(value('nomoat_context_bytes\\{context="\\d+",base="reference.gguf",adapters="1"\\}')).toBeGreaterThan(100_000);
  expect(value('nomoat_context_token_seconds\\{context="\\d+",base="reference.gguf",adapters="0"\\}')).toBeGreaterThan(
    0,
  );
  expect(value('nomoat_adapter_slowdown\\{context="\\d+",base="reference.gguf",adapters="1"\\}')).toBeGreaterThan(0.1);
  expect([value('nomoat_requests_running'), value('nomoat_requests_waiting')]).toEqual([0, 0]);
});
