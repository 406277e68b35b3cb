/** Real answers of every endpoint have the schema that /openapi.json says, and nothing beside it. */
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { writeGgufLora } from '../../src/adapter/gguf-lora.ts';
import { readPeft } from '../../src/adapter/peft.ts';
import { openGguf } from '../../src/formats/gguf/read.ts';
import { errorSchema } from '../../src/server/openapi/components.ts';
import { descriptions } from '../../src/server/openapi/descriptions.ts';
import { withMetadata } from '../cases/support.ts';
import { LocalHub } from '../hub/local-hub.ts';
import { assertDescribed } from './described.ts';
import { folder, reference, type Served, served } from './support.ts';

let server: Served;
beforeAll(async () => {
  const models = join(folder, 'models');
  mkdirSync(join(models, 'adapters'), { recursive: true });
  cpSync(reference, join(models, 'base.gguf'));
  const base = openGguf(reference);
  writeGgufLora(join(models, 'adapters/polite.gguf'), readPeft(join(reference, '../lora.after20.safetensors')), base);
  base.close();
  withMetadata(reference, join(models, 'pooled.gguf'), { 'llama.pooling_type': { type: 'uint32', value: 1 } });
  server = await served({ runs: join(folder, 'described'), models: [models] }, { listMilliseconds: 0 });
});

const checked = new Set<string>();

interface Ask {
  readonly at?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly json?: object;
  readonly form?: Readonly<Record<string, string | Blob>>;
}

/** What requests send from when there are keys. */
let key: string | null = null;

async function sent(endpoint: string, { at = {}, form, json, query = '' }: Ask): Promise<Response> {
  const [method = '', path = ''] = endpoint.split(' ');
  const url = `${server.url}${path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(at[name]!))}${query}`;
  const headers: Record<string, string> = key === null ? {} : { Authorization: `Bearer ${key}` };
  if (json)
    return fetch(url, {
      method,
      body: JSON.stringify(json),
      headers: { ...headers, 'Content-Type': 'application/json' },
    });
  if (!form) return fetch(url, { method, headers });
  const body = new FormData();
  for (const [name, value] of Object.entries(form))
    typeof value === 'string' ? body.append(name, value) : body.append(name, value, 'x.jsonl');
  return fetch(url, { method, body });
}

/** What an endpoint answers, once it was held against its description. */
async function ask(endpoint: string, given: Ask = {}): Promise<Record<string, unknown>> {
  const { answer } = descriptions[endpoint]!;
  const found = await sent(endpoint, given);
  const type = found.headers.get('content-type') ?? '';
  if (!(answer instanceof z.ZodType)) {
    expect([found.status, type]).toEqual([200, answer.type]);
    checked.add(endpoint);
    return { text: await found.text() };
  }
  const body = (await found.json()) as Record<string, unknown>;
  expect(found.status, JSON.stringify(body)).toBe(200);
  expect(type).toMatch(/^application\/json/);
  assertDescribed(answer, body, endpoint);
  checked.add(endpoint);
  return body;
}

/** The events of a stream, held against theirs. */
async function follow(endpoint: string, given: Ask): Promise<unknown[]> {
  const found = await sent(endpoint, given);
  expect(found.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  const lines = (await found.text()).split('\n\n').filter(Boolean);
  if (endpoint !== 'POST /v1/responses') expect(lines.pop()).toBe('data: [DONE]');
  const events = lines.map((line) => JSON.parse(line.replace(/^(event: .*\n)?data: /, '')) as unknown);
  for (const event of events) assertDescribed(descriptions[endpoint]!.events!, event, endpoint);
  return events;
}

test('health, metrics and the document', async () => {
  for (const endpoint of ['GET /healthz', 'GET /readyz', 'GET /openapi.json', 'GET /metrics']) await ask(endpoint);
});

test('models', async () => {
  await ask('GET /v1/models');
  await ask('GET /v1/models/{id}', { at: { id: 'base' } });
  await ask('POST /v1/load_lora_adapter', {
    json: { lora_name: 'polite', lora_path: 'adapters/polite.gguf', base_model_name: 'base' },
  });
  await ask('POST /v1/unload_lora_adapter', { json: { lora_name: 'polite' } });
});

test('answers, whole and streamed, with and without log-probabilities', async () => {
  const messages = [{ role: 'user', content: 'What is your name?' }];
  for (const more of [{}, { logprobs: true, top_logprobs: 2 }, { n: 2, stop: 'a' }]) {
    const json = { model: 'nomoat-mini', messages, max_tokens: 6, ...more };
    await ask('POST /v1/chat/completions', { json });
    const stream = { ...json, stream: true, stream_options: { include_usage: true } };
    expect((await follow('POST /v1/chat/completions', { json: stream })).length).toBeGreaterThan(2);
  }
  for (const more of [{}, { logprobs: 2 }, { logprobs: 2, echo: true }, { prompt: ['a', 'b'] }]) {
    const json = { model: 'nomoat-mini', prompt: 'Once upon', max_tokens: 6, ...more };
    await ask('POST /v1/completions', { json });
    expect((await follow('POST /v1/completions', { json: { ...json, stream: true } })).length).toBeGreaterThan(2);
  }
});

test('responses, whole and streamed', async () => {
  const json = { model: 'nomoat-mini', input: 'What is your name?', max_output_tokens: 6 };
  await ask('POST /v1/responses', { json });
  expect((await follow('POST /v1/responses', { json: { ...json, stream: true } })).length).toBeGreaterThan(4);
});

test('embeddings, as numbers and as base64', async () => {
  for (const more of [{}, { encoding_format: 'base64' }])
    await ask('POST /v1/embeddings', { json: { model: 'pooled', input: ['a', 'b'], ...more } });
});

test('tokens and prompts', async () => {
  const messages = [{ role: 'user', content: 'a' }];
  for (const json of [{ prompt: 'a text' }, { messages }])
    await ask('POST /tokenize', { json: { model: 'nomoat-mini', ...json } });
  await ask('POST /detokenize', { json: { model: 'nomoat-mini', tokens: [1, 2, 3] } });
  await ask('POST /apply-template', { json: { model: 'nomoat-mini', messages } });
  const answered = [...messages, { role: 'assistant', content: 'Hi.' }];
  await ask('POST /v1/feedback', { json: { messages: answered, mark: 'good' } });
});

const rows = Array.from(
  { length: 12 },
  (_, i) => `${JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' })}\n`,
).join('');

test('files and uploads', async () => {
  const expiring = { 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '3600' };
  const { id } = await ask('POST /v1/files', { form: { file: new Blob([rows]), purpose: 'evals', ...expiring } });
  const at = { id: String(id) };
  await ask('GET /v1/files', { query: '?limit=1&order=asc&purpose=evals' });
  await ask('GET /v1/files/{id}', { at });
  expect((await ask('GET /v1/files/{id}/content', { at }))['text']).toBe(rows);
  await ask('DELETE /v1/files/{id}', { at });
  const json = { bytes: rows.length, filename: 'x.jsonl', mime_type: 'text/jsonl', purpose: 'fine-tune' };
  const upload = { id: String((await ask('POST /v1/uploads', { json }))['id']) };
  const part = await ask('POST /v1/uploads/{id}/parts', { at: upload, form: { data: new Blob([rows]) } });
  await ask('POST /v1/uploads/{id}/complete', { at: upload, json: { part_ids: [part['id']] } });
  const other = { id: String((await ask('POST /v1/uploads', { json }))['id']) };
  await ask('POST /v1/uploads/{id}/cancel', { at: other });
});

test('jobs, from the file to the removal of the model', { timeout: 120_000 }, async () => {
  const file = await ask('POST /v1/files', { form: { file: new Blob([rows]), purpose: 'fine-tune' } });
  const start = (n_epochs: number) =>
    ask('POST /v1/fine_tuning/jobs', {
      json: { model: 'base', training_file: file['id'], metadata: { team: 'a' }, hyperparameters: { n_epochs } },
    });
  const until = async (at: { id: string }, status: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const job = await ask('GET /v1/fine_tuning/jobs/{id}', { at });
      if (job['status'] === status) return job;
      expect(['failed', 'cancelled', 'succeeded'], JSON.stringify(job)).not.toContain(job['status']);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const long = { id: String((await start(50))['id']) };
  await until(long, 'running');
  for (const action of ['pause', 'resume', 'cancel'])
    await ask(`POST /v1/fine_tuning/jobs/{id}/${action}`, { at: long });
  const at = { id: String((await start(3))['id']) };
  const { fine_tuned_model: model } = await until(at, 'succeeded');
  await ask('GET /v1/fine_tuning/jobs', { query: '?metadata[team]=a&limit=3' });
  await ask('GET /v1/fine_tuning/jobs/{id}/events', { at, query: '?limit=100' });
  expect((await follow('GET /v1/fine_tuning/jobs/{id}/events', { at, query: '?stream=true' })).length).toBeGreaterThan(
    5,
  );
  const checkpoints = await ask('GET /v1/fine_tuning/jobs/{id}/checkpoints', { at });
  expect(checkpoints['data']).not.toEqual([]);
  const of = { model: String(model) };
  const granted = await ask('POST /v1/fine_tuning/checkpoints/{model}/permissions', {
    at: of,
    json: { project_ids: ['p'] },
  });
  await ask('GET /v1/fine_tuning/checkpoints/{model}/permissions', { at: of });
  const [{ id } = { id: '' }] = granted['data'] as { id: string }[];
  await ask('DELETE /v1/fine_tuning/checkpoints/{model}/permissions/{id}', { at: { ...of, id } });
  await ask('DELETE /v1/models/{id}', { at: { id: String(model) } });
});

test('the routes of the studio', async () => {
  await ask('GET /studio/v1/state');
  await ask('GET /studio/v1/settings');
  const { id } = await ask('POST /v1/files', { form: { file: new Blob([rows]), purpose: 'user_data' } });
  const asked = { data: [id], model: 'nomoat-mini', settings: { maxSteps: 2, verdictShare: 0 } };
  for (const call of ['preview', 'inspect-data', 'plan']) await ask(`POST /studio/v1/${call}`, { json: asked });
  const { run } = await ask('POST /studio/v1/runs', { json: { ...asked, name: 'a studio' } });
  const at = { name: String(run) };
  while ((await ask('GET /studio/v1/runs/{name}', { at }))['state'] !== 'done')
    await new Promise((resolve) => setTimeout(resolve, 50));
  await ask('GET /studio/v1/runs');
  const first = await ask('GET /studio/v1/runs/{name}/events', { at });
  expect((first['events'] as object[]).length).toBeGreaterThan(5);
  const query = `?${new URLSearchParams({ after: String(first['after']), mark: String(first['mark']) })}`;
  expect(await ask('GET /studio/v1/runs/{name}/events', { at, query })).toMatchObject({ anew: false, events: [] });
  await ask('GET /studio/v1/runs/{name}/report', { at });
  await ask('GET /studio/v1/runs/{name}/page', { at });
  await tasksOf(String(run), String(id));
});

/** Each kind is begun, and stopped again but for the first. */
async function tasksOf(run: string, file: string): Promise<void> {
  const data = [file];
  const bodies: Readonly<Record<string, object>> = {
    lineage: { adapter: run },
    inspect: { run },
    compare: { run, other: run },
    tokens: { run, data },
    sources: { run, answer: 'x', seconds: 0 },
    lens: { run, prompt: 'x' },
    evaluate: { run, data },
    check: { run, limit: 1 },
    merge: { adapters: [run, run], name: 'merged' },
    export: { run, to: 'gguf', name: 'adapter.gguf' },
    pack: { adapter: run, license: 'mit', name: 'bundle' },
    verify: { bundle: '.' },
    push: { source: run, to: 'org/name' },
  };
  const begun: string[] = [];
  for (const [kind, json] of Object.entries(bodies))
    begun.push(String((await ask(`POST /studio/v1/tasks/${kind}`, { json }))['id']));
  const [first = '', ...others] = begun;
  // Those that wait first: none of them begins.
  for (const id of others.reverse())
    expect(await ask('POST /studio/v1/tasks/{id}/cancel', { at: { id } })).toMatchObject({ state: 'cancelled' });
  while (/waiting|running/.test(String((await ask('GET /studio/v1/tasks/{id}', { at: { id: first } }))['state'])))
    await new Promise((resolve) => setTimeout(resolve, 50));
  const { tasks } = (await ask('GET /studio/v1/tasks')) as { tasks: { id: string; kind: string; state: string }[] };
  expect(tasks.find(({ id }) => id === first)).toMatchObject({ kind: 'lineage', state: 'done' });
}

test('what the studio says of the server, of keys and of what was made', async () => {
  await ask('GET /studio/v1/exports');
  await ask('POST /studio/v1/signing-keys', { json: { name: `described-${process.pid}` } });
  await ask('GET /studio/v1/signing-keys');
  await ask('POST /v1/chat/completions', {
    json: { model: 'nomoat-mini', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] },
  });
  const { contexts, requests } = (await ask('GET /studio/v1/server')) as { contexts: object[]; requests: object[] };
  expect(contexts.at(-1)).toMatchObject({ adapters: 0, bytes: expect.any(Number) });
  expect(requests[0]).toMatchObject({ route: '/v1/chat/completions', model: 'nomoat-mini', status: 200 });
});

test('the routes of the studio for models that are not here', async () => {
  const hub = new LocalHub();
  const before = { ...process.env };
  process.env.HF_ENDPOINT = await hub.listen();
  process.env.HF_HOME = join(folder, 'hub');
  hub.publish('ada/tiny', { 'tiny-Q8_0.gguf': readFileSync(reference), 'README.md': '---\nlicense: mit\n---\n' });
  try {
    await ask('GET /studio/v1/catalogue');
    const { id } = await ask('POST /studio/v1/pulls', { json: { name: 'ada/tiny' } });
    const at = { id: String(id) };
    const state = async (): Promise<string> =>
      ((await ask('GET /studio/v1/pulls'))['pulls'] as { state: string }[])[0]!.state;
    while ((await state()) === 'looking') await new Promise((resolve) => setTimeout(resolve, 20));
    await ask('POST /studio/v1/pulls/{id}/agree', { at });
    while ((await state()) === 'fetching') await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await ask('POST /studio/v1/pulls/{id}/cancel', { at })).toMatchObject({ state: 'done' });
  } finally {
    process.env = before;
    await hub.close();
  }
});

test('the routes of the studio for what is said', async () => {
  const at = { id: 'chat-described' };
  const answer = { model: 'nomoat-mini', text: 'Yes.', thoughts: '', calls: [], cut: false, fault: null };
  const chat = {
    title: 'Hi',
    models: ['nomoat-mini'],
    system: '',
    sampling: { temperature: 0, topP: null, maxTokens: 9, seed: null },
    blind: false,
    turns: [{ prompt: 'Hi?', answers: [{ ...answer, mark: 'good', better: null }], order: null, vote: { best: 0 } }],
  };
  await ask('POST /studio/v1/chats/{id}', { at, json: { ...chat, saved: null } });
  await ask('GET /studio/v1/chats');
  expect(await ask('GET /studio/v1/chats/{id}', { at })).toMatchObject({ chat });
  for (const from of ['marks', 'conversations', 'example'])
    expect((await ask('POST /studio/v1/data-sets', { json: { from } }))['rows']).toBeGreaterThan(0);
  await ask('DELETE /studio/v1/chats/{id}', { at });
});

test('errors have their schema on every endpoint', async () => {
  let refused = 0;
  for (const endpoint of Object.keys(descriptions)) {
    const json = endpoint.startsWith('POST') ? { json: { none: 1 } } : {};
    const found = await sent(endpoint, { at: { id: 'none', model: 'none', name: 'none' }, query: '?none=1', ...json });
    if (found.ok) continue;
    assertDescribed(errorSchema, await found.json(), endpoint);
    refused++;
  }
  expect(refused).toBeGreaterThan(15);
});

test('other methods are refused, with those that there are', async () => {
  for (const endpoint of Object.keys(descriptions)) {
    const [own = '', path = ''] = endpoint.split(' ');
    const found = await sent(`PATCH ${path}`, { at: { id: 'none', model: 'none', name: 'none' } });
    const body = (await found.json()) as { error: { code: string } };
    assertDescribed(errorSchema, body, endpoint);
    expect([found.status, body.error.code], endpoint).toEqual([405, 'method_not_allowed']);
    expect(found.headers.get('allow')?.split(', '), endpoint).toContain(own);
  }
});

test('keys of programs, one of which is asked for from then on', async () => {
  ({ key } = (await ask('POST /studio/v1/keys', { json: { name: 'described', scope: 'admin' } })) as { key: string });
  await ask('GET /studio/v1/keys');
  await ask('DELETE /studio/v1/keys/{name}', { at: { name: 'described' } });
});

test('no endpoint was left out', () => {
  const left = Object.keys(descriptions).filter((endpoint) => !checked.has(endpoint));
  expect(left, 'ask each of these above, so that its answer is held against its schema').toEqual([]);
});
