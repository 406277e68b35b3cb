/** The process around a training process: what it hands on to it, and what it leaves behind. */
import { spawnSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { NomoatError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import { resolvePretrainSettings, resolveSettings } from '../settings/load.ts';
import type { RequestedSettings } from '../settings/run-settings.ts';
import { assertWorkerThere, startRun } from './start-run.ts';

const repo = join(import.meta.dirname, '../..');
const library = pathToFileURL(join(repo, 'dist/index.js')).href;
const model = join(repo, 'test/fixtures/reference/llama/base.gguf');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const data = join(folder, 'data.jsonl');
const rows = Array.from({ length: 8 }, (_, i) => ({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' }));
writeFileSync(data, rows.map((row) => JSON.stringify(row)).join('\n'));

/** The depth is counted in the environment, which processes hand on: a worker that runs the program again ends there. */
const program = `
  const depth = Number(process.env.NOMOAT_TEST_DEPTH ?? 0);
  if (depth > 0) { console.error('THE PROGRAM RAN AGAIN'); process.exit(9); }
  process.env.NOMOAT_TEST_DEPTH = '1';
  import(${JSON.stringify(library)}).then(async ({ tune }) => {
    const options = { data: ${JSON.stringify(data)}, model: ${JSON.stringify(model)}, maxSteps: 1, threads: 1, safetyShare: 0 };
    for await (const event of await tune({ ...options, run: process.env.NOMOAT_TEST_RUN })) console.log(event.type);
  }).catch((error) => { console.error(error.message); process.exit(5); });`;

test.each([
  ['argument', ['-e', program], ''],
  ['argument of a module', ['--input-type=module', '-e', program], ''],
  ['argument that is printed', ['-p', program], ''],
  ['stdin', ['--input-type=module', '-'], program],
])('a program that is given to node by %s trains once', { timeout: 120_000 }, (name, args, input) => {
  const env = {
    ...process.env,
    NOMOAT_HOME: join(folder, 'home'),
    NOMOAT_TEST_RUN: join(folder, name.replaceAll(' ', '-')),
  };
  // A limit on processes, where there is one to be had: should it fork itself for ever, it shall not take the machine along.
  const limited = spawnSync('prlimit', ['--version']).status === 0 ? ['prlimit', '--nproc=500', '--cpu=60'] : [];
  const [command, ...rest] = [...limited, process.execPath, ...args];
  const { status, stdout, stderr } = spawnSync(command!, rest, { cwd: folder, env, input, encoding: 'utf8' });
  expect(stderr).toBe('');
  // With `-p`, Node prints the program's value too: Node 20 before what the program prints, Node 22 after it.
  expect(stdout.split('\n').filter((line) => line === 'run-end')).toHaveLength(1);
  expect(status).toBe(0);
});

test('a bundle without the training process is told what it needs', () => {
  expect(() => assertWorkerThere()).not.toThrow();
  expect(() => assertWorkerThere(join(folder, 'bundle/worker.js'))).toThrow(
    /worker\.js is not there\. A bundle needs the package nomoat installed/,
  );
});

test('a signal that outlives its runs keeps no listeners of theirs', { timeout: 120_000 }, async () => {
  const { signal } = new AbortController();
  const options = { model, maxSteps: 1, threads: 1, safetyShare: 0 };
  for (const name of ['first', 'second']) {
    const run = join(folder, name);
    const handle = startRun(await resolveSettings([data], { ...options, run }, null), { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for await (const event of handle) if (event.type === 'run-end') expect(event.state).toBe('done');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  }
});

test('a crash in native code is not taken for want of memory: said at once, not tried again', {
  timeout: 120_000,
}, async () => {
  const run = join(folder, 'crash');
  const options = { model, epochs: 500, threads: 1, checkpointEvery: 1, run };
  const handle = startRun(await resolveSettings([data], options, null));
  const events: RunEvent[] = [];
  let pid: number | undefined;
  const follow = async (): Promise<void> => {
    for await (const event of handle) {
      events.push(event);
      if (event.type !== 'checkpoint-saved' || pid !== undefined) continue;
      pid = handle.pid;
      process.kill(pid!, 'SIGSEGV');
    }
  };
  await expect(follow()).rejects.toThrow(/crashed in native code \(SIGSEGV\).*checkpoint after \d+ steps: `resumeTune/);
  expect(handle.pid).toBe(pid);
  expect(events.at(-1)).toMatchObject({ type: 'error', fields: { signal: 'SIGSEGV', outOfMemory: false } });
});

describe('a run that is stopped while it prepares', { timeout: 120_000 }, () => {
  /** Stops it as soon as its process runs, and says how it ended. */
  async function stopped(
    settings: RequestedSettings,
  ): Promise<{ error: NomoatError; seconds: number; events: RunEvent[] }> {
    const abort = new AbortController();
    const handle = startRun(settings, { signal: abort.signal });
    const events: RunEvent[] = [];
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const begun = performance.now();
    abort.abort();
    try {
      for await (const event of handle) events.push(event);
      expect.unreachable('it ended by itself');
    } catch (error) {
      return { error: error as NomoatError, seconds: (performance.now() - begun) / 1000, events };
    }
  }
  const sentence = 'The quick brown fox jumps over the lazy dog, and number ';

  test('its data: ends soon, leaving nothing', async () => {
    const many = join(folder, 'many.jsonl');
    const row = (i: number): string => JSON.stringify({ prompt: `${sentence}${i} `.repeat(8), completion: `${i}` });
    writeFileSync(many, Array.from({ length: 60_000 }, (_, i) => row(i)).join('\n'));
    const run = join(folder, 'stopped-data');
    const { error, events, seconds } = await stopped(await resolveSettings([many], { model, run }, null));
    expect(error).toMatchObject({ kind: 'interrupted' });
    expect(error.message).toMatch(/Nothing had been written: start it again|Start it again/);
    expect(events.at(-1)).toMatchObject({ type: 'error', kind: 'interrupted' });
    expect(existsSync(run)).toBe(false);
    // Two seconds, on a machine that does nothing else.
    expect(seconds).toBeLessThan(15);
  });

  test('its vocabulary: ends soon, and the run is nothing or goes on', async () => {
    const text = join(folder, 'text.txt');
    let state = 1;
    const word = (): string => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state.toString(36);
    };
    writeFileSync(text, Array.from({ length: 600_000 }, word).join(' '));
    const run = join(folder, 'stopped-text');
    const settings = resolvePretrainSettings([text], { run, size: 'nano', vocabulary: 8000 }, null);
    const { error, seconds } = await stopped(settings);
    expect(error).toMatchObject({ kind: 'interrupted' });
    expect(existsSync(run) && !existsSync(join(run, 'run.json'))).toBe(false);
    expect(seconds).toBeLessThan(15);
  });
});
