import { expect, test } from 'vitest';
import type { Example } from '../text/example.ts';
import { assertClean, glanceAtData } from './before-training.ts';

const key = `${'AKIA'}QWERTYUIOP234567`;
const rows = (count: number, said: (i: number) => string): Example[] =>
  Array.from({ length: count }, (_, i) => {
    return { kind: 'completion', prompt: said(i), completion: 'yes', source: { file: 'd.jsonl', line: i + 1 } };
  });

test('a glance says what forms alone tell, with the first row, and nothing of harmless data', () => {
  expect(glanceAtData(rows(20, (i) => `number ${i}`))).toEqual([]);
  expect(glanceAtData(rows(20, (i) => (i % 10 === 6 ? `use ${key}` : i === 3 ? 'a \u202e b' : 'x')))).toEqual([
    '3 rows hold what no model should learn, the first d.jsonl:4 (override of the direction). `inspectData()` lists it all, and writes the data without it.',
  ]);
});

test('of much data a sample over all of it is looked at, and how many rows that were is said', () => {
  const [said] = glanceAtData(rows(1000, (i) => `${'long words '.repeat(90)} ${i >= 500 ? key : ''}`));
  expect(said).toMatch(/^\d+ of 1000 rows were looked at: \d+ rows hold .* the first d\.jsonl:50\d /);
  expect(Number(said!.split(' ')[0])).toBeLessThan(220);
});

test('strictly, every check refuses what is severe and lets through what is only to be known', async () => {
  await assertClean(rows(5, () => 'write to jo@mail.example.org, write to jo@mail.example.org'));
  const card = assertClean(rows(5, (i) => (i === 2 ? 'charge 4111 1111 1111 1111' : 'x')));
  await expect(card).rejects.toThrow(/d\.jsonl:3: 1 row holds .*: payment card \(charge 4111•••/);
  await expect(card).rejects.toMatchObject({ code: 'unusable-data' });
  await expect(
    assertClean(
      rows(1, () => key),
      AbortSignal.abort(new Error('enough')),
    ),
  ).rejects.toThrow('enough');
});
