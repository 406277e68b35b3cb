import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { writeGguf } from '../formats/gguf/write.ts';
import { readModelConfig } from '../models/config.ts';
import { readWeights } from '../models/weights.ts';
import { resolvePretrainSettings } from '../settings/load.ts';
import { startModel } from './start-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-start-'));
afterAll(() => {
  for (const model of opened) model.close();
  rmSync(folder, { recursive: true, force: true });
});
const settings = (flags: Record<string, unknown>) =>
  resolvePretrainSettings([import.meta.filename], { run: join(folder, 'run'), ...flags }, null);
const words = ['small', 'dog', 'runs', 'over', 'green', 'hills', 'while', 'seven', 'birds', 'sing'];
let state = 1;
const text = Array.from({ length: 40_000 }, () => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return words[(state >>> 16) % words.length]! + ((state >>> 8) & 15).toString(16);
}).join(' ');
let count = 0;
const opened: GgufFile[] = [];
function written(flags: Record<string, unknown>) {
  const path = join(folder, `${count++}.gguf`);
  writeGguf(path, startModel(settings(flags), [text]));
  const model = openGguf(path);
  // Windows removes no file that is open.
  opened.push(model);
  return model;
}
const deviation = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);

test('the shape of the size, the vocabulary asked for, weights of the init', () => {
  const model = written({ size: 'nano', vocabulary: '300', sequenceLength: '384' });
  const config = readModelConfig(model);
  expect(config).toMatchObject({
    layers: 4,
    modelWidth: 128,
    heads: 4,
    vocabulary: 300,
    tiedHead: true,
    contextLength: 384,
  });
  const weights = readWeights(model, config);
  expect(deviation(weights.layers[0]!.get('q_proj.weight')!)).toBeCloseTo(0.02, 3);
  expect(deviation(weights.layers[0]!.get('o_proj.weight')!)).toBeCloseTo(0.02 / Math.sqrt(8), 3);
  expect([...weights.outputNorm].every((x) => x === 1)).toBe(true);
});

test('the seed and the init change the weights; equal ones repeat them', () => {
  const q = (flags: Record<string, unknown>) => {
    const model = written({ size: 'nano', vocabulary: '300', ...flags });
    return readWeights(model, readModelConfig(model)).layers[0]!.get('q_proj.weight')!;
  };
  const first = q({});
  expect(q({})).toEqual(first);
  expect(q({ seed: '1' })).not.toEqual(first);
  expect(deviation(q({ init: 'neox' }))).toBeCloseTo(Math.sqrt(2 / (5 * 128)), 3);
});

test('another model lends its tokenizer', () => {
  const lender = written({ size: 'nano', vocabulary: '280' });
  const model = written({ size: 'nano', tokenizer: lender.path });
  expect(model.metadata.get('tokenizer.ggml.tokens')).toEqual(lender.metadata.get('tokenizer.ggml.tokens'));
  expect(readModelConfig(model).vocabulary).toBe(280);
  expect(() => settings({ tokenizer: lender.path, vocabulary: '280' })).toThrow(/Give one of them/);
});

test.each([
  [
    'text too small',
    { size: 'small' },
    text,
    /needs \d+ KB of text; there are \d+ KB.*take `size: '(nano|micro|mini)'`/s,
  ],
  ['hardly any text', { size: 'nano' }, 'hello', /no size is small enough/],
  [
    'a vocabulary that the text does not support',
    { size: 'nano', vocabulary: '1000' },
    'abcd '.repeat(20_000),
    /the text supports \d+ tokens, not 1000/,
  ],
])('%s is refused with the numbers', (_, flags, given, message) => {
  expect(() => startModel(settings(flags), [given])).toThrow(message);
});
