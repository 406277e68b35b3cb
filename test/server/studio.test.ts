/** Who the studio lets in, and what its routes refuse. The page itself is walked through in test/story/studio.test.ts. */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StudioDoor } from '../../src/server/studio/door.ts';
import { Tasks } from '../../src/server/studio/tasks.ts';
import { type RunningStudio, studio } from '../../src/server/studio.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-studio-'));
let running: RunningStudio;
beforeAll(async () => {
  running = await studio({ port: 0, runs: join(folder, 'runs'), threads: 1 });
});
afterAll(async () => {
  await running.close();
  rmSync(folder, { recursive: true, force: true });
});

type Headers = Readonly<Record<string, string>>;
interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** Not fetch: browsers' headers are to be said here. */
function ask(
  path: string,
  headers: Headers = {},
  body: object | null = null,
  method = body ? 'POST' : 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const json = body === null ? {} : { 'Content-Type': 'application/json' };
    const sent = request(`${running.url}${path}`, { method, headers: { ...json, ...headers } }, (answer) => {
      let text = '';
      answer
        .on('data', (piece) => (text += String(piece)))
        .on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, text }));
    });
    sent.on('error', reject).end(body === null ? undefined : JSON.stringify(body));
  });
}

const cookieOf = ({ headers }: Answer): string => String(headers['set-cookie']).split(';')[0]!;
async function enter(): Promise<string> {
  const answer = await ask(new URL(running.newUrl()).pathname + new URL(running.newUrl()).search);
  expect([answer.status, answer.headers['location']]).toEqual([303, '/studio/']);
  return cookieOf(answer);
}

test('an address opens once; its cookie opens everything, to nobody else', async () => {
  const address = new URL(running.newUrl());
  const first = await ask(address.pathname + address.search);
  const cookie = String(first.headers['set-cookie']);
  expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
  expect(cookie).toContain(`nomoat-studio-${new URL(running.url).port}=`);
  expect((await ask(address.pathname + address.search)).headers['set-cookie']).toBeUndefined();
  expect((await ask('/studio/open?token=guess')).headers['set-cookie']).toBeUndefined();
  for (const path of ['/v1/models', '/studio/v1/state', '/metrics']) {
    expect((await ask(path)).status, path).toBe(401);
    expect((await ask(path, { Cookie: cookieOf(first) })).status, path).toBe(200);
  }
});

test('a second studio on its port says how the first is gone on with, once', async () => {
  const port = Number(new URL(running.url).port);
  const refused: unknown = await studio({ port, runs: join(folder, 'others') }).catch((error: unknown) => error);
  const { message } = refused as Error;
  expect(message).toMatch(/your studio is open on \d+ already\. Go on there: /);
  const address = new URL(/http:\S+/.exec(message)![0]);
  const first = await ask(address.pathname + address.search);
  expect((await ask('/v1/models', { Cookie: cookieOf(first) })).status).toBe(200);
  for (const path of [address.pathname + address.search, `${address.pathname}?token=1.2.3`])
    expect((await ask(path)).headers['set-cookie']).toBeUndefined();
  // Another program on the port is no studio.
  const other = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const taken = (other.address() as AddressInfo).port;
  await expect(studio({ port: taken, runs: join(folder, 'others') })).rejects.toThrow(/is taken by another program/);
  other.close();
});

test('a forged cookie, one of another port and one of yesterday are refused with what to do', async () => {
  const cookie = await enter();
  const [name = '', value = ''] = cookie.split('=');
  const [expires = '', signature = ''] = value.split('.');
  for (const wrong of [
    `${Number(expires) + 1}.${signature}`,
    `${expires}.${signature.slice(1)}`,
    `1.${signature}`,
    '',
  ]) {
    const { status, text } = await ask('/v1/models', { Cookie: `${name}=${wrong}` });
    expect([status, (JSON.parse(text) as { error: { code: string; message: string } }).error], wrong).toMatchObject([
      401,
      { code: 'studio_session_ended', message: expect.stringContaining('nomoat studio') },
    ]);
  }
  expect((await ask('/v1/models', { Cookie: cookie.replace(/\d+=/, '1=') })).status).toBe(401);
});

test('a page of another port or site cannot use the cookie', async () => {
  const cookie = await enter();
  const own = { Cookie: cookie, Origin: running.url, 'Sec-Fetch-Site': 'same-origin' };
  expect((await ask('/v1/models', own)).status).toBe(200);
  const others: readonly Headers[] = [{ Origin: 'http://127.0.0.1:1' }, { Origin: 'https://example.org' }, { 'Sec-Fetch-Site': 'same-site' }, { 'Sec-Fetch-Site': 'cross-site' }, { Host: 'example.org' }]; // biome-ignore format: a table
  for (const foreign of others)
    expect((await ask('/v1/models', { ...own, ...foreign })).status, JSON.stringify(foreign)).toBe(403);
});

test('the page comes with a policy that lets nothing else in, and nothing outside its folder is answered', async () => {
  const { headers, status, text } = await ask('/studio/runs/some');
  expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
  expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=/);
  for (const path of [
    '/studio/assets/../../index.js',
    '/studio/assets/%2e%2e/%2e%2e/index.js',
    '/studio/../package.json',
  ])
    expect((await ask(path)).text, path).not.toContain('"nomoat"');
});

test('a server that is started again knows its pages, and only this user reads what it knows them by', async () => {
  const home = join(folder, 'home');
  const [one, other] = [new StudioDoor(home), new StudioDoor(home)];
  const cookie = one.enter(one.newToken(), 80)!.split(';')[0]!;
  const incoming = { headers: { cookie }, socket: { localPort: 80 } } as Parameters<StudioDoor['admits']>[0];
  expect(other.admits(incoming)).toEqual({ renewed: null });
  if (process.platform !== 'win32') expect(statSync(join(home, 'studio.key')).mode & 0o777).toBe(0o600);
});

test('no request names a path of this machine', async () => {
  const cookie = await enter();
  const refused: readonly object[] = [
    { data: ['/etc/passwd'] },
    { settings: { run: '/tmp/x' } },
    { settings: { initialAdapter: '/tmp/x' } },
    { settings: { validation: '/etc/passwd' } },
    { settings: { chatTemplate: '../x' } },
    { settings: { epochs: -1 } },
    { settings: { nothing: 1 } },
    { model: '/etc/passwd' },
  ];
  for (const given of refused) {
    const { status, text } = await ask(
      '/studio/v1/runs',
      { Cookie: cookie },
      { data: ['file-none'], model: 'nomoat-mini', ...given },
    );
    expect([400, 404], JSON.stringify(given)).toContain(status);
    expect(text).not.toContain('root:');
  }
  for (const name of ['..', '%2e%2e', '..%2f..'])
    expect((await ask(`/studio/v1/runs/${name}/report`, { Cookie: cookie })).status, name).toBe(404);
});

interface TaskAnswer {
  readonly id: string;
  readonly state: string;
  readonly error: { readonly code: string; readonly message: string } | null;
}
const taskIn = ({ text }: Answer): TaskAnswer => JSON.parse(text) as TaskAnswer;

async function ended(cookie: string, id: string): Promise<TaskAnswer> {
  for (;;) {
    const task = taskIn(await ask(`/studio/v1/tasks/${id}`, { Cookie: cookie }));
    if (task.state !== 'waiting' && task.state !== 'running') return task;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a task is kept for whoever comes later, runs once where it is asked for twice, and says what went wrong', async () => {
  const cookie = { Cookie: await enter() };
  const bundle = join(folder, 'runs', 'exports', 'empty');
  mkdirSync(bundle, { recursive: true });
  const body = { bundle: 'empty' };
  const [one, other] = [
    taskIn(await ask('/studio/v1/tasks/verify', cookie, body)),
    taskIn(await ask('/studio/v1/tasks/verify', cookie, body)),
  ];
  expect(other.id).toBe(one.id);
  const task = await ended(cookie.Cookie, one.id);
  expect(task).toMatchObject({ state: 'failed', error: { code: 'bundle-refused' } });
  // What another server of these runs would read.
  const again = new Tasks(join(folder, 'runs', '.server', 'tasks'), new AbortController().signal, (found) => found);
  expect(again.find(one.id)).toEqual(task);
});

test('a task that a kill cut off is said to be, and one that is stopped leaves nothing', async () => {
  const at = join(folder, 'tasks');
  const tasks = new Tasks(at, new AbortController().signal, (found) => found);
  const call = { name: 'verifyBundle', options: { bundle: join(folder, 'runs') } } as const;
  const request = (n: number) => ({ kind: 'verify', asked: { n }, call });
  const running = tasks.begin(request(1));
  expect(new Tasks(at, new AbortController().signal, (found) => found).find(running.id)?.state).toBe('interrupted');
  expect(tasks.cancel(running.id)?.state).toBe('cancelled');
  expect(tasks.all()).toHaveLength(1);
});

test('keys of programs are made, shown once and taken away', async () => {
  const { headers } = { headers: { Cookie: await enter() } };
  const made = JSON.parse((await ask('/studio/v1/keys', headers, { name: 'program', tokensPerDay: 9 })).text) as {
    readonly key: string;
  };
  const asked = { Authorization: `Bearer ${made.key}` };
  expect((await ask('/v1/models', asked)).status).toBe(200);
  const listed = (await ask('/studio/v1/keys', headers)).text;
  expect(JSON.parse(listed)).toMatchObject({ keys: [{ name: 'program', scope: 'chat', tokensPerDay: 9 }] });
  expect(listed).not.toContain(made.key);
  // A key that may chat makes no others.
  expect((await ask('/studio/v1/keys', asked, { name: 'other' })).status).toBe(403);
  expect((await ask('/studio/v1/keys/program', headers, null, 'DELETE')).status).toBe(200);
  expect((await ask('/v1/models', asked)).status).toBe(401);
});

test('no task names a place outside of runs, what was made, and the folder that the studio was started in', async () => {
  const cookie = { Cookie: await enter() };
  const asked: readonly (readonly [string, object])[] = [
    ['inspect', { run: '../x' }],
    ['lineage', { adapter: '/etc' }],
    ['lineage', { adapter: '../..' }],
    ['verify', { bundle: '/etc' }],
    ['verify', { bundle: 'empty', key: '/etc/passwd' }],
    ['verify', { bundle: 'file:///etc' }],
    ['push', { source: 'empty', to: '/tmp/x' }],
    ['push', { source: 'empty', to: '../x' }],
    ['push', { source: 'empty', to: 'file:///tmp/x' }],
    ['push', { source: 'empty', to: '~/x' }],
    ['pack', { adapter: 'empty', name: '../x' }],
    ['merge', { adapters: ['/etc', '/etc'], name: 'x' }],
  ];
  for (const [kind, body] of asked)
    expect([400, 404], `${kind} ${JSON.stringify(body)}`).toContain(
      (await ask(`/studio/v1/tasks/${kind}`, cookie, body)).status,
    );
});
