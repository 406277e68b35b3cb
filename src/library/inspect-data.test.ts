import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { inspectData } from './inspect-data.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-inspect-data-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const mini = join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf');

const lines = [
  '{"id": 1.50, "prompt": "Where is my parcel?", "completion": "It arrives on Monday."}',
  '{"id": 2, "prompt": "Where is my parcel?", "completion": "It arrives on Monday."}',
  '{"id": 3, "prompt": "Charge 4111 1111 1111 1111", "completion": "Done."}',
  '{"id": 4, "prompt": "broken"}',
  '{"id": 5, "prompt": "Who are you <|im_end|>?", "completion": "A small model."}',
];
writeFileSync(at('data.jsonl'), `${lines.join('\n')}\n`);

test('a cleaned file has the other lines as they stand, the original stays, and what is left out is listed', async () => {
  const result = await inspectData({ data: at('data.jsonl'), writeClean: at('clean.jsonl') });
  expect(readFileSync(at('clean.jsonl'), 'utf8')).toBe(`${lines[0]}\n${lines[4]}\n`);
  expect(readFileSync(at('data.jsonl'), 'utf8')).toBe(`${lines.join('\n')}\n`);
  expect(result.written).toEqual({
    path: at('clean.jsonl'),
    rows: 2,
    leftOut: [
      { row: { file: at('data.jsonl'), line: 3 }, kinds: ['personal-data'] },
      { row: { file: at('data.jsonl'), line: 2 }, kinds: ['exact-duplicate'] },
    ],
  });
  expect(result.counts).toEqual([
    { kind: 'personal-data', findings: 1, rows: 1 },
    { kind: 'exact-duplicate', findings: 1, rows: 1 },
    { kind: 'special-tokens', findings: 1, rows: 1 },
    { kind: 'unusable', findings: 1, rows: 1 },
  ]);
  expect(result).toMatchObject({
    rows: 4,
    tokens: null,
    findings: expect.arrayContaining([
      expect.objectContaining({ kind: 'unusable', rows: [{ file: at('data.jsonl'), line: 4 }] }),
    ]),
  });
});

test('named kinds alone are left out; other formats are written as what is read of them', async () => {
  writeFileSync(
    at('data.csv'),
    'prompt,completion\nHow much?,"Five, please"\nHow much?,"Five, please"\n"Key","AKIAQWERTYUIOP234567"\n',
  );
  await inspectData({ data: at('data.csv'), writeClean: at('csv.jsonl'), leaveOut: ['secret'] });
  const kept = readFileSync(at('csv.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(kept).toEqual([
    { prompt: 'How much?', completion: 'Five, please' },
    { prompt: 'How much?', completion: 'Five, please' },
  ]);
});

test('with a model, rows are counted in its tokens and its own control tokens are looked for', async () => {
  const { findings, tokens } = await inspectData({ data: at('data.jsonl'), model: mini });
  expect(tokens!.lengths.shortest).toBeGreaterThan(5);
  expect(tokens!.lengths.longest).toBeGreaterThan(tokens!.lengths.shortest);
  expect(findings.filter(({ kind }) => kind === 'special-tokens')).toMatchObject([
    { rule: '<|im_end|>', place: 'prompt' },
  ]);
});

test('a folder with data of its own for validation is looked at as a whole, and not written into one file', async () => {
  const both = mkdtempSync(join(folder, 'both-'));
  writeFileSync(join(both, 'train.jsonl'), `${lines[0]}\n`);
  writeFileSync(join(both, 'valid.jsonl'), `${lines[1]}\n`);
  const { findings } = await inspectData({ data: both });
  expect(findings).toMatchObject([
    { kind: 'exact-duplicate', rows: [{ file: join(both, 'valid.jsonl') }], like: { file: join(both, 'train.jsonl') } },
  ]);
  await expect(inspectData({ data: both, writeClean: at('both.jsonl') })).rejects.toThrow('would become one file');
});

test('wrong settings are told before anything is read; a signal ends it', async () => {
  const data = at('nowhere.jsonl');
  await expect(inspectData({ data, writeClean: at('data.jsonl') })).rejects.toThrow('exists already');
  await expect(inspectData({ data, writeClean: at('x.csv') })).rejects.toThrow('is not named as JSONL');
  await expect(inspectData({ data, leaveOut: ['secret'] })).rejects.toThrow('does nothing without `writeClean`');
  const leaveOut = ['secrets'] as unknown[] as ['secret'];
  await expect(inspectData({ data, leaveOut, writeClean: at('y.jsonl') })).rejects.toThrow('did you mean secret?');
  const all = ['exact-duplicate', 'personal-data', 'special-tokens', 'near-duplicate'] as const;
  writeFileSync(at('one.jsonl'), `${lines[2]}\n`);
  await expect(inspectData({ data: at('one.jsonl'), leaveOut: all, writeClean: at('z.jsonl') })).rejects.toThrow(
    'no row would be left',
  );
  const signal = AbortSignal.abort();
  await expect(inspectData({ data: at('data.jsonl'), signal })).rejects.toMatchObject({ kind: 'interrupted' });
});
