/** Each program of examples/ compiles and runs in a project that has nomoat installed, with nothing on standard error. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const repo = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-example-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const model = join(repo, 'test/fixtures/reference/llama/base.gguf');
/** What each is called with, and what it prints; later ones use what earlier ones made. */
const examples: Readonly<Record<string, { readonly args: readonly string[]; readonly prints: RegExp }>> = {
  'tune-and-follow': {
    args: [model, 'data.jsonl', 'run'],
    prints:
      /step 0: loss [\d.]+\n[\s\S]*adapter in .*run\/adapter\nvalidation [\d.]+ -> [\d.]+\n.*trained: true\nanswer: .*\nln p of "odd": -[\d.]+, in \d+ tokens\n$/,
  },
  'chat-stream': {
    args: ['run'],
    prints: /^number 3: .*\d+ tokens, (end-of-turn|length)\)\nnumber 4: [\s\S]*tokens, /,
  },
  'plan-first': {
    args: [model, 'data.jsonl'],
    prints: /number 0[\s\S]*20 rows, \d+ of \d+ tokens are learnt\nas asked: [\d.]+ min, [\d.]+ GB/,
  },
  resume: {
    args: [model, 'data.jsonl', 'resumed/run'],
    prints:
      /^stopped after \d+ steps\nrun: interrupted\ngoes on after step \d+\ndone after 60 steps\n60 losses in its log\n$/,
  },
  export: {
    args: ['run', 'out'],
    prints: /^done: .*adapter, on base\n.*adapter\.gguf\n[\s\S]*adapter_config\.json[\s\S]*merged\.gguf\nmerged: /,
  },
};

const node = (args: readonly string[]) =>
  spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NOMOAT_HOME: join(folder, 'home') },
  });

beforeAll(() => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(repo, join(folder, 'node_modules/nomoat'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const row = (i: number): string => JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' });
  writeFileSync(join(folder, 'data.jsonl'), Array.from({ length: 20 }, (_, i) => row(i)).join('\n'));
  const files = Object.keys(examples).map((name) => `${name}.ts`);
  for (const file of files) copyFileSync(join(repo, 'examples', file), join(folder, file));

  const { stderr, stdout } = node([
    join(repo, 'node_modules/typescript/bin/tsc'),
    ...files,
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--strict',
    '--skipLibCheck',
    '--types',
    'node',
    '--typeRoots',
    join(repo, 'node_modules/@types'),
  ]);
  expect(stdout + stderr).toBe('');
}, 120_000);

test('every program of examples/ is run here', () => {
  const there = readdirSync(join(repo, 'examples')).filter((name) => name.endsWith('.ts'));
  expect(there.sort()).toEqual(
    Object.keys(examples)
      .map((name) => `${name}.ts`)
      .sort(),
  );
});

test.each(Object.entries(examples))('examples/%s.ts', { timeout: 240_000 }, (name, { args, prints }) => {
  const { status, stderr, stdout } = node([`${name}.js`, ...args]);
  expect(stderr).toBe('');
  expect(stdout).toMatch(prints);
  expect(status).toBe(0);
});
