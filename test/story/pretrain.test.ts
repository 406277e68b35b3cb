import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/events.ts';

const repo = join(import.meta.dirname, '../..');
const main = join(repo, 'dist/cli/main.js');
const patience = 240_000;
const folder = mkdtempSync(join(tmpdir(), 'nomoat-pretrain-'));
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
const logged = (run: string): RunEvent[] =>
  readFileSync(join(folder, run, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);
const losses = (list: readonly RunEvent[]): number[] => list.flatMap((e) => (e.type === 'step-end' ? [e.loss] : []));
const settings = [
  '--size',
  'nano',
  '--vocabulary',
  '280',
  '--sequence-length',
  '64',
  '--batch-size',
  '8',
  '--learning-rate',
  '3e-3',
  '--warmup-steps',
  '2',
  '--checkpoint-every',
  '5',
  '--threads',
  '1',
  '--json',
];

beforeAll(() => {
  const story = (i: number): string =>
    `The ${['cat', 'dog', 'hen', 'fox'][i % 4]} saw ${(i * 7) % 10} birds. It sat down and sang a song of number ${i}.`;
  writeFileSync(join(folder, 'text.txt'), Array.from({ length: 1400 }, (_, i) => story(i)).join('\n<|endoftext|>\n'));
});

describe('pretraining through the command line', { timeout: patience }, () => {
  test('few steps have a short warm-up, and a plan', () => {
    const given = ['--size', 'nano', '--vocabulary', '280', '--sequence-length', '64', '--threads', '1', '--json'];
    const { code, err } = nomoat(
      'pretrain',
      'text.txt',
      ...given,
      '--batch-size',
      '8',
      '--max-steps',
      '4',
      '--run',
      'few',
    );
    expect(code, err).toBe(0);
    const events = logged('few');
    expect(events.find((e) => e.type === 'run-start')).toMatchObject({ settings: { warmupSteps: 1 } });
    expect(events.flatMap((e) => (e.type === 'step-end' ? [e.learningRate] : []))[1]).toBeCloseTo(1e-3, 6);
    expect(events.find((e) => e.type === 'plan')).toMatchObject({ measured: false, precision: 'f32' });
    const card = nomoat('card', 'few', '--base-model', 'org/none');
    expect(card.out).toContain('# A llama model, trained from random weights\n');
    expect(card.out).toContain('Trained on `text.txt`');
    expect(card.out).not.toMatch(/base_model|adapter/);
  });

  test('a model from text: it learns, keeps parity with llama.cpp, chats and is tuned further', () => {
    const { code, err } = nomoat('pretrain', 'text.txt', ...settings, '--max-steps', '20', '--run', 'whole');
    expect(err).toBe('');
    expect(code).toBe(0);
    const events = logged('whole');
    const validations = events.filter((e) => e.type === 'validation');
    expect(validations.at(-1)!.loss).toBeLessThan(validations[0]!.loss - 1);
    expect(validations.at(-1)!.bitsPerByte).toBeGreaterThan(0);
    expect(events.find((e) => e.type === 'run-start')).toMatchObject({ method: 'pretrain' });
    const report = readFileSync(join(folder, 'whole/report.html'), 'utf8');
    expect(report).toContain('data-title-en="Pretraining nomoat-nano"');
    expect(report).toContain(
      `${validations[0]!.bitsPerByte!.toFixed(3)} → ${Math.min(...validations.map(({ bitsPerByte }) => bitsPerByte!)).toFixed(3)}`,
    );
    const proofs = events.filter((e) => e.type === 'export-parity');
    expect(proofs.length).toBe(2);
    for (const { meanDifference } of proofs) expect(meanDifference).toBeLessThan(0.01);
    expect(existsSync(join(folder, 'whole/model/model.gguf'))).toBe(true);
    expect(existsSync(join(folder, 'whole/parity-f32.gguf'))).toBe(false);
    expect(nomoat('chat', 'whole', '--prompt', 'hello', '--max-tokens', '3', '--threads', '1').code).toBe(0);

    expect(nomoat('export', 'whole', '--to', 'gguf', '--out', 'x.gguf').err).toContain('whole/model/model.gguf');

    const rows = Array.from({ length: 12 }, (_, i) =>
      JSON.stringify({ prompt: `n ${i}`, completion: i % 2 ? 'odd' : 'even' }),
    );
    writeFileSync(join(folder, 'data.jsonl'), rows.join('\n'));
    const tuned = nomoat(
      'tune',
      'data.jsonl',
      '--model',
      'whole',
      '--method',
      'full',
      '--output-type',
      'Q8_0',
      '--learning-rate',
      '1e-3',
      '--epochs',
      '4',
      '--batch-size',
      '4',
      '--validation',
      '0.25',
      '--threads',
      '1',
      '--json',
      '--run',
      'tuned',
    );
    expect(tuned.err).toBe('');
    const end = logged('tuned').find((e) => e.type === 'run-end');
    expect(end!.validationAfter!).toBeLessThan(end!.validationBefore!);
    expect(readFileSync(join(folder, 'tuned/model/model.gguf')).length).toBeLessThan(
      readFileSync(join(folder, 'whole/model/model.gguf')).length,
    );
  });

  test('killed and resumed, it is the same run bit for bit', async () => {
    const child = spawn(
      process.execPath,
      [main, 'pretrain', 'text.txt', ...settings, '--max-steps', '20', '--run', 'killed'],
      { cwd: folder, env },
    );
    await new Promise<void>((resolve) => {
      let seen = '';
      child.stdout.on('data', (chunk: Buffer) => {
        seen += chunk.toString();
        if (/"step":7,/.test(seen)) {
          child.kill('SIGKILL');
          resolve();
        }
      });
    });
    // The training process finds itself alone, and ends with a checkpoint.
    const lock = join(folder, 'killed/lock');
    for (const end = Date.now() + patience; existsSync(lock) && Date.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(existsSync(lock)).toBe(false);
    const text = readFileSync(join(folder, 'text.txt'), 'utf8');
    writeFileSync(join(folder, 'text.txt'), text.replace('cat', 'cow'));
    const changed = nomoat('tune', '--resume', 'killed', '--json');
    expect(changed.err).toContain('text.txt changed since the run began');
    expect(changed.code).toBe(2);
    writeFileSync(join(folder, 'text.txt'), text);
    // And moved: the model that it began with is inside.
    renameSync(join(folder, 'killed'), join(folder, 'moved'));
    const { code, err } = nomoat('tune', '--resume', 'moved', '--json');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(losses(logged('moved'))).toEqual(losses(logged('whole')));
    expect(readFileSync(join(folder, 'moved/model/model.gguf'))).toEqual(
      readFileSync(join(folder, 'whole/model/model.gguf')),
    );
  });

  test.each([
    ['text too small for the size', 'text.txt', ['--size', 'small'], /needs \d+ KB of text/],
    ['a binary file', 'binary.txt', [], /is no text: it has a zero byte/],
    ['Latin-1', 'latin1.txt', [], /no valid UTF-8 from byte 1/],
    ['an empty file', 'empty.txt', [], /is empty/],
    [
      'a vocabulary larger than the text supports',
      'text.txt',
      ['--size', 'nano', '--vocabulary', '20000'],
      /the text supports|needs \d+ KB/,
    ],
    ['an unknown size', 'text.txt', ['--size', 'giant'], /none of nano, micro, mini, small/],
  ])('%s ends with exit code 2 and leaves no run', (_, name, flags, message) => {
    writeFileSync(join(folder, 'binary.txt'), Buffer.from([1, 0, 2]));
    writeFileSync(join(folder, 'latin1.txt'), Buffer.from([65, 0xfc, 66]));
    writeFileSync(join(folder, 'empty.txt'), '');
    const { code, err } = nomoat('pretrain', name, ...flags, '--run', 'bad');
    expect(err).toMatch(message);
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'bad'))).toBe(false);
  });
});
