/** Damaged files of every container: read, refused or skipped by name, never anything else, and within a second. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { mutations } from '../../test/mutate.ts';
import { openFilesIn } from '../../test/open-files.ts';
import { NomoatError } from '../errors.ts';
import { readExamples } from './dataset-files.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures/data');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-mutated-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pairs = Array.from({ length: 12 }, (_, i) => ({
  prompt: `say ${i} "ü漢🙂"`,
  completion: `word ${i}`,
  n: i * 1.5,
}));
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const lines = Buffer.from(pairs.map((pair) => JSON.stringify(pair)).join('\n'));
const table = (name: string): Buffer => readFileSync(join(fixtures, 'tables', name));
const byColumn = <T>(of: (key: 'prompt' | 'completion') => T): Record<string, T> => ({
  prompt: of('prompt'),
  completion: of('completion'),
});

/** A valid file of every container. */
const valid: Readonly<Record<string, Buffer>> = {
  'a.jsonl': lines,
  'b.json': json(pairs),
  'wrapped.json': json({ version: 1, data: pairs }),
  'splits.json': json({ train: pairs, test: pairs.slice(0, 2) }),
  'columnar.json': json(byColumn((key) => pairs.map((pair) => pair[key]))),
  'pandas.json': json(byColumn((key) => Object.fromEntries(pairs.map((pair, i) => [i, pair[key]])))),
  'split.json': json({
    columns: ['prompt', 'completion'],
    index: [0, 1],
    data: [
      ['a', 'b'],
      ['c', 'd'],
    ],
  }),
  'server.json': json({ features: [], rows: pairs.map((row, i) => ({ row_idx: i, row, truncated_cells: [] })) }),
  'c.csv': Buffer.from('sep=;\r\nprompt;completion\r\n"a;b";c\r\nd;"e\r\nf"\r\n'),
  'packed.jsonl.gz': gzipSync(lines),
  'packed.jsonl.zst': readFileSync(join(fixtures, 'tables/pairs.jsonl.zst')),
  'wide.csv': Buffer.from('\ufeffprompt\tcompletion\na\tb\n', 'utf16le'),
  'none.parquet': table('messages-none.parquet'),
  'snappy.parquet': table('messages-snappy.parquet'),
  'gzip.parquet': table('messages-gzip.parquet'),
  'brotli.parquet': table('messages-brotli.parquet'),
  'zstd.parquet': table('messages-zstd.parquet'),
  'lz4.parquet': table('messages-lz4.parquet'),
  'v2.parquet': table('messages-v2.parquet'),
  'tools.parquet': table('tools.parquet'),
  'messages.arrow': table('messages.arrow'),
  'tools.arrow': table('tools.arrow'),
  'dictionary.arrow': table('dictionary.arrow'),
  'pairs.feather': table('pairs.feather'),
  'zstd.feather': table('pairs-zstd.feather'),
  'lz4.feather': table('pairs-lz4.feather'),
};
const perFile = Number(process.env['MUTATIONS'] ?? 60);

/**
 * Reads a file or folder; whatever is thrown has to be an error for people. Milliseconds of processor time (others may
 * use the machine, too), and whether it was read.
 */
async function attempt(path: string, how: string): Promise<{ took: number; read: boolean }> {
  const start = process.cpuUsage();
  let read = true;
  try {
    const { files, refusals, train } = await readExamples([path]);
    expect(train.length, how).toBeGreaterThan(0);
    expect(refusals.every(({ reason, source }) => source.line > 0 && reason.length > 0)).toBe(true);
    expect(files.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThanOrEqual(train.length);
  } catch (error) {
    if (!(error instanceof NomoatError)) throw new Error(`${path}, ${how}: ${(error as Error).stack}`);
    read = false;
  }
  const { system, user } = process.cpuUsage(start);
  return { took: (system + user) / 1000, read };
}

describe('files', () => {
  test.each(Object.entries(valid))(
    '%s',
    async (name, bytes) => {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      expect((await attempt(path, 'as it is')).read).toBe(true);
      let slowest = { took: 0, how: '' };
      let refused = 0;
      for (const mutant of mutations(bytes, 20, perFile)) {
        writeFileSync(path, mutant.bytes);
        const { read, took } = await attempt(path, mutant.how);
        expect(openFilesIn(folder), mutant.how).toEqual([]);
        if (!read) refused++;
        if (took > slowest.took) slowest = { took, how: mutant.how };
      }
      expect(slowest.took, slowest.how).toBeLessThan(1000);
      expect(refused).toBeGreaterThan(0);
    },
    120_000,
  );
});

test('folders of save_to_disk with damaged descriptions', async () => {
  const saved = join(fixtures, 'tables/saved-dict');
  const copy = join(folder, 'saved-dict');
  for (const split of ['train', 'test']) {
    mkdirSync(join(copy, split), { recursive: true });
    for (const name of readdirSync(join(saved, split)))
      writeFileSync(join(copy, split, name), readFileSync(join(saved, split, name)));
  }
  for (const name of ['dataset_dict.json', 'train/state.json']) {
    const bytes = readFileSync(join(saved, name));
    for (const mutant of mutations(bytes, 21, perFile)) {
      writeFileSync(join(copy, name), mutant.bytes);
      expect((await attempt(copy, mutant.how)).took).toBeLessThan(1000);
    }
    writeFileSync(join(copy, name), bytes);
  }
});
