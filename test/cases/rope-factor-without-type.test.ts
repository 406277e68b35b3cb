/**
 * Rope keys as others' files have them: what is computed equals llama.cpp, what is not is refused before anything is
 * trained.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { GgufValue } from '../../src/formats/gguf/types.ts';
import { fixtures, mini, withMetadata, workspace } from './support.ts';

const { folder, nomoat } = workspace();
const data = join(fixtures, 'rope-factor-without-type/long.jsonl');
const float = (value: number): GgufValue => ({ type: 'float32', value });
const text = (value: string): GgufValue => ({ type: 'string', value });

type Changes = Readonly<Record<string, GgufValue>>;
const tune = (name: string, changes: Changes): ReturnType<typeof nomoat> => {
  const model = withMetadata(mini, join(folder, `${name}.gguf`), changes);
  return nomoat(['tune', data, '--model', model, '--max-steps', '1', '--safety-share', '0', '--run', name, '--yes']);
};

test.each([
  ['factor', { 'llama.rope.scaling.factor': float(4) }],
  ['scale-linear', { 'llama.rope.scale_linear': float(4) }],
  ['none', { 'llama.rope.scaling.type': text('none'), 'llama.rope.scaling.factor': float(4) }],
  ['attn-factor', { 'llama.rope.scaling.attn_factor': float(1.2) }],
  [
    'yarn',
    {
      'llama.rope.scaling.type': text('yarn'),
      'llama.rope.scaling.factor': float(4),
      'llama.rope.scaling.original_context_length': { type: 'uint32', value: 128 },
    },
  ],
] as const)('computed as llama.cpp does: %s', (name, changes) => {
  const { code, err } = tune(name, changes);
  expect(err).toMatch(/nats on average.*bound 0\.03: passed/);
  expect(code).toBe(0);
});

test.each([
  ['longrope', { 'llama.rope.scaling.type': text('longrope') }, 'uses rope scaling "longrope"'],
  ['dynamic', { 'llama.rope.scaling.type': text('dynamic') }, 'uses rope scaling "dynamic"'],
  ['wrong-type', { 'llama.rope.scaling.factor': { type: 'uint32', value: 4 } }, 'loads only a float32'],
] as const)('refused before training: %s', (name, changes, fault) => {
  const { code, err } = tune(name, changes);
  expect(err).toContain(fault);
  expect(code).not.toBe(0);
  expect(existsSync(join(folder, name))).toBe(false);
});
