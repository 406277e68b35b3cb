/**
 * Kills the server, its training process or both with SIGKILL at seeded moments of an upload, the creation of a job, its training and chats;
 * starts the server again and goes on as a script would. Says how many moments ended in the same adapter as a job that nobody disturbed,
 * with nothing half and no process left: `node bench/kill-server.mjs --moments 100 --seed 1`. Needs `npm run build`.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import OpenAI, { toFile } from 'openai';
import { random } from './seeded-random.mjs';

const repo = join(import.meta.dirname, '..');
const { values } = parseArgs({ options: { moments: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' }, json: { type: 'boolean', default: false } } });
const folder = mkdtempSync(join(tmpdir(), 'nomoat-kill-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const rows = Array.from({ length: 24 }, (_, i) => `${JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' })}\n`).join('');
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function startServer(runs) {
  const flags = ['serve', '--port', '0', '--quiet', '--no-background', '--threads', '1', '--runs', runs, '--models', join(repo, 'test/fixtures/reference/llama')];
  const child = spawn(process.execPath, [join(repo, 'dist/cli/main.js'), ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let failed = '';
  child.stderr.on('data', (chunk) => { failed += chunk; });
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const [, found] = /at (http:\S+)\/v1/.exec(said) ?? [];
      if (found) resolve(found);
    });
    child.once('exit', (code, signal) => reject(new Error(`the server ended (${code ?? signal}): ${failed}`)));
  });
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0, timeout: 20_000 });
  return { child, client };
}

const pidIn = (path) => {
  try {
    return Number(readFileSync(path, 'utf8')) || null;
  } catch {
    return null;
  }
};
const runIn = (runs) => (existsSync(runs) ? readdirSync(runs).find((name) => name.startsWith('even-odd-')) : undefined);
function alive(pid) {
  try {
    process.kill(pid, 0);
    // What has ended and only waits for its parent to take note is no process any more.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** What a script does; goes on from what it knows to be done. */
class Script {
  file = null;
  job = null;
  finished = null;

  async go(client) {
    this.file ??= (await client.files.create({ file: await toFile(Buffer.from(rows), 'train.jsonl'), purpose: 'fine-tune' })).id;
    if (this.job === null) {
      // A creation whose answer was lost may have happened.
      const known = (await client.fineTuning.jobs.list()).data.find(({ training_file: file }) => file === this.file);
      const hyperparameters = { n_epochs: 3, batch_size: 4 };
      this.job = (known ?? (await client.fineTuning.jobs.create({ model: 'base', training_file: this.file, suffix: 'even-odd', seed: 7, method: { type: 'supervised', supervised: { hyperparameters } } }))).id;
    }
    for (;;) {
      const job = await client.fineTuning.jobs.retrieve(this.job);
      if (job.status === 'failed' || job.status === 'cancelled') throw new Error(`the job ${job.status}: ${job.error?.message}`);
      const model = job.fine_tuned_model ?? 'base';
      await client.chat.completions.create({ model, messages: [{ role: 'user', content: 'number 3' }], max_tokens: 4 });
      if (job.status === 'succeeded') return job;
      await sleep(20);
    }
  }
}

const digest = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');
const adapterOf = (runs) => digest(join(runs, runIn(runs), 'adapter/adapter_model.safetensors'));

/** What is left that should not be. */
async function leftovers(runs, client, pids) {
  const found = [];
  const state = join(runs, '.server');
  for (const place of ['incoming', 'parts']) {
    const names = existsSync(join(state, place)) ? readdirSync(join(state, place)) : [];
    if (names.length > 0) found.push(`${place}: ${names.join(', ')}`);
  }
  const ids = (await client.files.list()).data.map(({ id }) => `${id}.jsonl`).sort();
  const there = readdirSync(join(state, 'files')).sort();
  if (JSON.stringify(ids) !== JSON.stringify(there)) found.push(`files ${there} are there, ${ids} are known`);
  const unfinished = readdirSync(join(runs, runIn(runs)), { recursive: true }).filter((name) => String(name).includes('.unfinished-'));
  if (unfinished.length > 0) found.push(`half files: ${unfinished.join(', ')}`);
  for (const pid of pids) if (alive(pid)) found.push(`process ${pid} lives`);
  return found;
}

const end = (child) => new Promise((resolve) => {
  if (child.exitCode !== null || child.signalCode !== null) return resolve();
  child.once('exit', resolve);
});

async function moment(index, span, expected) {
  const next = random(Number(values.seed) * 1000 + index);
  const runs = join(folder, `runs${index}`);
  mkdirSync(runs);
  // Uploading and creating take a small part of the time, and are to be met as well.
  const [at, what] = [next() * (next() < 0.3 ? span / 20 : span), ['server', 'trainer', 'both'][Math.floor(next() * 3)]];
  const script = new Script();
  const pids = new Set();
  let { child, client } = await startServer(runs);
  let working = script.go(client);
  working.catch(() => {});
  await sleep(at);
  const run = runIn(runs);
  const trainer = run === undefined ? null : pidIn(join(runs, run, 'lock'));
  const state = script.job === null ? (script.file === null ? 'upload' : 'create') : trainer === null ? 'between' : 'train';
  if (trainer !== null) pids.add(trainer);
  const kill = (pid) => { try { process.kill(pid, 'SIGKILL'); } catch { /* It has ended meanwhile. */ } };
  if (what !== 'server' && trainer !== null) kill(trainer);
  if (what !== 'trainer') {
    kill(child.pid);
    await end(child);
    await working.catch(() => {});
    ({ child, client } = await startServer(runs));
    working = script.go(client);
  }
  let fault = null;
  try {
    const job = await working;
    const steps = (await (await client.files.content(job.result_files[0])).text()).trim().split('\n').length - 1;
    if (steps !== 18) fault = `${steps} steps in the result file`;
    else if (adapterOf(runs) !== expected) fault = 'another adapter';
    else fault = (await leftovers(runs, client, pids)).join('; ') || null;
    const events = [];
    for await (const event of client.fineTuning.jobs.listEvents(job.id, { limit: 1000 })) events.push(event.message);
    const trained = events.filter((message) => message.includes('training loss')).length;
    fault ??= trained === 18 ? null : `${trained} events of steps`;
  } catch (error) {
    fault = error.message;
  }
  child.kill('SIGTERM');
  await end(child);
  rmSync(runs, { recursive: true, force: true });
  return { index, what, state, at: Math.round(at), fault };
}

/** The job without any kill: its adapter, and how long it takes. */
async function undisturbed() {
  const runs = join(folder, 'undisturbed');
  mkdirSync(runs);
  const { child, client } = await startServer(runs);
  const began = performance.now();
  await new Script().go(client);
  const span = performance.now() - began;
  const expected = adapterOf(runs);
  child.kill('SIGTERM');
  await end(child);
  return { span, expected };
}

const { span, expected } = await undisturbed();
const results = [];
for (let index = 0; index < Number(values.moments); index++) {
  const result = await moment(index, span, expected);
  results.push(result);
  if (!values.json) console.log(`${index} ${result.what} killed after ${result.at} ms (${result.state}): ${result.fault ?? 'same adapter, nothing left'}`);
}
const good = results.filter(({ fault }) => fault === null).length;
const by = (key) => Object.fromEntries([...new Set(results.map((each) => each[key]))].sort().map((name) => [name, results.filter((each) => each[key] === name).length]));
if (values.json) console.log(JSON.stringify({ moments: results.length, good, what: by('what'), state: by('state'), faults: results.filter(({ fault }) => fault !== null) }));
else console.log(`${good} of ${results.length} ended in the same adapter with nothing left (${JSON.stringify(by('what'))}, ${JSON.stringify(by('state'))})`);
process.exitCode = good === results.length ? 0 : 1;
