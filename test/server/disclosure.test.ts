/** Answers of a server that discloses them carry the mark, whole and in pieces; those of others do not. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reference, served } from './support.ts';

const models = [join(reference, '..')];
const body = { model: 'base', messages: [{ role: 'user', content: 'number 3' }], max_tokens: 2 };
const ask = (url: string, route: string, more: object): Promise<Response> =>
  fetch(`${new URL(url).origin}${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, ...more }),
  });

test('header and field, on every route that a model answers, and in each piece of a stream', async () => {
  const server = await served({ models, disclose: true });
  const { data } = (await (await fetch(`${new URL(server.url).origin}/v1/models`)).json()) as {
    data: { id: string }[];
  };
  const model = data[0]!.id;
  for (const [route, more] of [
    ['/v1/chat/completions', {}],
    ['/v1/completions', { messages: undefined, prompt: 'number' }],
    ['/v1/responses', { messages: undefined, max_tokens: undefined, max_output_tokens: 16, input: 'number' }],
  ] as const) {
    // biome-ignore format: a table
    const response = await ask(server.url, route, { model, ...more });
    expect([route, response.status, response.headers.get('x-ai-generated')]).toEqual([route, 200, '1']);
    expect(await response.json()).toMatchObject({ ai_generated: true });
  }
  const stream = await (await ask(server.url, '/v1/chat/completions', { model, stream: true })).text();
  const pieces = [...stream.matchAll(/^data: (\{.*\})$/gm)].map(([, text]) => JSON.parse(text!) as object);
  expect(pieces.length).toBeGreaterThan(1);
  for (const piece of pieces) expect(piece).toMatchObject({ ai_generated: true });
}, 60_000);

test('without it there is none', async () => {
  const server = await served({ models });
  const { data } = (await (await fetch(`${new URL(server.url).origin}/v1/models`)).json()) as {
    data: { id: string }[];
  };
  const response = await ask(server.url, '/v1/chat/completions', {
    model: data[0]!.id,
  });
  expect([response.status, response.headers.get('x-ai-generated')]).toEqual([200, null]);
  expect(await response.json()).not.toHaveProperty('ai_generated');
}, 60_000);
