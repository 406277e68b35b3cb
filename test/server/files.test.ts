/** Files and uploads by the official client, and what goes wrong with them over a bare socket. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { expect, test } from 'vitest';
import { repo } from '../cases/support.ts';
import { fault } from './job-support.ts';
import { folder, served, until } from './support.ts';

const lines = `${JSON.stringify({ prompt: 'a', completion: 'b' })}\n`.repeat(12);
const jsonl = (text = lines, name = 'train.jsonl') => toFile(Buffer.from(text), name);
let servers = 0;
const own = async (limits = {}) => {
  const runs = join(folder, `files${servers++}`);
  return { runs, ...(await served({ runs }, limits)) };
};
/** Files of the server's folder that hold contents. */
const kept = (runs: string): string[] =>
  ['files', 'incoming', 'parts'].flatMap((name) => readdirSync(join(runs, '.server', name)));

test('files are listed in pages, filtered, read and deleted', async () => {
  const { client, runs } = await own();
  expect((await client.files.list()).data).toEqual([]);
  const made = [];
  for (const [name, purpose] of [['a.jsonl', 'fine-tune'], ['b.jsonl', 'evals'], ['ünï.jsonl', 'fine-tune']] as const)
    made.push(await client.files.create({ file: await jsonl(lines, name), purpose })); // biome-ignore format: a table
  const [a, b, c] = made.map(({ id }) => id);
  const names = async (query: OpenAI.FileListParams): Promise<string[]> => {
    const ids = [];
    for await (const { id } of client.files.list(query)) ids.push(id);
    return ids;
  };
  expect(await names({ limit: 1 })).toEqual([c, b, a]);
  expect(await names({ order: 'asc' })).toEqual([a, b, c]);
  expect(await names({ purpose: 'fine-tune' })).toEqual([c, a]);
  expect(await client.files.retrieve(c!)).toEqual(made[2]);
  expect(made[2]!.filename).toBe('ünï.jsonl');
  expect(await (await client.files.content(a!)).text()).toBe(lines);
  expect(await client.files.delete(b!)).toEqual({ id: b, object: 'file', deleted: true });
  expect(await names({})).toEqual([c, a]);
  expect(await fault(client.files.retrieve(b!))).toMatchObject({
    status: 404,
    code: 'file_not_found',
    param: 'id',
    message: `404 No such File object: ${b}`,
  });
  expect(kept(runs)).toHaveLength(2);
});

test('a file that expires is gone then, its contents too', async () => {
  const { client } = await own();
  const before = Math.floor(Date.now() / 1000);
  const file = await client.files.create({
    file: await jsonl(),
    purpose: 'fine-tune',
    expires_after: { anchor: 'created_at', seconds: 3600 },
  });
  expect(file.expires_at! - file.created_at).toBe(3600);
  expect(file.created_at).toBeGreaterThanOrEqual(before);
  const short = client.files.create({
    file: await jsonl(),
    purpose: 'fine-tune',
    expires_after: { anchor: 'created_at', seconds: 60 },
  });
  expect(await fault(short)).toMatchObject({ status: 400, code: 'invalid_value', param: 'expires_after.seconds' });
});

test.each<[string, (client: OpenAI) => Promise<unknown>, object]>([
  ['another purpose', async (client) => client.files.create({ file: await jsonl(), purpose: 'training' as 'fine-tune' }), { status: 400, code: 'invalid_value', param: 'purpose' }],
  ['no purpose', async (client) => client.post('/files', { body: form({ file: lines }) }), { status: 400, code: 'missing_required_parameter', param: 'purpose' }],
  ['no file', async (client) => client.post('/files', { body: form({ purpose: 'fine-tune' }) }), { status: 400, code: 'missing_required_parameter', param: 'file' }],
  ['a field nobody knows', async (client) => client.post('/files', { body: form({ purpose: 'fine-tune', file: lines, colour: 'red' }) }), { status: 400, code: 'unknown_parameter', param: 'colour' }],
  ['an empty file', async (client) => client.files.create({ file: await jsonl(''), purpose: 'fine-tune' }), { status: 400, code: 'empty_file', param: 'file' }],
  ['JSON instead of a form', async (client) => client.post('/files', { body: { purpose: 'fine-tune' } }), { status: 415, code: 'unsupported_media_type' }],
  ['a page from nowhere', async (client) => client.files.list({ after: 'file-x' }), { status: 400, code: 'invalid_value', param: 'after' }],
  ['a limit that is none', async (client) => client.get('/files?limit=0'), { status: 400, code: 'invalid_value', param: 'limit' }],
  ['a query nobody knows', async (client) => client.get('/files?size=3'), { status: 400, code: 'unknown_parameter', param: 'size' }],
  ['a path for an id', async (client) => client.files.content('../../state'), { status: 404, code: 'file_not_found' }],
])('%s is refused, and nothing is kept', async (_, call, expected) => {
  const { client, runs } = await own();
  await client.files.list();
  expect(await fault(call(client))).toMatchObject(expected);
  expect(kept(runs)).toEqual([]);
}); // biome-ignore format: a table

function form(fields: Readonly<Record<string, string>>): FormData {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'file') body.append(name, new Blob([value]), 'train.jsonl');
    else body.append(name, value);
  }
  return body;
}

test('a file beyond the limit is refused, and nothing of it is kept', async () => {
  const { client, runs } = await own({ fileBytes: 1000 });
  expect(
    await fault(client.files.create({ file: await jsonl('x'.repeat(100_000)), purpose: 'fine-tune' })),
  ).toMatchObject({ status: 413, code: 'file_too_large', param: 'file' });
  expect(kept(runs)).toEqual([]);
});

test('who sends all of a file that is too large before it reads anything hears of it', async () => {
  const { runs, url } = await own({ fileBytes: 1000 });
  const { hostname, port } = new URL(url);
  const start = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n';
  const body = Buffer.concat([Buffer.from(start), Buffer.alloc(16 << 20, 'x'), Buffer.from('\r\n--b--\r\n')]);
  const socket = connect(Number(port), hostname).on('error', () => {});
  socket.write(
    `POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  let said = '';
  // Until then nothing is read.
  await new Promise((resolve) => socket.write(body, resolve));
  socket.on('data', (piece) => (said += String(piece)));
  await Promise.race([
    until(() => said.includes('file_too_large')),
    new Promise((resolve) => socket.once('close', resolve)),
  ]);
  expect(said).toMatch(/^HTTP\/1.1 413 /);
  socket.destroy();
  expect(kept(runs)).toEqual([]);
});

test('of a body that is cut off nothing is kept', async () => {
  const { client, runs, url, log } = await own();
  await client.files.list();
  const { hostname, port } = new URL(url);
  const head =
    'POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n';
  const socket = connect(Number(port), hostname);
  socket.write(`${head}--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n${lines}`);
  await until(() => readdirSync(join(runs, '.server', 'incoming')).length === 1);
  socket.destroy();
  await until(() => kept(runs).length === 0);
  await until(() => log.some((entry) => entry.type === 'request' && entry.status === 499));
  // The same with a body that ends before its last boundary.
  const body = `--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n${lines}`;
  const answer = await fetch(`${url}/v1/files`, {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { code: 'invalid_multipart', param: null } });
  expect(kept(runs)).toEqual([]);
});

test('an upload in parts becomes the file, in the order that is asked for', async () => {
  const { client, runs } = await own();
  const text = Array.from({ length: 30 }, (_, i) => `${JSON.stringify({ prompt: `p${i}`, completion: 'c' })}\n`).join(
    '',
  );
  const pieces = [text.slice(0, 100), text.slice(100, 500), text.slice(500)];
  const upload = await client.uploads.create({
    bytes: text.length,
    filename: 'big.jsonl',
    mime_type: 'text/jsonl',
    purpose: 'fine-tune',
  });
  expect(upload).toMatchObject({
    object: 'upload',
    status: 'pending',
    bytes: text.length,
    filename: 'big.jsonl',
    file: null,
  });
  expect(upload.expires_at - upload.created_at).toBe(3600);
  const parts = new Map<number, string>();
  for (const i of [2, 0, 1])
    parts.set(i, (await client.uploads.parts.create(upload.id, { data: await jsonl(pieces[i]) })).id);
  const part_ids = [0, 1, 2].map((i) => parts.get(i)!);
  const md5 = createHash('md5').update(text).digest('hex');
  const complete = (body: OpenAI.UploadCompleteParams) => client.uploads.complete(upload.id, body);
  expect(await fault(complete({ part_ids: part_ids.slice(1) }))).toMatchObject({
    code: 'invalid_value',
    param: 'part_ids',
  });
  expect(await fault(complete({ part_ids: [part_ids[0]!, part_ids[0]!, part_ids[2]!] }))).toMatchObject({
    code: 'invalid_value',
    param: 'part_ids[1]',
  });
  expect(await fault(complete({ part_ids, md5: '0'.repeat(32) }))).toMatchObject({
    code: 'invalid_value',
    param: 'md5',
  });
  const done = await complete({ part_ids, md5 });
  expect(done).toMatchObject({
    status: 'completed',
    file: { object: 'file', bytes: text.length, purpose: 'fine-tune' },
  });
  expect(await (await client.files.content(done.file!.id)).text()).toBe(text);
  expect(kept(runs)).toEqual([`${done.file!.id}.jsonl`]);
  expect(await fault(complete({ part_ids, md5 }))).toMatchObject({ code: 'upload_not_pending', param: 'upload_id' });
});

test('an upload that is cancelled, too long or unknown takes nothing', async () => {
  const { client, runs } = await own();
  const given = { bytes: 50, filename: 'a.jsonl', mime_type: 'text/jsonl', purpose: 'fine-tune' } as const;
  const upload = await client.uploads.create(given);
  const add = async (id: string, text: string) => client.uploads.parts.create(id, { data: await jsonl(text) });
  await add(upload.id, 'x'.repeat(30));
  expect(await fault(add(upload.id, 'x'.repeat(30)))).toMatchObject({
    status: 400,
    code: 'invalid_value',
    param: 'data',
  });
  expect(await fault(add(upload.id, 'x'.repeat(51)))).toMatchObject({
    status: 413,
    code: 'file_too_large',
    param: 'data',
  });
  expect(await client.uploads.cancel(upload.id)).toMatchObject({ status: 'cancelled' });
  expect(await fault(add(upload.id, 'x'))).toMatchObject({ status: 400, code: 'upload_not_pending' });
  expect(await fault(client.uploads.cancel('upload_x'))).toMatchObject({ status: 404, code: 'upload_not_found' });
  expect(await fault(client.uploads.create({ ...given, bytes: 2 ** 40 }))).toMatchObject({
    code: 'invalid_value',
    param: 'bytes',
  });
  expect(kept(runs)).toEqual([]);
});

test('a server that is only chatted with writes nothing; two servers do not keep the same folder', async () => {
  const first = await own();
  await first.client.models.list();
  expect(() => readdirSync(join(first.runs, '.server'))).toThrow('ENOENT');
  const file = await first.client.files.create({ file: await jsonl(), purpose: 'fine-tune' });
  const second = await served({ runs: first.runs });
  expect(await fault(second.client.files.list())).toMatchObject({ status: 503, code: 'workspace_in_use' });
  expect((await second.client.models.list()).data.length).toBeGreaterThan(0);
  await first.close();
  expect((await second.client.files.list()).data).toEqual([file]);
});

/** A server whose files may have 300 KiB, as on a disk that is full beyond them. */
async function bounded(runs: string) {
  const line = `ulimit -f 300; exec "${process.execPath}" "${join(repo, 'dist/cli/main.js')}" serve --port 0 --quiet --runs "${runs}"`;
  const child = spawn('bash', ['-c', line], { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const [, url] = /at (http:\S+\/v1)/.exec(String(chunk)) ?? [];
    if (url) return { child, client: new OpenAI({ baseURL: url, apiKey: 'none', maxRetries: 0 }) };
  }
  throw new Error('the server ended');
}

test.skipIf(process.platform === 'win32')(
  'a file that the disk does not hold leaves nothing, and the server goes on',
  async () => {
    const runs = join(folder, 'full');
    const { child, client } = await bounded(runs);
    try {
      const kept = await client.files.create({ file: await jsonl(), purpose: 'fine-tune' });
      expect(
        await fault(client.files.create({ file: await jsonl('x'.repeat(1 << 20)), purpose: 'fine-tune' })),
      ).toMatchObject({ status: 500, code: 'write_failed', message: expect.stringMatching(/Nothing of it was kept/) });
      expect(readdirSync(join(runs, '.server', 'incoming'))).toEqual([]);
      expect((await client.files.list()).data).toEqual([kept]);
    } finally {
      child.kill();
    }
  },
);
