/** `nomoat serve`, through the built CLI: it starts, answers the official client, says so, and ends when it is told to. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, expect, test } from 'vitest';

const main = join(import.meta.dirname, '../../dist/cli/main.js');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-serve-story-'));
const env = (more: Readonly<Record<string, string>> = {}) => ({
  ...process.env,
  NOMOAT_HOME: join(folder, 'home'),
  ...more,
});
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly said: { out: string; err: string };
  readonly ended: Promise<number | null>;
}

/** The command on a free port, once it says where it is. */
async function started(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Started> {
  const child = spawn(process.execPath, [main, 'serve', '--port', '0', ...args], { cwd: folder, env: env(more) });
  children.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (piece) => (said.out += String(piece)));
  child.stderr.on('data', (piece) => (said.err += String(piece)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let url: string | undefined;
  while (url === undefined && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    url = /at (http:\S+)/.exec(said.out)?.[1];
  }
  expect(url, said.err).toBeDefined();
  return { child, url: url!, said, ended };
}

const ask = (url: string, apiKey = 'none') =>
  new OpenAI({ baseURL: url, apiKey, maxRetries: 0 }).chat.completions.create({
    model: 'nomoat-mini',
    messages: [{ role: 'user', content: 'What is your name?' }],
    temperature: 0,
    max_tokens: 6,
  });

test.each(['SIGTERM', 'SIGINT'] as const)('starts, answers, and ends at %s', async (signal) => {
  const { child, ended, said, url } = await started(['--threads', '1']);
  expect(said.out).toMatch(/^Serving 1 models at http:\/\/127\.0\.0\.1:\d+\/v1 \(Ctrl-C ends it\)\n$/);
  const answer = await ask(url);
  expect(answer.choices[0]!.message.content).toMatch(/\w/);
  child.kill(signal);
  expect(await ended).toBe(0);
  expect(said.err).toMatch(/^\S+ req_\w+ POST \/v1\/chat\/completions 200 \d+ ms nomoat-mini \d+\+6 tokens\n$/);
  await expect(ask(url)).rejects.toBeInstanceOf(OpenAI.APIConnectionError);
});

test('a key from the environment, and no line a request', async () => {
  const { child, ended, said, url } = await started(['--quiet'], { NOMOAT_API_KEY: 'sk-story' });
  await expect(ask(url)).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  expect((await ask(url, 'sk-story')).usage!.completion_tokens).toBe(6);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(said.err).toBe('');
});

test('what it is not started with', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';
  const said = (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const { status, stderr } = spawnSync(process.execPath, [main, 'serve', ...args], {
      cwd: folder,
      env: env(more),
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(2);
    return stderr;
  };
  expect(said(['--host', '0.0.0.0'])).toContain(
    '--host: 0.0.0.0 can be reached from other machines, and there is no API key',
  );
  expect(said([], { NOMOAT_API_KEY: '' })).toContain('the API key: is empty');
  expect(said(['--port', port])).toContain(`--port: ${port} is taken by another program on 127.0.0.1`);
  expect(said(['--models', 'nowhere'])).toContain('nowhere: is no folder of models that can be read (ENOENT)');
  expect(said(['--port', '70000', '--models', ''])).toContain(
    '--models: is empty; --port: 70000 is not from 0 to 65535',
  );
  taken.close();
});
