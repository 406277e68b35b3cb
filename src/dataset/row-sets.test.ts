import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import { openTokenizer } from '../llama/tokenizer.ts';
import type { Example } from '../text/example.ts';
import { buildSets } from './row-sets.ts';

const path = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const examples = Array.from(
  { length: 4000 },
  (_, line): Example => ({
    kind: 'completion',
    prompt: `number ${line} ${'word '.repeat(40)}`,
    completion: 'odd',
    source: { file: 'x', line },
  }),
);
const settings = {
  sequenceLength: null,
  tooLong: 'truncate-left',
  supervise: 'answers',
  specialTokens: 'auto',
} as const;

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
  const slow = {
    ...tokenizerOf(tokenizer),
    encode: (text: string, special: boolean) => (wait(15), tokenizer.encode(text, special)),
  };
  try {
    const few = examples.slice(0, 150);
    await buildSets({ train: few, validation: [], settings, model, tokenizer: slow, progress: (m) => told.push(m) });
    expect(told[0]).toMatch(/^Preparing rows: \d+ of 150, \d+ s left$/);
  } finally {
    await tokenizer.close();
    model.close();
  }
});

test('rows that were made before are the same, and no tokenizer is opened for them', async () => {
  const home = mkdtempSync(join(tmpdir(), 'nomoat-row-sets-'));
  vi.stubEnv('NOMOAT_HOME', home);
  const model = openGguf(path);
  let opened = 0;
  const late = {
    open: () => {
      opened++;
      return openTokenizer(path);
    },
  };
  const build = (held: readonly Example[]) =>
    buildSets({ train: examples, validation: held, settings, model, tokenizer: late });
  try {
    // Few rows are made again, not kept.
    const first = await build(examples.slice(0, 4));
    expect(opened).toBe(1);
    rmSync(join(home, 'rows'), { recursive: true });
    const held = examples.slice(0, 2000);
    const [made, kept] = [await build(held), await build(held)];
    expect(opened).toBe(2);
    expect(kept.train).toEqual(made.train);
    expect(kept.held).toEqual(made.held);
    expect(kept.sequenceLength).toBe(made.sequenceLength);
    expect(made.train).toEqual(first.train);
    const { tokens } = kept.train.rows[0]!;
    const ends = ({ facts }: typeof kept): boolean[] => [...tokens].map((token) => facts.isEndOfGeneration(token));
    expect(ends(kept)).toEqual(ends(made));
    expect(ends(kept)).toContain(true);
    // What helps a refused row is tried with the tokenizer.
    const refused: Example = {
      kind: 'chat',
      messages: [{ role: 'user', content: 'x' }],
      source: { file: 'x', line: 0 },
    };
    const withRefused = () =>
      buildSets({ train: [refused, ...examples], validation: [], settings, model, tokenizer: late });
    await withRefused();
    await withRefused();
    expect(opened).toBe(4);
  } finally {
    model.close();
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
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

test('where opening the tokenizer takes long, rows of both sets are kept, and nothing opens it again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-row-sets-'));
  vi.stubEnv('NOMOAT_HOME', folder);
  const model = openGguf(path);
  const tokenizer = await openTokenizer(path);
  let opened = 0;
  const open = async (): Promise<typeof tokenizer> => {
    opened++;
    wait(250);
    return tokenizer;
  };
  const [train, validation] = [examples.slice(0, 6), examples.slice(6, 8)];
  try {
    const first = await buildSets({ train, validation, settings, model, tokenizer: { open } });
    const second = await buildSets({ train, validation, settings, model, tokenizer: { open } });
    expect(opened).toBe(1);
    expect(second.train.rows).toEqual(first.train.rows);
    expect(second.held!.rows).toEqual(first.held!.rows);
  } finally {
    vi.unstubAllEnvs();
    await tokenizer.close();
    model.close();
    rmSync(folder, { recursive: true });
  }
});
