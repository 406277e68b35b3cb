/** A server from another program: its models to chat with, its jobs to follow, as the library and the command line have them. */
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { toFile } from 'openai';
import { afterAll, expect, test } from 'vitest';
import { connectServer } from '../../src/library/server-client.ts';
import { repo } from '../cases/support.ts';
import { endless, folder, reference, type Served, served } from './support.ts';

const asked = [{ role: 'user', content: 'number 3' }] as const;
const limits = { listMilliseconds: 0 };
const models = [join(reference, '..')];

const others: Server[] = [];
afterAll(() => {
  for (const server of others) server.close();
});
/** Another program that answers in the place of a server. */
const answering = (listener: Parameters<typeof createServer>[1]): Promise<string> =>
  new Promise((resolve) => {
    const server = createServer(listener as () => void);
    others.push(server);
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}
/** The built command line; without blocking, since the server answers in this process. */
const nomoat = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(repo, 'dist/cli/main.js'), ...args],
      { env: { ...process.env, ...env } },
      (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
    child.stdin?.end();
  });

/** A job on a small file. */
async function started({ client }: Served, epochs = 2): Promise<string> {
  const rows = Array.from(
    { length: 20 },
    (_, i) => `${JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' })}\n`,
  ).join('');
  const file = await client.files.create({
    file: await toFile(Buffer.from(rows), 'train.jsonl'),
    purpose: 'fine-tune',
  });
  const job = await client.fineTuning.jobs.create({
    model: 'base',
    training_file: file.id,
    suffix: 'remote',
    hyperparameters: { n_epochs: epochs, batch_size: 4 },
  });
  return job.id;
}

test('a model of a server answers as the official client has it, with the tokens counted', async () => {
  const { client, url } = await served({ models, runs: join(folder, 'remote-chat') }, limits);
  const pieces: string[] = [];
  const options = { temperature: 0, maxTokens: 6, frequencyPenalty: 0.5 };
  const generated = await connectServer({ url })
    .model('base')
    .generate(asked, { ...options, onText: (piece) => pieces.push(piece) });
  const other = await client.chat.completions.create({
    model: 'base',
    messages: [...asked],
    temperature: 0,
    max_tokens: 6,
    frequency_penalty: 0.5,
  });
  expect(generated.text).toBe(other.choices[0]!.message.content);
  expect(pieces.join('')).toBe(generated.text);
  expect(generated).toMatchObject({ tokens: 6, promptTokens: other.usage!.prompt_tokens, stopReason: 'length' });
});

test('an answer that is stopped is what came of it', async () => {
  const path = endless(join(folder, 'endless.gguf'));
  const { url } = await served({ models: [join(path, '..')], runs: join(folder, 'remote-stop') }, limits);
  const stop = new AbortController();
  const { signal } = stop;
  const generated = await connectServer({ url })
    .model('endless')
    .generate(asked, { temperature: 0, signal, onText: () => stop.abort() });
  expect(generated.stopReason).toBe('aborted');
  expect(generated.text.length).toBeGreaterThan(0);
});

test('what a server refuses, and what is no server, is said with its code', async () => {
  const { url } = await served({ models, apiKey: 'right', runs: join(folder, 'remote-key') }, limits);
  const without = connectServer({ url }).model('base').generate(asked);
  await expect(without).rejects.toMatchObject({
    code: 'server-refused',
    fields: { status: 401 },
    remedy: expect.stringContaining('NOMOAT_API_KEY'),
  });
  const { model } = connectServer({ url, apiKey: 'right' });
  await expect(model('gone').generate(asked)).rejects.toMatchObject({
    code: 'server-refused',
    fields: { status: 404, code: 'model_not_found', param: 'model' },
  });
  await expect(model('base').generate(asked, { repeatPenalty: 1.2 })).rejects.toMatchObject({
    part: '`repeatPenalty`',
  });
  const gone = await answering(() => {});
  await new Promise((resolve) => others.pop()!.close(resolve));
  await expect(connectServer({ url: gone }).jobs.list()).rejects.toMatchObject({
    code: 'server-unreachable',
    fault: expect.stringContaining('ECONNREFUSED'),
  });
  const page = await answering((_, response) => response.end('<html>'));
  await expect(connectServer({ url: page }).jobs.list()).rejects.toMatchObject({
    code: 'server-unreachable',
    fault: 'answers with what is no JSON',
  });
  const list = await answering((_, response) => response.end('{"data":[{"id":1}]}'));
  await expect(connectServer({ url: list }).jobs.list()).rejects.toMatchObject({
    fault: expect.stringContaining('data.0.id'),
  });
  for (const wrong of ['127.0.0.1:8080', 'ftp://a', 'http://me:secret@a', 'http://a/v1?x'])
    expect(() => connectServer({ url: wrong }), wrong).toThrow('`server`');
});

test('a stream that breaks off is no answer, and one without an end is bounded', async () => {
  const half = await answering((_, response) => {
    response.write('data: {"choices":[{"delta":{"content":"Pa"}}]}\n\n');
    setTimeout(() => response.destroy(), 50);
  });
  await expect(connectServer({ url: half }).model('x').generate(asked)).rejects.toMatchObject({
    code: 'server-unreachable',
    fault: 'broke off in its answer',
  });
  const wide = await answering((_, response) => {
    // Not each time that a write calls back: Node 26 does so at once where nobody listens any more, and no event would be heard again.
    const write = (): void =>
      void (response.destroyed || response.write('data: '.padEnd(1 << 20, 'x'), () => setImmediate(write)));
    write();
  });
  await expect(connectServer({ url: wide }).model('x').generate(asked)).rejects.toMatchObject({
    code: 'server-unreachable',
  });
});

test('a job is followed event by event, across a connection that breaks off', { timeout: 120_000 }, async () => {
  const server = await served({ models, runs: join(folder, 'remote-jobs') }, limits);
  const id = await started(server);
  let broken = 0;
  /** Passes everything on, and breaks the first two streams off after their first piece. */
  const proxy = await answering(async (request, response) => {
    const answer = await fetch(`${server.url}${request.url}`);
    for await (const bytes of answer.body!) {
      response.write(bytes);
      if (request.url!.includes('stream=true') && broken < 2) {
        broken++;
        return setTimeout(() => response.destroy(), 20);
      }
    }
    return response.end();
  });
  const { jobs } = connectServer({ url: `${proxy}/v1/` });
  const told = [];
  for await (const event of jobs.follow(id)) told.push(event.id);
  const whole = [];
  for await (const event of server.client.fineTuning.jobs.listEvents(id, { limit: 100 })) whole.unshift(event.id);
  expect(broken).toBe(2);
  expect(told).toEqual(whole);
  expect(await jobs.get(id)).toMatchObject({
    status: 'succeeded',
    fine_tuned_model: expect.stringContaining(':remote:'),
  });
});

test('a job is halted, goes on, and is ended from elsewhere', { timeout: 120_000 }, async () => {
  const server = await served({ models, runs: join(folder, 'remote-change') }, limits);
  const { jobs } = connectServer({ url: server.url });
  const id = await started(server, 50);
  for await (const { message } of jobs.follow(id)) if (message.includes('training loss')) break;
  expect(await jobs.change(id, 'pause')).toMatchObject({ id, status: 'queued' });
  await expect(jobs.change(id, 'pause')).rejects.toMatchObject({ code: 'server-refused', fields: { status: 400 } });
  expect((await jobs.change(id, 'resume')).status).not.toBe('cancelled');
  expect(await jobs.change(id, 'cancel')).toMatchObject({ id, status: 'cancelled' });
  expect((await jobs.list()).map(({ status }) => status)).toEqual(['cancelled']);
});

test('the command line chats with a server, lists its jobs and follows one', { timeout: 120_000 }, async () => {
  const server = await served({ models, apiKey: 'right', runs: join(folder, 'remote-cli') }, limits);
  const env = { NOMOAT_API_KEY: 'right' };
  const at = ['--server', server.url];
  const answer = await nomoat(
    ['chat', 'base', '--prompt', 'number 3', '--max-tokens', '4', '--temperature', '0', ...at],
    env,
  );
  const { choices } = await server.client.chat.completions.create({
    model: 'base',
    messages: [...asked],
    temperature: 0,
    max_tokens: 4,
  });
  expect([answer.code, answer.out]).toEqual([0, `${choices[0]!.message.content}\n`]);
  const refused = await nomoat(['chat', 'base', '--prompt', 'a', '--context-size', '64', ...at], env);
  expect([refused.code, refused.err]).toEqual([
    2,
    expect.stringContaining('--context-size: is for models that are opened here'),
  ]);
  expect(await nomoat(['jobs', ...at], env)).toMatchObject({ code: 0, out: 'No fine-tuning jobs.\n' });
  const id = await started(server);
  const followed = await nomoat(['jobs', 'follow', ...at], env);
  expect(followed.err).toMatch(/^step 1\/10 {2}loss \d\.\d{4}$/m);
  expect(followed.out).toMatch(new RegExp(`^${id} {2}succeeded .*ft:base:nomoat:remote:`));
  const listed = await nomoat(['jobs', 'list', '--json', ...at], env);
  expect(JSON.parse(listed.out)).toMatchObject({ type: 'job', id, status: 'succeeded' });
  const late = await nomoat(['jobs', 'cancel', id.slice(-6), ...at], env);
  expect([late.code, late.err]).toEqual([2, expect.stringContaining('refused it: ')]);
  expect((await nomoat(['jobs', 'pause', ...at], env)).err).toContain('ID: was not given');
  expect((await nomoat(['jobs', 'pause', 'none', ...at], env)).err).toContain('there is none of the id none');
});
