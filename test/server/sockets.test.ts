/** What no client of good will sends, byte by byte over raw sockets: each is answered by the right error or cut off, and the server goes on. */
import { mkdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { endless, folder, manyTokens, type Served, served, until } from './support.ts';

const models = join(folder, 'models');

const bodyBytes = 10_000;
const limits = { bodyBytes, headersMilliseconds: 400, progressMilliseconds: 1200, progressBytes: 1000 };
let server: Served;
/** Packages of servers have words for the console; this one prints nothing. */
const printed = (['log', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
beforeAll(async () => {
  mkdirSync(models);
  endless(join(models, 'endless.gguf'));
  server = await served({ models: [models], contextSize: manyTokens }, limits);
});
afterAll(() => {
  for (const spy of printed) expect(spy.mock.calls).toEqual([]);
});

const open = (): Socket => {
  const { hostname, port } = new URL(server.url);
  return connect(Number(port), hostname)
    .setEncoding('utf8')
    .on('error', () => {});
};

/** All that comes back until the server closes the connection, or the answer is whole. */
async function exchange(text: string): Promise<string> {
  const socket = open();
  socket.write(text);
  let answer = '';
  for await (const piece of socket) {
    answer += piece;
    const [head = '', body] = answer.split('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    if (body !== undefined && Buffer.byteLength(body) >= length) break;
  }
  socket.destroy();
  return answer;
}

const port = (): string => new URL(server.url).port;
const post = (body: string, headers: readonly string[] = []): string =>
  [
    'POST /v1/chat/completions HTTP/1.1',
    `Host: 127.0.0.1:${port()}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    '',
    body,
  ].join('\r\n');

const bodyOf = (answer: string): { error: { code: string; param: string | null } } =>
  JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as { error: { code: string; param: string | null } };

async function goesOn(): Promise<void> {
  expect((await fetch(`${server.url}/v1/models`)).status).toBe(200);
}

test.each(['{', '', 'null', '[]', '"x"', '{"model":', '{"a":1}}', '[['.repeat(4000)])(
  'a body that is no request: %.20s',
  async (body) => {
    const answer = await exchange(post(body));
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(['invalid_json', 'invalid_type']).toContain(bodyOf(answer).error.code);
    await goesOn();
  },
);

test('a body that is no UTF-8', async () => {
  const socket = open();
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    'Content-Length: 3',
    '',
    '',
  ].join('\r\n');
  socket.write(Buffer.concat([Buffer.from(head), Buffer.from([0x22, 0xff, 0x22])]));
  const piece = await new Promise((resolve) => socket.once('data', resolve));
  expect(piece).toContain('invalid_json');
  socket.destroy();
});

test('a body that is larger than may be, by its announced length and in chunks', async () => {
  const large = await exchange(post('x'.repeat(bodyBytes + 1)));
  expect(large).toMatch(/^HTTP\/1.1 413 /);
  expect(bodyOf(large).error.code).toBe('request_too_large');
  // Announced only: it is answered before anything of it came.
  expect(await exchange(post('').replace('Content-Length: 0', 'Content-Length: 99999999999'))).toMatch(
    /^HTTP\/1.1 413 /,
  );
  const chunk = `${(6000).toString(16)}\r\n${'x'.repeat(6000)}\r\n`;
  const chunked = post('').replace('Content-Length: 0', 'Transfer-Encoding: chunked');
  expect(await exchange(`${chunked}${chunk}${chunk}0\r\n\r\n`)).toMatch(/^HTTP\/1.1 413 /);
  // At the limit it is read, and refused as what it is.
  expect(await exchange(post('x'.repeat(bodyBytes)))).toMatch(/^HTTP\/1.1 400 /);
  await goesOn();
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonp'])(
  'what a page of another site may send without asking: %s',
  async (type) => {
    const answer = await exchange(post('{}').replace('application/json', type));
    expect(answer).toMatch(/^HTTP\/1.1 415 /);
    expect(answer).not.toMatch(/access-control-allow/i);
  },
);

test('no other site is given leave', async () => {
  const preflight = `OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.com\r\nAccess-Control-Request-Method: POST\r\n\r\n`;
  const answer = await exchange(preflight);
  expect(answer).toMatch(/^HTTP\/1.1 403 /);
  expect(answer).not.toMatch(/access-control-allow/i);
});

test.each(['evil.com', `evil.com:8080`, '10.0.0.1', '169.254.169.254'])('Host: %s', async (host) => {
  const answer = await exchange(`GET /v1/models HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1.1 403 /);
  expect(bodyOf(answer).error.code).toBe('host_not_allowed');
});

test('a Host that is none, none at all, two of them, and an address that names another', async () => {
  for (const lines of ['Host: a b', 'Host: /', 'X: y', 'Host: evil.com\r\nHost: localhost'])
    expect(await exchange(`GET /v1/models HTTP/1.1\r\n${lines}\r\nConnection: close\r\n\r\n`), lines).toMatch(
      /^HTTP\/1.1 40[03] /,
    );
  expect(await exchange('GET http://localhost/v1/models HTTP/1.1\r\nHost: evil.com\r\n\r\n')).toMatch(
    /^HTTP\/1.1 403 /,
  );
  expect(await exchange('GET /v1/models HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 40[03] /);
});

test.each([
  'GARBAGE\r\n\r\n',
  '\0\0\0\0\r\n\r\n',
  `GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
  'GET / HTTP/9.9\r\n\r\n',
])('what is no HTTP is cut off: %.12j', async (text) => {
  const answer = await exchange(text);
  expect(answer).toMatch(/^HTTP\/1.1 4(00|31) /);
  expect(['invalid_http', 'headers_too_large']).toContain(bodyOf(answer).error.code);
  await goesOn();
});

test('what is no HTTP behind a request that was answered is told so too', async () => {
  const socket = open();
  let said = '';
  socket.on('data', (piece) => (said += String(piece)));
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => said.includes('"ok"'));
  socket.write('GARBAGE\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  expect(said).toContain('"code":"invalid_http"');
});

test('the log has nothing of what a request holds', async () => {
  const secret = 'tell-nobody';
  const asked = (path: string, body: BodyInit, type?: string) =>
    fetch(`${server.url}${path}?${secret}=1`, {
      method: 'POST',
      body,
      headers: { ...(type ? { 'Content-Type': type } : {}), 'User-Agent': secret, Authorization: `Bearer ${secret}` },
    });
  const before = server.log.length;
  const messages = [{ role: 'user', content: secret }];
  await asked(
    '/v1/chat/completions',
    JSON.stringify({ model: 'nomoat-mini', messages, max_tokens: 2 }),
    'application/json',
  );
  await asked('/v1/chat/completions', JSON.stringify({ model: secret, messages }), 'application/json');
  await asked('/v1/chat/completions', `{"${secret}`, 'application/json');
  await asked(`/v1/${secret}`, '');
  const form = new FormData();
  form.append('purpose', secret);
  form.append('file', new Blob([secret]), secret);
  await asked('/v1/files', form);
  await until(() => server.log.length >= before + 5);
  expect(JSON.stringify(server.log)).not.toContain(secret);
});

/** How long it takes until the server ends the connection. */
async function cutOff(socket: Socket): Promise<number> {
  const began = performance.now();
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  return performance.now() - began;
}

test('who sends headers byte by byte, or half a body, is cut off in time', async () => {
  const slow = open();
  const drip = setInterval(() => slow.write('x'), 20);
  slow.write('GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
  const headers = await cutOff(slow);
  clearInterval(drip);
  expect(headers).toBeGreaterThan(300);
  expect(headers).toBeLessThan(2000);
  const half = open();
  half.write(post('{"model":"nomoat-mini"}').slice(0, -5));
  const body = await cutOff(half);
  expect(body).toBeGreaterThan(1000);
  expect(body).toBeLessThan(4500);
  await goesOn();
});

/** Sends `pieces` of that many bytes each as the body of a request, some time between them; resolves with what came back. */
async function sendSlowly(pieces: number, bytes: number): Promise<string> {
  const body = `{"model":"${'x'.repeat(pieces * bytes - 12)}"}`;
  const [head = ''] = post(body).split(body);
  const socket = open();
  let answer = '';
  socket.on('data', (piece) => (answer += String(piece)));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.write(head);
  for (let i = 0; i < pieces && !socket.destroyed && answer === ''; i++) {
    socket.write(body.slice(i * bytes, (i + 1) * bytes));
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  socket.end();
  await ended;
  return answer;
}

test('a body may take as long as it makes progress, and no longer', async () => {
  // More than twice the time that one without progress has.
  const steady = await sendSlowly(9, 600);
  expect(steady).toMatch(/^HTTP\/1.1 400 /);
  expect(bodyOf(steady).error.code).toBe('missing_required_parameter');
  const dripped = await sendSlowly(9, 20);
  expect(dripped).toMatch(/^HTTP\/1.1 408 /);
  expect(bodyOf(dripped).error.code).toBe('request_timeout');
  await goesOn();
});

test('who does not read its answer is cut off', async () => {
  const form = new FormData();
  form.append('purpose', 'user_data');
  form.append('file', new Blob([Buffer.alloc(24 << 20)]), 'large');
  const { id } = (await (await fetch(`${server.url}/v1/files`, { method: 'POST', body: form })).json()) as {
    id: string;
  };
  const socket = open();
  socket.write(`GET /v1/files/${id}/content HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  socket.pause();
  const left = () => server.log.find((entry) => entry.type === 'request' && entry.route === '/v1/files/:id/content');
  await until(() => left() !== undefined);
  expect(left()).toMatchObject({ status: 499 });
  socket.destroy();
});

test('who leaves in the middle of a body, or before the answer, is no harm', async () => {
  const before = server.log.length;
  for (let i = 0; i < 20; i++) {
    const socket = open();
    const text = post('{"model":"nomoat-mini","messages":[{"role":"user","content":"Hello"}]}');
    socket.write(i % 2 ? text : text.slice(0, -9));
    await new Promise((resolve) => setTimeout(resolve, i));
    socket.destroy();
  }
  await goesOn();
  await until(() => server.log.length > before);
  expect(server.log.filter(({ type }) => type === 'failure')).toEqual([]);
});

test('who waits for an answer that takes long is not cut off', async () => {
  const socket = open();
  socket.write(
    post(JSON.stringify({ model: 'endless', prompt: 'Once', temperature: 0, max_tokens: manyTokens })).replace(
      '/chat',
      '',
    ),
  );
  let ended = false;
  socket.once('close', () => {
    ended = true;
  });
  socket.resume();
  await new Promise((resolve) => setTimeout(resolve, 4000));
  expect(ended).toBe(false);
  socket.destroy();
  await until(() => server.log.some((entry) => entry.type === 'request' && entry.model === 'endless'));
});
