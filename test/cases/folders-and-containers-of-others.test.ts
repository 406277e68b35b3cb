/** Files and folders as the hub, Excel, Macs and `save_to_disk` leave them. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixtures, workspace } from './support.ts';

const { folder, nomoat } = workspace();
const of = (name: string): string => join(fixtures, 'folders-and-containers-of-others', name);
const tables = join(fixtures, '../data/tables');
const preview = (path: string): { code: number | null; text: string } => {
  const { code, err, out } = nomoat(['preview', path, '--rows', '0']);
  return { code, text: out + err };
};

test.each([
  ['shards', 8, /test-00000-of-00001.jsonl serves as validation/],
  ['train.jsonl.gz', 8, /by the keys prompt and completion/],
  ['sep.csv', 5, /by its columns prompt and completion/],
  ['midbom.jsonl', 2, /1 byte order mark inside the file left out/],
  ['cr.jsonl', 2, /by the keys prompt and completion/],
])('%s is read: %i rows', (name, rows, said) => {
  const { code, text } = preview(of(name));
  expect(text).toContain(`${rows} rows,`);
  expect(text).toMatch(said);
  expect(code).toBe(0);
});

test('an Arrow folder is known as one, and its cut file named', () => {
  const { code, text } = preview(of('hfdir'));
  expect(text).toMatch(/data-00000-of-00001.arrow: is an Arrow file that is damaged or cut off/);
  expect(code).toBe(2);
});

test.each([
  ['saved', 6, /by its columns messages/],
  ['saved-dict', 8, /test\/data-00000-of-00001.arrow serves as validation/],
])('%s, as save_to_disk wrote it, is read', (name, rows, said) => {
  const { code, text } = preview(join(tables, name));
  expect(text).toContain(`${rows} rows,`);
  expect(text).toMatch(said);
  expect(code).toBe(0);
});

describe('sets of parts', () => {
  test('one that is missing is named', () => {
    const copy = join(folder, 'missing');
    cpSync(of('shards'), copy, { recursive: true });
    rmSync(join(copy, 'train-00000-of-00002.jsonl'));
    const { code, text } = preview(copy);
    expect(text).toContain('lacks train-00000-of-00002.jsonl, 1 of 2 parts');
    expect(code).toBe(2);
  });

  test('a hub repository keeps them in data/, with digests in older names', () => {
    const data = join(folder, 'repository/data');
    mkdirSync(data, { recursive: true });
    writeFileSync(join(folder, 'repository/README.md'), 'words');
    for (const i of [0, 1])
      cpSync(of(`shards/train-0000${i}-of-00002.jsonl`), join(data, `train-0000${i}-of-00002-0123456789abcdef.jsonl`));
    cpSync(of('shards/test-00000-of-00001.jsonl'), join(data, 'validation-00000-of-00001.jsonl'));
    expect(preview(join(folder, 'repository')).text).toContain('8 rows,');
  });

  test('a part given by its name is read, and said to be one', () => {
    const { text } = preview(of('shards/train-00001-of-00002.jsonl'));
    expect(text).toContain('4 rows,');
    expect(text).toMatch(/lacks train-00000-of-00002.jsonl, 1 of 2 parts; only what was given is read/);
  });
});
