/** Rope keys as others' files have them: what is computed equals llama.cpp, what is not is refused before anything is trained. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { GgufValue } from '../../src/files/gguf/types.ts';
import { fixtures, mini, withMetadata, workspace } from './support.ts';

const { folder, nomoat } = workspace();
const data = join(fixtures, 'rope-factor-without-type/long.jsonl');
const float = (value: number): GgufValue => ({ type: 'float32', value });
const text = (value: string): GgufValue => ({ type: 'string', value });

const tune = (name: string, changes: Readonly<Record<string, GgufValue>>): ReturnType<typeof nomoat> => {
  const model = withMetadata(mini, join(folder, `${name}.gguf`), changes);
  return nomoat(['tune', data, '--model', model, '--max-steps', '1', '--run', name, '--yes']);
};

test.each([
  ['factor', { 'llama.rope.scaling.factor': float(4) }],
  ['scale-linear', { 'llama.rope.scale_linear': float(4) }],
  ['none', { 'llama.rope.scaling.type': text('none'), 'llama.rope.scaling.factor': float(4) }],
])('computed as llama.cpp does: %s', (name, changes) => {
  const { code, err } = tune(name, changes);
  expect(err).toMatch(/nats on average.*bound 0\.03: passed/);
  expect(code).toBe(0);
});

test.each([
  [
    'yarn',
    { 'llama.rope.scaling.type': text('yarn'), 'llama.rope.scaling.factor': float(4) },
    'uses rope scaling "yarn"',
  ],
  ['dynamic', { 'llama.rope.scaling.type': text('dynamic') }, 'uses rope scaling "dynamic"'],
  ['attn-factor', { 'llama.rope.scaling.attn_factor': float(1.2) }, 'llama.rope.scaling.attn_factor is 1.2'],
])('refused before training: %s', (name, changes, fault) => {
  const { code, err } = tune(name, changes);
  expect(err).toContain(fault);
  expect(code).not.toBe(0);
  expect(existsSync(join(folder, name))).toBe(false);
});
