/**
 * Programs that nomoat runs inside of: a worker thread, a bundle, several runs and chats at once. Nothing of theirs is touched: what they
 * print, their handlers, their listeners. Programs given to node as text are in src/run/start-run.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const repo = join(import.meta.dirname, '../..');
const model = join(repo, 'test/fixtures/reference/llama/base.gguf');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-hosts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const patience = 240_000;

beforeAll(() => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(repo, join(folder, 'node_modules/nomoat'));
  const rows = Array.from({ length: 12 }, (_, i) => ({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' }));
  writeFileSync(join(folder, 'data.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
});

const run = (file: string, program: string) => {
  writeFileSync(join(folder, file), program);
  const env = { ...process.env, NOMOAT_HOME: join(folder, 'home') };
  return spawnSync(process.execPath, [file], { cwd: folder, env, encoding: 'utf8' });
};

/** Trains two steps, chats with the result, and says so; `name` is the run's folder. */
const whole = `
import { openModel, tune } from 'nomoat';
export async function whole(name) {
  const run = tune({ data: 'data.jsonl', model: ${JSON.stringify(model)}, maxSteps: 2, threads: 1, run: name });
  const seen = [];
  for await (const event of run) seen.push(event.type);
  const { adapter, folder, state } = await run.result;
  const chat = await openModel({ model: folder });
  const { stopReason } = await chat.generate([{ role: 'user', content: 'number 3' }], { maxTokens: 4, temperature: 0 });
  await chat.close();
  return [state, seen.filter((type) => type === 'step-end').length, adapter.endsWith('adapter'), typeof stopReason].join(' ');
}`;
const said = 'done 2 true string';

describe('a host', { timeout: patience }, () => {
  test('keeps its output, handlers, listeners and arguments; two runs and two chats at once do not meet', () => {
    writeFileSync(join(folder, 'whole.mjs'), whole);
    const { status, stderr, stdout } = run(
      'two.mjs',
      `import { doctor } from 'nomoat';
       import { whole } from './whole.mjs';
       // node-llama-cpp lets go of its threads before the process ends: 'beforeExit' is its own, and takes nothing from the host.
       const names = ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit', 'uncaughtException', 'unhandledRejection', 'warning'];
       const { emit, reallyExit } = process;
       const counts = () => names.map((name) => process.listenerCount(name)).join();
       const before = [counts(), process.execArgv.join(), process.cwd(), Object.keys(process.env).sort().join()];
       await doctor();
       const ended = await Promise.all([whole('a'), whole('b')]);
       const after = [counts(), process.execArgv.join(), process.cwd(), Object.keys(process.env).sort().join()];
       console.log(JSON.stringify({ ended, before, after, same: process.emit === emit && process.reallyExit === reallyExit }));`,
    );
    expect(stderr).toBe('');
    const { after, before, ended, same } = JSON.parse(stdout) as Record<'after' | 'before' | 'ended', string[]> & {
      same: boolean;
    };
    expect(same).toBe(true);
    expect(ended).toEqual([said, said]);
    expect(after).toEqual(before);
    expect(status).toBe(0);
  });

  test.each([
    ['a text', ['-e']],
    ['a module as text', ['--input-type=module', '-e']],
  ])('is %s: it tunes and chats', (name, args) => {
    writeFileSync(join(folder, 'whole.mjs'), whole);
    const run = name.replaceAll(' ', '-');
    const program = `import('./whole.mjs').then(async ({ whole }) => console.log(await whole(${JSON.stringify(run)}), process.execArgv.join()))`;
    const env = { ...process.env, NOMOAT_HOME: join(folder, 'home') };
    const { stderr, stdout } = spawnSync(process.execPath, [...args, program], { cwd: folder, env, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe(`${said} ${[...args, program].join()}`);
  });

  test('is a bundle, with nomoat inside and its engines beside', async () => {
    writeFileSync(join(folder, 'whole.mjs'), whole);
    writeFileSync(
      join(folder, 'bundled.mjs'),
      `import { whole } from './whole.mjs';\nconsole.log(await whole('bundled'));`,
    );
    await build({
      entryPoints: [join(folder, 'bundled.mjs')],
      outfile: join(folder, 'bundle/program.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      // Native code stays in its packages.
      external: ['onnxruntime-node', 'node-llama-cpp'],
      // Some of what is bundled is CommonJS and requires what Node has.
      banner: {
        js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
      },
      logLevel: 'error',
    });
    // As deployed: the packages that it needs are where it runs.
    for (const name of ['onnxruntime-node', 'node-llama-cpp'])
      symlinkSync(join(repo, 'node_modules', name), join(folder, 'node_modules', name));
    const env = { ...process.env, NOMOAT_HOME: join(folder, 'home') };
    const { status, stderr, stdout } = spawnSync(process.execPath, ['bundle/program.mjs'], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe(said);
    expect(status).toBe(0);
  });

  test('is a worker thread', () => {
    writeFileSync(join(folder, 'whole.mjs'), whole);
    writeFileSync(
      join(folder, 'thread.mjs'),
      `import { parentPort } from 'node:worker_threads';
       import { whole } from './whole.mjs';
       parentPort.postMessage(await whole('thread'));`,
    );
    const { status, stderr, stdout } = run(
      'main.mjs',
      `import { Worker } from 'node:worker_threads';
       const worker = new Worker(new URL('./thread.mjs', import.meta.url));
       worker.on('message', (text) => console.log(text));
       worker.on('error', (error) => { console.error(error); process.exitCode = 5; });`,
    );
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe(said);
    expect(status).toBe(0);
  });
});
