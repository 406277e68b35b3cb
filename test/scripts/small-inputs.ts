/** Inputs on which a script or a documented command runs in a second or two: a tiny model, a few rows, a text, a finished run. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, expect } from 'vitest';

export const repo = join(import.meta.dirname, '../..');
export const tiny = join(repo, 'test/fixtures/reference/llama/base.gguf');
const main = join(repo, 'dist/cli/main.js');

/** Rows of one form that some scripts count on: 100 for training, of which they take batches of 16. */
const rows = { train: 100, test: 48 } as const;
const syllables = ['ba', 'do', 'fi', 'gu', 'ka', 'lo', 'mi', 'nu', 'pa', 'ro', 'si', 'tu', 'va', 'wo', 'xi', 'zu'];
/** Words of three syllables, drawn evenly: a vocabulary of some thousand tokens can be made of them. */
function someText(words: number): string {
  let state = 1;
  const syllable = (): string => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return syllables[state >>> 28]!;
  };
  return Array.from(
    { length: words },
    (_, i) => syllable() + syllable() + syllable() + (i % 9 === 8 ? '.\n' : ' '),
  ).join('');
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface SmallInputs {
  readonly folder: string;
  /** train.jsonl and test.jsonl, text.txt, rows.jsonl, and the folders reference and run. */
  readonly at: (...names: string[]) => string;
  readonly run: (program: string, args: readonly string[], cwd?: string) => Ended;
  readonly nomoat: (args: readonly string[]) => Ended;
}

/** A folder with the inputs, removed after the tests of the file. */
export function smallInputs(): SmallInputs {
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-scripts-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const at = (...names: string[]): string => join(folder, ...names);
  const env = { ...process.env, NOMOAT_HOME: at('home'), HF_HUB_OFFLINE: '1' };
  const run = (program: string, args: readonly string[], cwd = folder): Ended => {
    const { status, stderr, stdout } = spawnSync(program, args, {
      cwd,
      env,
      encoding: 'utf8',
      maxBuffer: 64 << 20,
      input: '',
    });
    return { code: status, out: stdout ?? '', err: stderr ?? '' };
  };
  const nomoat = (args: readonly string[]): Ended => run(process.execPath, [main, ...args]);
  const row = (i: number): string =>
    JSON.stringify({
      messages: [
        { role: 'system', content: 'Say which.' },
        { role: 'user', content: `number ${i}` },
        { role: 'assistant', content: i % 2 ? 'odd' : 'even' },
      ],
    });
  for (const [name, count] of Object.entries(rows))
    writeFileSync(at(`${name}.jsonl`), Array.from({ length: count }, (_, i) => row(i)).join('\n'));
  writeFileSync(at('text.txt'), someText(16_000));
  return { folder, at, run, nomoat };
}

/** A run of rank 8 and alpha 16, as the scripts beside PEFT have it, and the rows as `preview` shows them. */
export function addRun({ at, nomoat }: SmallInputs): void {
  const trained = nomoat([
    'tune',
    at('train.jsonl'),
    '--model',
    tiny,
    '--rank',
    '8',
    '--alpha',
    '16',
    '--max-steps',
    '2',
    '--threads',
    '1',
    '--yes',
    '--run',
    at('run'),
  ]);
  expect(trained.code, trained.err).toBe(0);
  const shown = nomoat(['preview', at('train.jsonl'), '--model', tiny, '--rows', String(rows.train), '--json']);
  expect(shown.code, shown.err).toBe(0);
  writeFileSync(at('rows.jsonl'), shown.out);
}

/** A folder like that of the reference run. Its figures mean nothing; its files are of the right form. */
export function addReference({ at }: SmallInputs): void {
  mkdirSync(at('reference'));
  for (const name of Object.keys(rows)) copyFileSync(at(`${name}.jsonl`), at('reference', `${name}.jsonl`));
  for (const name of ['lora.start', 'lora.before_step5.f16', 'lora.gradients.step5.f16'])
    copyFileSync(at('run/adapter/adapter_model.safetensors'), at('reference', `${name}.safetensors`));
  writeFileSync(at('reference/case.json'), JSON.stringify({ held_out_after: { exact: 0 } }));
}

/** Scripts of the repo: what a person can run. */
export const scripts = ['bench', 'examples', 'models']
  .flatMap((folder) =>
    readdirSync(join(repo, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((name) => /\.(mjs|js|sh|py)$/.test(name))
  .map((name) => relative('.', name).replaceAll('\\', '/'))
  .sort();

/** Oracles' folders as their scripts find them. */
export function addFixtures({ at }: SmallInputs): void {
  for (const name of ['llama', 'qwen2', 'qwen3'])
    cpSync(join(repo, 'test/fixtures/reference', name), at('oracles', name), { recursive: true });
}
