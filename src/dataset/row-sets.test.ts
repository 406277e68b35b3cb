import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import { openTokenizer } from '../llama/tokenizer.ts';
import type { Example } from '../text/example.ts';
import { buildSets } from './row-sets.ts';

const path = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const examples = Array.from({ length: 4000 }, (_, line): Example => ({ kind: 'completion', prompt: `number ${line} ${'word '.repeat(40)}`, completion: 'odd', source: { file: 'x', line } })); // biome-ignore format: one line
const settings = { sequenceLength: null, tooLong: 'truncate-left', supervise: 'answers', specialTokens: 'auto' } as const; // biome-ignore format: one line

test('preparing rows hears that it shall stop, while it is at it', async () => {
  const model = openGguf(path);
  const tokenizer = await openTokenizer(path);
  const abort = new AbortController();
  try {
    const sets = buildSets({ train: examples, validation: [], settings, model, tokenizer, signal: abort.signal });
    // The first pause comes after a tenth of a second of work.
    setImmediate(() => abort.abort());
    await expect(sets).rejects.toMatchObject({ kind: 'interrupted' });
  } finally {
    await tokenizer.close();
    model.close();
  }
});

test('it tells how far it is, now and then', async () => {
  const model = openGguf(path);
  const tokenizer = await openTokenizer(path);
  const told: string[] = [];
  // A slow tokenizer: a hundred rows take two seconds and more.
  const slow = { ...tokenizerOf(tokenizer), encode: (text: string, special: boolean) => (wait(15), tokenizer.encode(text, special)) }; // biome-ignore format: one line
  try {
    const few = examples.slice(0, 150);
    await buildSets({ train: few, validation: [], settings, model, tokenizer: slow, progress: (m) => told.push(m) });
    expect(told[0]).toMatch(/^Preparing rows: \d+ of 150, \d+ s left$/);
  } finally {
    await tokenizer.close();
    model.close();
  }
});

const wait = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function tokenizerOf(tokenizer: Awaited<ReturnType<typeof openTokenizer>>) {
  return {
    vocabularySize: tokenizer.vocabularySize,
    bosToken: tokenizer.bosToken,
    eosToken: tokenizer.eosToken,
    eotToken: tokenizer.eotToken,
    addsBos: tokenizer.addsBos,
    controlTexts: tokenizer.controlTexts,
    decode: (tokens: readonly number[]): string => tokenizer.decode(tokens),
    isEndOfGeneration: (token: number): boolean => tokenizer.isEndOfGeneration(token),
    close: async (): Promise<void> => {},
  };
}
