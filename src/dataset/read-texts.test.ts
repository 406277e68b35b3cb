import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readTexts } from './read-texts.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-texts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the held-out end of a text begins with a whole character, wherever the share falls', async () => {
  const path = join(folder, 'faces.txt');
  const text = `x${'😀'.repeat(500)}`;
  writeFileSync(path, text);
  for (const validation of [0.05, 0.051, 0.1, 0.333]) {
    const { train, validation: held } = await readTexts({ data: [path], seed: 1, validation });
    expect(train.join('') + held.join('')).toBe(text);
    expect([...train, ...held].every((part) => !/\p{Surrogate}/u.test(part))).toBe(true);
  }
});

const at = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const read = (path: string, more: { textColumn?: string; validation?: string } = {}) =>
  readTexts({ data: [path], seed: 1, validation: null, ...more });

test('of data files the texts are learnt, not the JSON or the table around them', async () => {
  const jsonl = at('texts.jsonl', '{"text":"The cat."}\n{"text":"A dog.<|endoftext|>A bird."}\n{"text":null}\n');
  const texts = await read(jsonl);
  expect(texts.train).toEqual(['The cat.', 'A dog.', 'A bird.']);
  expect(texts.refusals.map(({ reason }) => reason)).toEqual(['the text is no text']);
  expect(texts.notes[0]).toContain('the texts of 2 records are learnt');
  expect((await read(at('texts.csv', 'id,text\n1,"The, cat"\n'))).train).toEqual(['The, cat']);
  expect((await read(at('texts.json', '[{"text":"The cat."}]'))).train).toEqual(['The cat.']);
  expect((await read(at('body.jsonl', '{"body":"The cat."}\n'), { textColumn: 'body' })).train).toEqual(['The cat.']);
  const both = await read(at('a.txt', 'plain'), { validation: jsonl });
  expect(both.validation).toEqual(['The cat.', 'A dog.', 'A bird.']);
  expect(both.notes).toContain('Held out: 1 records without a text.');
});

test('files of other records are refused with what helps, a text that begins with a brace is a text', async () => {
  const pairs = at('pairs.jsonl', '{"prompt":"q","completion":"a"}\n');
  await expect(read(pairs)).rejects.toThrow(/format prompt-completion, not texts. Learn them with `tune\(\)`/);
  expect((await read(pairs, { textColumn: 'completion' })).train).toEqual(['a']);
  await expect(read(at('odd.txt', '{"text":"The cat."}\n{"text":"A dog."}\n'))).rejects.toThrow(/Name it .jsonl/);
  expect((await read(at('code.txt', '{"name": "x"}\n'))).train).toEqual(['{"name": "x"}']);
  expect((await read(at('brace.md', '{ not json }\ntext'))).train).toEqual(['{ not json }\ntext']);
});
