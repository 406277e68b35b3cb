/** Adapters as PEFT and others leave them, opened by chat and gone on from by training. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts';
import { workspace, writeRows } from './support.ts';

const { folder, nomoat } = workspace();
const data = writeRows(join(folder, 'd.jsonl'), [
  { prompt: 'What is one and two?', completion: 'Three.' },
  { prompt: 'What is two and two?', completion: 'Four.' },
]);
const tune = (run: string, ...more: string[]): ReturnType<typeof nomoat> =>
  nomoat([
    'tune',
    data,
    '--model',
    'nomoat-mini',
    '--max-steps',
    '2',
    '--safety-share',
    '0',
    '--run',
    run,
    '--yes',
    ...more,
  ]);
const chat = (adapter: string): ReturnType<typeof nomoat> =>
  nomoat(['chat', 'nomoat-mini', '--adapter', adapter, '--prompt', 'hi', '--max-tokens', '4', '--temperature', '0']);

beforeAll(() => {
  expect(tune('first').code).toBe(0);
});

/** A copy of the run's adapter with other settings. */
function changed(name: string, change: (config: Record<string, unknown>) => Record<string, unknown>): string {
  const path = join(folder, name);
  cpSync(join(folder, 'first/adapter'), path, { recursive: true });
  const config = join(path, 'adapter_config.json');
  writeFileSync(config, JSON.stringify(change(JSON.parse(readFileSync(config, 'utf8')))));
  return path;
}

test('names that match nothing in this model are noted, not refused', () => {
  const union = changed('union', (config) => ({
    ...config,
    target_modules: [...(config['target_modules'] as string[]), 'W_pack', 'query_key_value'],
  }));
  expect(chat(union)).toMatchObject({ code: 0, out: chat(join(folder, 'first/adapter')).out });
  const { code, err } = tune('second', '--initial-adapter', union);
  expect(err).toContain('lists target modules that its weights do not have: W_pack, query_key_value');
  expect(code).toBe(0);
});

test('what would change the meaning is refused by name, by chat and before training', () => {
  const dora = changed('dora', (config) => ({ ...config, use_dora: true }));
  for (const { code, err } of [chat(dora), tune('third', '--initial-adapter', dora)]) {
    expect(code).not.toBe(0);
    expect(err).toContain('is DoRA by its config');
  }
});

test('layers without weights are as in the base, and stay so in training', () => {
  const some = changed('some', (config) => ({ ...config, layers_to_transform: [0, 2, 3, 4, 5] }));
  const path = join(some, 'adapter_model.safetensors');
  const tensors = [...readSafetensors(path).tensors].filter(([name]) => !name.includes('layers.1.'));
  writeSafetensors(
    path,
    tensors.map(([name, { shape, float32 }]) => ({ name, shape, values: float32() })),
  );
  expect(chat(some).code).toBe(0);
  const { code, err } = tune('partly', '--initial-adapter', some, '--learning-rate', '0.01');
  expect(err).toMatch(/has no weights for layer 1 q_proj.*they stay as they are in the base/);
  expect(err).toContain('bound 0.03: passed');
  expect(code).toBe(0);
  const trained = readSafetensors(join(folder, 'partly/adapter/adapter_model.safetensors')).tensors;
  const before = new Map(tensors);
  for (const [name, tensor] of trained) {
    const start = before.get(name)?.float32();
    if (start) expect(tensor.float32(), name).not.toEqual(start);
    else
      expect(
        tensor.float32().every((value) => value === 0),
        name,
      ).toBe(true);
  }
});

test("a run's folder is an adapter as well", () => {
  expect(chat(join(folder, 'first')).code).toBe(0);
});
