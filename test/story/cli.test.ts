import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/events.ts';

const repo = join(import.meta.dirname, '../..');
const main = join(repo, 'dist/cli/main.js');
const model = join(repo, 'test/fixtures/reference/llama/base.gguf');
/** Each run loads two engines; a busy machine may take its time. */
const patience = 240_000;
const folder = mkdtempSync(join(tmpdir(), 'nomoat-story-'));
const env = { ...process.env, NOMOAT_HOME: join(folder, 'home') };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function nomoat(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

const events = (text: string): RunEvent[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);
const losses = (list: readonly RunEvent[]): [number, number][] =>
  list.flatMap((e) => (e.type === 'step-end' ? [[e.step, e.loss] as [number, number]] : []));
const logged = (run: string): RunEvent[] => events(readFileSync(join(folder, run, 'events.jsonl'), 'utf8'));
const settings = [
  '--model',
  model,
  '--batch-size',
  '4',
  '--epochs',
  '2',
  '--validation',
  '0.2',
  '--checkpoint-every',
  '2',
  // One thread: llama.cpp's threads wait for each other, and tests share the cores.
  '--threads',
  '1',
  '--json',
];

beforeAll(() => {
  expect(existsSync(main), 'npm test builds dist first').toBe(true);
  const record = (i: number): string =>
    JSON.stringify({
      messages: [
        { role: 'system', content: 'Say which.' },
        { role: 'user', content: `number ${i}` },
        { role: 'assistant', content: i % 2 ? 'odd' : 'even' },
      ],
    });
  writeFileSync(join(folder, 'data.jsonl'), Array.from({ length: 30 }, (_, i) => record(i)).join('\n'));
});

describe('a run through the command line', { timeout: patience }, () => {
  test('preview shows what is supervised', () => {
    const { code, out } = nomoat('preview', 'data.jsonl', '--model', model, '--rows', '1');
    expect(code).toBe(0);
    expect(out).toContain('format: messages');
    expect(out).toContain('«<|im_end|>»');
    expect(out).toContain('30 rows');
  });

  test('tune ends with an adapter, a parity proof that passed, samples and a report', () => {
    const { code, out, err } = nomoat('tune', 'data.jsonl', ...settings, '--run', 'whole');
    expect(err).toBe('');
    expect(code).toBe(0);
    const list = events(out);
    expect(list.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['run-start', 'data-ready', 'estimate', 'validation', 'checkpoint-saved', 'sample']),
    );
    expect(losses(list).map(([step]) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    const parity = list.filter((e) => e.type === 'export-parity');
    expect(parity.length).toBe(1);
    expect(parity[0]?.passed).toBe(true);
    const end = list.at(-1);
    expect(end?.type === 'run-end' && end.state).toBe('done');
    expect(end?.type === 'run-end' && end.validationAfter! < end.validationBefore!).toBe(true);
    for (const name of [
      'run.json',
      'recipe.yaml',
      'report.html',
      'report.json',
      'adapter/adapter_model.safetensors',
      'adapter/adapter_config.json',
      'adapter/adapter.gguf',
      'adapter/README.md',
    ]) {
      expect(existsSync(join(folder, 'whole', name)), name).toBe(true);
    }
    // Its scripts stand in it; the one address is in the plots' licence.
    const page = readFileSync(join(folder, 'whole/report.html'), 'utf8').replace(
      'https://github.com/leeoniya/uPlot',
      '',
    );
    expect(page).not.toMatch(/https?:|\ssrc=|url\(/);
    // What is shown to others does not say where things lie on this machine.
    const shared = [
      'report.html',
      'report.json',
      'adapter/adapter_config.json',
      'adapter/README.md',
      'adapter/adapter.gguf',
    ];
    for (const name of shared)
      for (const path of [folder, repo])
        expect(readFileSync(join(folder, 'whole', name)).includes(path), name).toBe(false);
  });

  test('an existing run is never overwritten, and a finished one is not resumed', () => {
    expect(nomoat('tune', 'data.jsonl', ...settings, '--run', 'whole').err).toContain('never overwritten');
    expect(nomoat('tune', '--resume', 'whole').err).toContain('this run is done');
  });

  test('kill -9 at any moment, then --resume: the same losses and the same adapter, bit for bit', async () => {
    for (const [n, after] of [1, 4, 9].entries()) {
      const run = `killed${n}`;
      const child = spawn(process.execPath, [main, 'tune', 'data.jsonl', ...settings, '--run', run], {
        cwd: folder,
        env,
      });
      await new Promise<void>((resolve) => {
        let text = '';
        let killed = false;
        child.stdout.on('data', (chunk: Buffer) => {
          text += chunk;
          if (!killed && text.includes(`"type":"step-end","step":${after},`)) {
            killed = true;
            process.kill(Number(readFileSync(join(folder, run, 'lock'), 'utf8')), 'SIGKILL');
          }
        });
        child.on('close', () => resolve());
      });
      expect(child.exitCode).toBe(1);
      expect(existsSync(join(folder, run, 'adapter'))).toBe(false);
      expect(nomoat('tune', '--resume', run, '--json').code).toBe(0);
      expect(losses(logged(run))).toEqual(losses(logged('whole')));
      for (const file of ['adapter/adapter_model.safetensors', 'adapter/adapter.gguf']) {
        expect(readFileSync(join(folder, run, file)).equals(readFileSync(join(folder, 'whole', file))), file).toBe(
          true,
        );
      }
    }
  });

  test('Ctrl-C twice stops at once, and is not taken for want of memory', async () => {
    const args = ['tune', 'data.jsonl', ...settings, '--run', 'twice'];
    const child = spawn(process.execPath, [main, ...args], { cwd: folder, env });
    let err = '';
    child.stdout.once('data', () => child.kill('SIGINT'));
    child.stderr.on('data', (chunk: Buffer) => {
      if (!err.includes('Stopping') && String(chunk).includes('Stopping')) child.kill('SIGINT');
      err += chunk;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    // Where the first one was quicker, the run has ended with its checkpoint.
    if (!err.includes('Go on with'))
      expect(err).toMatch(
        /the training process: was stopped at once\. (Go on from its checkpoint after \d+ steps: nomoat tune --resume|It had no checkpoint yet; begin it again: nomoat tune --resume|Nothing had been written)/,
      );
    expect(err).not.toMatch(/memory/i);
    expect(code).toBe(130);
  });

  test('Ctrl-C writes a checkpoint and says how to go on', async () => {
    const child = spawn(process.execPath, [main, 'tune', 'data.jsonl', ...settings, '--run', 'stopped'], {
      cwd: folder,
      env,
    });
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk;
    });
    let asked = false;
    child.stdout.on('data', (chunk: Buffer) => {
      if (asked || !String(chunk).includes('step-end')) return;
      asked = true;
      child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(130);
    expect(err).toMatch(/Go on with: node \S*main\.js tune --resume /);
    writeFileSync(join(folder, 'stopped/lock'), String(process.pid));
    const second = nomoat('tune', '--resume', 'stopped');
    expect(second.code, 'one process at a time').toBe(2);
    expect(second.err).toContain(`process ${process.pid}`);
    rmSync(join(folder, 'stopped/lock'));
    for (const args of [
      ['export', 'stopped', '--to', 'gguf', '--out', 'none.gguf'],
      ['chat', 'stopped', '--prompt', 'x'],
    ]) {
      const refused = nomoat(...args);
      expect(refused.code).toBe(2);
      expect(refused.err).toContain(
        'without a result yet (interrupted). Finish it first: nomoat tune --resume stopped',
      );
    }
    expect(nomoat('tune', '--resume', 'stopped', '--json').code).toBe(0);
    expect(losses(logged('stopped'))).toEqual(losses(logged('whole')));
  });

  test('a lost parent leaves a run that can be resumed', async () => {
    const child = spawn(process.execPath, [main, 'tune', 'data.jsonl', ...settings, '--run', 'orphan'], {
      cwd: folder,
      env,
    });
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        if (String(chunk).includes('"type":"step-end","step":')) child.kill('SIGKILL');
      });
      child.on('close', () => resolve());
    });
    for (let i = 0; i < 100 && existsSync(join(folder, 'orphan/lock')); i++)
      await new Promise((r) => setTimeout(r, 100));
    expect(nomoat('tune', '--resume', 'orphan', '--json').code).toBe(0);
    expect(losses(logged('orphan'))).toEqual(losses(logged('whole')));
  });

  test('exports to every format', () => {
    for (const [format, out] of [
      ['peft', 'out-peft'],
      ['gguf', 'out.gguf'],
      ['ollama', 'out-ollama'],
      ['merged-gguf', 'merged.gguf'],
    ] as const) {
      // biome-ignore format: a table
      const { code, err } = nomoat('export', 'whole', '--to', format, '--out', out);
      expect(err).toBe('');
      expect(code).toBe(0);
      expect(existsSync(join(folder, out))).toBe(true);
    }
    expect(existsSync(join(folder, 'out-ollama/model.gguf'))).toBe(true);
    const old = nomoat('export', 'whole', '--to', 'ollama', '--ollama-adapter', '--out', 'out-old');
    expect(old.out).toContain('out-old/adapter.gguf');
    for (const idle of [
      ['--to', 'pef'],
      ['--to', 'gguf', '--ollama-adapter'],
      ['--to', 'peft', '--type', 'Q8_0'],
      ['--to', 'ollama', '--ollama-adapter', '--type', 'F16'],
    ])
      expect(nomoat('export', 'whole', ...idle, '--out', 'x').code).toBe(2);
  });

  test('chat answers with the run, and the same for the same seed', () => {
    const ask = (): { code: number | null; out: string; err: string } =>
      nomoat('chat', 'whole', '--prompt', 'number 3', '--max-tokens', '5', '--seed', '1', '--threads', '1');
    const { code, out, err } = ask();
    expect(code).toBe(0);
    expect(err).toContain('Say which.');
    expect(out.length).toBeGreaterThan(0);
    expect(ask().out).toBe(out);
  });

  test('wrong input: all faults together, the nearest name, exit code 2', () => {
    const { code, err } = nomoat(
      'tune',
      'data.jsonl',
      '--model',
      model,
      '--rank',
      '0',
      '--dropout',
      '2',
      '--schedule',
      'cosin',
    );
    expect(code).toBe(2);
    for (const part of ['--rank', '--dropout', '--schedule']) expect(err).toContain(part);
    expect(nomoat('tune', 'data.jsonl', '--rnak', '3').err).toMatch(/unknown option.*--rnak[\s\S]*--rank/);
    writeFileSync(join(folder, 'r.yaml'), 'epoch: 3\n');
    expect(nomoat('tune', 'data.jsonl', '--model', model, '--recipe', 'r.yaml').err).toContain('did you mean epochs');
    expect(nomoat('tune', 'none.jsonl', '--model', model).code).toBe(2);
    expect(nomoat('chat', 'nothing-here', '--prompt', 'x').code).toBe(2);
  });
});
