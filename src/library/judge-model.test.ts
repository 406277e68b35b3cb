import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { evaluate } from './evaluate.ts';
import { judgeModel } from './judge-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-judge-'));
const heard: { readonly path: string; readonly key: string | undefined; readonly body: Record<string, unknown> }[] = [];
const server = createServer((request: IncomingMessage, response) => {
  let text = '';
  request.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  request.on('end', () => {
    heard.push({ path: request.url!, key: request.headers.authorization, body: JSON.parse(text) });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: 'A' } }] }));
  });
});
beforeAll(async () => {
  vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

test('a judge is asked over HTTP, with its key, and not twice for the same', async () => {
  const judge = judgeModel(`${url()}/v1/org/a-model`, { NOMOAT_JUDGE_API_KEY: 'secret', OPENAI_API_KEY: 'other' });
  expect(judge.name).toBe('org/a-model');
  const messages = [{ role: 'user', content: 'A, B or TIE?' }];
  expect([await judge.ask(messages), await judge.ask(messages)]).toEqual(['A', 'A']);
  expect(heard).toMatchObject([
    { path: '/v1/chat/completions', key: 'Bearer secret', body: { model: 'org/a-model', messages, temperature: 0 } },
  ]);
  // The key of OpenAI goes nowhere else.
  await judgeModel(`${url()}/v1/other`, { OPENAI_API_KEY: 'other' }).ask(messages);
  expect(heard[1]!.key).toBeUndefined();
});

test('what names no judge is refused before anything is computed', async () => {
  for (const given of ['gpt-9', 'http://host', 'ftp://host/v1/model'])
    expect(() => judgeModel(given), given).toThrow(/Give address and model/);
  await expect(evaluate({ model: 'nomoat-mini', data: 'none', judge: `${url()}/v1/m` })).rejects.toMatchObject({
    fault: 'has nothing to compare the answers with',
  });
  await expect(judgeModel('http://127.0.0.1:9/v1/m', {}).ask([])).rejects.toMatchObject({
    code: 'server-unreachable',
    part: 'the judge at http://127.0.0.1:9/v1',
    remedy: expect.stringMatching(/^Give the address of an API like OpenAI's/),
  });
});

test('an evaluation has the opinion, called one, beside what it measured', async () => {
  const data = join(folder, 'data.jsonl');
  writeFileSync(
    data,
    Array.from({ length: 6 }, (_, i) => `${JSON.stringify({ prompt: `Say ${i}`, completion: `${i}` })}\n`).join(''),
  );
  const mini = 'nomoat-mini';
  const { judgements, verdict } = await evaluate({
    model: mini,
    against: [mini],
    data,
    maxTokens: 4,
    judge: `${url()}/v1/m`,
  });
  // The same answers twice: nothing to ask about.
  expect(judgements).toMatchObject([{ judge: 'm', wins: 0, losses: 0, ties: 6, disagreed: 0 }]);
  expect(verdict.join('\n')).toContain(
    'Opinion of m, no measurement: nomoat-mini is on too few examples to say, beside nomoat-mini (2)',
  );
});
