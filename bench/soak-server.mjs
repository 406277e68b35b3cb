#!/usr/bin/env node
/**
 * Requests without end to a server in a process of its own, good, bad, oversized, slow and cut off, in a mixture that a seed fixes. Fails where
 * the server dies, where a good one is not answered or a bad one not by its own error, or where its memory grows by more than a tenth between
 * the end of the warm-up and the end. Build first.
 *   node bench/soak-server.mjs [--requests 24000] [--clients 12] [--seed 1] [--minutes 20]
 */
import { fork } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const mb = (bytes) => Math.round(bytes / 1e6);
/** A body and a file that are too large, and the limits that the server is given for them. */
const bodyBytes = 200_000;
const fileBytes = 400_000;
/** Share of the requests after which memory is looked at. */
const warmUp = 0.25;
const mostGrowth = 0.1;
const judgedFrom = 5000;

if (process.env.NOMOAT_SOAK_FOLDER) {
  const { serverLimits } = await import('../dist/server/limits.js');
  const { startServer } = await import('../dist/server/start-server.js');
  const folder = process.env.NOMOAT_SOAK_FOLDER;
  const failures = [];
  const server = await startServer(
    { port: 0, threads: 1, contextSize: 128, models: [join(folder, 'models')], runs: join(folder, 'runs'), onLog: (entry) => entry.type === 'failure' && failures.push(entry.message) },
    { ...serverLimits, bodyBytes, fileBytes, headersMilliseconds: 2000, progressMilliseconds: 2000 },
  );
  process.send(server.url);
  process.on('message', () => {
    globalThis.gc();
    const { external, heapUsed } = process.memoryUsage();
    process.send({ failures: failures.splice(0), kept: heapUsed + external });
  });
  process.on('disconnect', () => process.exit());
  await new Promise(() => {});
}

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '24000' },
    clients: { type: 'string', default: '12' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '20' },
  },
});
const [requests, clients, minutes] = [values.requests, values.clients, values.minutes].map(Number);

/** mulberry32: the same mixture for the same seed. */
let state = Number(values.seed);
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

const folder = mkdtempSync(join(tmpdir(), 'nomoat-soak-'));
mkdirSync(join(folder, 'models'));
cpSync(join(import.meta.dirname, '../test/fixtures/reference/llama/base.gguf'), join(folder, 'models/base.gguf'));
const child = fork(import.meta.filename, { execArgv: ['--expose-gc'], env: { ...process.env, NOMOAT_SOAK_FOLDER: folder, NOMOAT_HOME: join(folder, 'home') } });
let died = null;
child.once('exit', (code, signal) => {
  died = `the server ended (${signal ?? code})`;
});
const url = await new Promise((resolve, reject) => {
  child.once('message', resolve);
  child.once('exit', () => reject(new Error('the server did not start')));
});
const { hostname, port } = new URL(url);

/** Of the server's process, in bytes. */
const memory = () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) * 1024;

const json = (body, path = '/v1/chat/completions') => ['POST', path, { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }];
const chat = (more = {}) => ({ model: 'base', messages: [{ role: 'user', content: `number ${Math.floor(random() * 99)}` }], max_tokens: 4, ...more });
function form(bytes, purpose = 'user_data') {
  const body = new FormData();
  body.append('purpose', purpose);
  body.append('file', new Blob([Buffer.alloc(bytes, 'x')]), 'soak.txt');
  return ['POST', '/v1/files', { body }];
}

/** What was answered: its status, and its error's code. */
async function ask([method, path, options = {}]) {
  const answer = await fetch(`${url}${path}`, { method, ...options });
  const text = await answer.text();
  if (answer.ok) return { status: answer.status, code: null, text };
  const { error } = JSON.parse(text);
  const whole = ['message', 'type', 'param', 'code'].every((key) => key in error);
  return { status: answer.status, code: whole ? error.code : 'an error without its four keys', text };
}
/** The server may be asked for more than it takes at once; then it says so. */
const good = (made) => async () => {
  const { code, status } = await ask(made());
  return status === 200 || (status === 429 && code === 'rate_limit_exceeded') ? null : `${status} ${code}`;
};
const bad = (made, status, code) => async () => {
  const found = await ask(made());
  return found.status === status && found.code === code ? null : `${found.status} ${found.code}, not ${status} ${code}`;
};

/** Over a socket of its own; resolves with what came until the end. */
const raw = (write) =>
  new Promise((resolve) => {
    let said = '';
    const socket = connect(Number(port), hostname);
    socket.on('data', (piece) => (said += piece));
    socket.on('error', () => {});
    socket.once('close', () => resolve(said));
    write(socket);
  });
const head = (length, path = '/v1/chat/completions') => `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
const answered = (said, status, code) => (said.startsWith(`HTTP/1.1 ${status} `) && said.includes(`"code":"${code}"`) ? null : `${said.slice(0, 60)}, not ${status} ${code}`);

async function fileLife() {
  const made = await ask(form(Math.floor(random() * 5000) + 1));
  if (made.status !== 200) return `${made.status} ${made.code}`;
  const { id } = JSON.parse(made.text);
  for (const [method, path] of [['GET', ''], ['GET', '/content'], ['DELETE', '']]) {
    const { code, status } = await ask([method, `/v1/files/${id}${path}`]);
    if (status !== 200) return `${method} ${path}: ${status} ${code}`;
  }
  return null;
}
async function leaveStream() {
  const leaving = new AbortController();
  const [method, path, options] = json(chat({ stream: true, max_tokens: 60 }));
  const answer = await fetch(`${url}${path}`, { method, ...options, signal: leaving.signal });
  if (answer.ok) await answer.body.getReader().read();
  else await answer.text();
  leaving.abort();
  return answer.ok || answer.status === 429 ? null : String(answer.status);
}

/** Each with how often it comes. */
const kinds = {
  chat: [16, good(() => json(chat()))],
  streamed: [8, good(() => json(chat({ stream: true })))],
  completion: [8, good(() => json({ model: 'base', prompt: 'number', max_tokens: 3, logprobs: 1 }, '/v1/completions'))],
  models: [8, good(() => ['GET', '/v1/models'])],
  described: [1, good(() => ['GET', '/openapi.json'])],
  'a file from upload to removal': [4, fileLife],
  'no JSON': [6, bad(() => ['POST', '/v1/chat/completions', { body: '{"model":', headers: { 'Content-Type': 'application/json' } }], 400, 'invalid_json')],
  'another type': [3, bad(() => ['POST', '/v1/chat/completions', { body: '{}' }], 415, 'unsupported_media_type')],
  'no such model': [5, bad(() => json(chat({ model: 'none' })), 404, 'model_not_found')],
  'a wrong value': [6, bad(() => json(chat({ temperature: -1 })), 400, 'invalid_value')],
  'an unknown parameter': [5, bad(() => json(chat({ temprature: 1 })), 400, 'unknown_parameter')],
  'too long a prompt': [3, bad(() => json(chat({ messages: [{ role: 'user', content: 'number '.repeat(400) }] })), 400, 'context_length_exceeded')],
  'no such path': [3, bad(() => ['GET', '/v1/none'], 404, 'unknown_url')],
  'another method': [3, bad(() => ['PUT', '/v1/models'], 405, 'method_not_allowed')],
  'no such file': [3, bad(() => ['GET', '/v1/files/file-none'], 404, 'file_not_found')],
  'no such job': [2, bad(() => ['POST', '/v1/fine_tuning/jobs/none/cancel'], 404, 'fine_tune_not_found')],
  'a job on no file': [2, bad(() => json({ model: 'base', training_file: 'file-none' }, '/v1/fine_tuning/jobs'), 400, 'invalid_training_file')],
  'a wrong purpose': [2, bad(() => form(10, 'none'), 400, 'invalid_value')],
  'too large a body': [3, async () => answered(await raw((socket) => socket.write(head(bodyBytes * 2))), 413, 'request_too_large')],
  'too large a file': [1, bad(() => form(fileBytes + 1), 413, 'file_too_large')],
  'no HTTP': [3, async () => answered(await raw((socket) => socket.write('GARBAGE\r\n\r\n')), 400, 'invalid_http')],
  'half a body, then silence': [1, async () => answered(await raw((socket) => socket.write(`${head(500)}{"model"`)), 408, 'request_timeout')],
  'headers byte by byte': [1, async () => answered(await raw((socket) => {
    socket.write('GET /v1/models HTTP/1.1\r\nX: ');
    const drip = setInterval(() => socket.write('x'), 100);
    socket.once('close', () => clearInterval(drip));
  }), 408, 'request_timeout')],
  'half a body, then gone': [3, async () => {
    await raw((socket) => socket.write(`${head(500)}{"model"`, () => socket.destroy()));
    return null;
  }],
  'half a form, then gone': [2, async () => {
    await raw((socket) => socket.write(`POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9999\r\n\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nxxxx`, () => setTimeout(() => socket.destroy(), 5)));
    return null;
  }],
  'a stream that is left': [4, leaveStream],
};

const drawn = Object.entries(kinds).flatMap(([name, [weight]]) => Array(weight).fill(name));
const counts = new Map(Object.keys(kinds).map((name) => [name, 0]));
const wrong = new Map();
const measured = [];
const failures = [];
let begun = 0;
const until = performance.now() + minutes * 60_000;
const started = performance.now();

async function client() {
  while (begun < requests && died === null && performance.now() < until) {
    const number = ++begun;
    const name = drawn[Math.floor(random() * drawn.length)];
    const fault = await kinds[name][1]().catch((error) => `${error.message} (${error.cause?.code ?? error.cause?.message ?? 'no cause'})`);
    counts.set(name, counts.get(name) + 1);
    if (fault) wrong.set(`${name}: ${fault}`, (wrong.get(`${name}: ${fault}`) ?? 0) + 1);
    if (number === Math.ceil(requests * warmUp) && died === null) {
      const found = await kept();
      keptWarm = found.kept;
      failures.push(...found.failures);
    }
    if (number % Math.ceil(requests / 80) === 0 && died === null) measured.push({ share: number / requests, bytes: memory() });
  }
}
/** What the server's JavaScript holds when all that can be freed is, in bytes, and what failed since the last time. */
const kept = () =>
  new Promise((resolve) => {
    child.once('message', resolve);
    child.send('look');
  });
let keptWarm = 0;
const atStart = memory();
await Promise.all(Array.from({ length: clients }, client));
const seconds = (performance.now() - started) / 1000;
const last = died ? { failures: [], kept: 0 } : await kept();
failures.push(...last.failures);
if (died === null) child.kill('SIGKILL');
rmSync(folder, { recursive: true, force: true });

/** Resident memory between collections goes up and down by a third: single highs say nothing. */
function middle(from, to) {
  const all = measured.filter(({ share }) => share > from && share <= to).map(({ bytes }) => bytes).sort((a, b) => a - b);
  return all[Math.floor(all.length / 2)] ?? 0;
}
const [warm, end] = [middle(warmUp, warmUp + 0.25), middle(0.75, 1)];
const growth = end / warm - 1;
const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
console.log('| kind | requests |\n|---|---|');
for (const [name, count] of counts) console.log(`| ${name} | ${count} |`);
console.log(`${total} requests in ${seconds.toFixed(0)} s; resident memory ${mb(atStart)} MB at the start, ${mb(warm)} MB in the second quarter and ${mb(end)} MB in the last (medians; ${(growth * 100).toFixed(1)}%); JavaScript holds ${mb(keptWarm)} MB after a quarter and ${mb(last.kept)} MB at the end`);
console.log(`by twentieths: ${Array.from({ length: 20 }, (_, i) => mb(middle(i / 20, (i + 1) / 20))).join(' ')} MB`);
for (const [fault, count] of wrong) console.log(`WRONG ${count} times: ${fault}`);
for (const failure of failures) console.log(`FAILED: ${failure}`);
if (died) console.log(died);
if (total < requests && died === null) console.log(`the time of ${minutes} minutes was over before ${requests} requests`);
// Caches and the engine's memory still grow in the first thousands.
const flat = requests < judgedFrom || growth <= mostGrowth;
if (!flat) console.log('memory is not flat');
process.exit(died === null && wrong.size === 0 && failures.length === 0 && flat && total >= requests ? 0 : 1);
