/**
 * The reference run's form: --initial-adapter is a file of weights without its config. It once failed at its samples,
 * after the training.
 */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workspace, writeRows } from './support.ts';

const { folder, nomoat } = workspace();
const data = writeRows(join(folder, 'd.jsonl'), [
  { prompt: 'What is one and two?', completion: 'Three.' },
  { prompt: 'What is two and two?', completion: 'Four.' },
]);
const tune = (run: string, ...more: string[]): ReturnType<typeof nomoat> =>
  nomoat(['tune', data, '--model', 'nomoat-mini', '--max-steps', '2', '--run', run, '--yes', ...more]);

test('a run goes on from bare weights to its samples and its end; alpha is that of the settings', () => {
  expect(tune('first').code).toBe(0);
  const bare = join(folder, 'lora.start.safetensors');
  cpSync(join(folder, 'first/adapter/adapter_model.safetensors'), bare);
  const { code, err } = tune('fourth', '--initial-adapter', bare, '--alpha', '12');
  expect(err).toContain('has no adapter_config.json beside it: alpha 12 is taken');
  expect(err).toContain('What is one and two?');
  expect(err).toContain('bound 0.03: passed');
  expect(code).toBe(0);
  const config = JSON.parse(readFileSync(join(folder, 'fourth/adapter/adapter_config.json'), 'utf8'));
  expect(config).toMatchObject({ lora_alpha: 12 });
  // What the run began with is kept in its folder, in the form that llama.cpp opens.
  rmSync(bare);
  expect(nomoat(['chat', 'nomoat-mini', '--adapter', 'fourth/start-adapter.gguf', '--prompt', 'hi']).code).toBe(0);
  cpSync(join(folder, 'first/adapter/adapter_model.safetensors'), bare);
  // A chat has no settings to take it from.
  const alone = nomoat(['chat', 'nomoat-mini', '--adapter', bare, '--prompt', 'hi']);
  expect(alone.code).not.toBe(0);
  expect(alone.err).toContain('its alpha is unknown');
});
