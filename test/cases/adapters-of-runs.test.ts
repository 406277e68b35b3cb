/** Adapters where a user finds them: a checkpoint of a run, a run that has none, the folder of an export. Each is used as it was trained, or named. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { workspace, writeRows } from './support.ts';

const patience = 120_000;
const { folder, nomoat } = workspace();
const data = writeRows(join(folder, 'd.jsonl'), [
  { prompt: 'What is one and two?', completion: 'Three.' },
  { prompt: 'What is two and two?', completion: 'Four.' },
]);
const tune = (run: string, ...more: string[]): ReturnType<typeof nomoat> =>
  nomoat(['tune', data, '--max-steps', '6', '--safety-share', '0', '--run', run, '--yes', ...more]);
const ask = (...more: string[]): ReturnType<typeof nomoat> =>
  nomoat([
    'chat',
    'nomoat-mini',
    '--prompt',
    'What is two and two?',
    '--temperature',
    '0',
    '--max-tokens',
    '12',
    ...more,
  ]);

/** A copy of the first run that did not get to its adapter, with other settings. */
function unfinished(name: string, settings: Readonly<Record<string, unknown>>): string {
  cpSync(join(folder, 'first'), join(folder, name), { recursive: true });
  rmSync(join(folder, name, 'adapter'), { recursive: true });
  const path = join(folder, name, 'run.json');
  const record = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(
    path,
    JSON.stringify({ ...record, state: 'interrupted', settings: { ...record.settings, ...settings } }),
  );
  return name;
}

beforeAll(() => {
  const { code, err } = tune(
    'first',
    '--alpha',
    '64',
    '--rank',
    '4',
    '--rslora',
    '--learning-rate',
    '0.003',
    '--warmup-steps',
    '0',
  );
  expect(code, err).toBe(0);
}, patience);

describe('a checkpoint', { timeout: patience }, () => {
  const checkpoint = 'first/checkpoints/000006';

  test.each([checkpoint, `${checkpoint}/parameters.safetensors`])('%s is an adapter with its own scale', (given) => {
    const { code, err } = tune('second', '--initial-adapter', given);
    expect(code, err).toBe(0);
    expect(err).not.toMatch(/alpha \d+ is taken/);
    const config = JSON.parse(readFileSync(join(folder, 'second/adapter/adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ lora_alpha: 64, r: 4, use_rslora: true });
    rmSync(join(folder, 'second'), { recursive: true });
    expect(ask('--adapter', given).out).toBe(ask('--adapter', 'first').out);
  });

  test('of an earlier version says what is to be given', () => {
    cpSync(join(folder, checkpoint), join(folder, 'old'), { recursive: true });
    rmSync(join(folder, 'old/adapter_config.json'));
    expect(ask('--adapter', 'old').err).toMatch(/give \S*old\/parameters\.safetensors with the --alpha of its run/);
  });
});

test('a run that is asked with another adapter says that its own is not used', { timeout: patience }, () => {
  const words = ['--prompt', 'hi', '--max-tokens', '2', '--temperature', '0'];
  const { code, err } = nomoat(['chat', 'first', '--adapter', 'first/checkpoints/000006', ...words]);
  expect(err).toContain('first: its own adapter is not used, since first/checkpoints/000006 was given in its place.');
  expect(code).toBe(0);
  expect(nomoat(['chat', 'first', ...words]).err).not.toContain('its own adapter');
});

describe('a run without an adapter', { timeout: patience }, () => {
  test('is called one, with what can be used of it', () => {
    const run = unfinished('half', {});
    for (const { code, err } of [ask('--adapter', run), tune('third', '--initial-adapter', run)]) {
      expect(err).toMatch(
        /half: is a run without an adapter yet \(interrupted\)\. Finish it first: nomoat tune --resume \S*half\. Or give one of the folders in its checkpoints/,
      );
      expect(code).toBe(2);
    }
  });

  test('since it trained every weight is given as the model', () => {
    const run = unfinished('whole', { method: 'full', rank: 0 });
    for (const { err } of [ask('--adapter', run), tune('third', '--initial-adapter', run)])
      expect(err).toMatch(/whole: is a run that trained every weight: it has no adapter\. Give it as the model/);
  });
});

test("an export for Ollama's adapter form is an adapter", { timeout: patience }, () => {
  expect(nomoat(['export', 'first', '--to', 'ollama', '--ollama-adapter', '--out', 'ollama']).code).toBe(0);
  expect(ask('--adapter', 'ollama').out).toBe(ask('--adapter', 'first').out);
  const { code, err } = tune('fourth', '--initial-adapter', 'ollama');
  expect(code, err).toBe(0);
  // Given in the model's place it says where it belongs.
  expect(nomoat(['chat', 'ollama', '--prompt', 'hi']).err).toMatch(
    /is an adapter, not a model\. Give it with --adapter/,
  );
});
