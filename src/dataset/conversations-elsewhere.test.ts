/** Conversations that stand in another place than under the usual keys, and records that only look as if they held some. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readExamples } from './dataset-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-elsewhere-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const read = (text: string, ending = 'jsonl') => {
  const path = join(folder, `${files++}.${ending}`);
  writeFileSync(path, text);
  return readExamples([path]);
};
const lines = (...records: unknown[]): string => records.map((record) => JSON.stringify(record)).join('\n');

const turns = [
  { role: 'user', content: 'q' },
  { role: 'assistant', content: 'a' },
];
const expected = { kind: 'chat', messages: turns };

test.each([
  [
    'another key',
    lines({ conversation: turns, id: 1 }, { conversation: turns, id: 2 }),
    /read from the key "conversation"/,
  ],
  ['one record of another key', lines({ dialogue: turns }), /read from the key "dialogue"/],
  ['a list a line', lines(turns, turns), /read from a record that is a list/],
  ['a list of lists', JSON.stringify([turns, turns]), /read from a record that is a list/],
])('%s', async (_, text, note) => {
  const { notes, train } = await read(text);
  expect(train.length).toBeGreaterThan(0);
  for (const example of train) expect(example).toMatchObject(expected);
  expect(notes.join()).toMatch(note);
});

test('one conversation as the list of a JSON file', async () => {
  const { files: read1, train } = await read(JSON.stringify(turns, null, 2), 'json');
  expect(train).toMatchObject([expected]);
  expect(read1[0]!.why).toMatch(/its list is one conversation/);
});

test("Google's form, one record and several: its system prompt was learnt as a text, and nothing else", async () => {
  const system = { role: 'user', parts: [{ text: 's' }] };
  const record = {
    systemInstruction: system,
    contents: [
      { role: 'user', parts: [{ text: 'q' }] },
      { role: 'model', parts: [{ text: 'a' }] },
    ],
  };
  for (const text of [lines(record), lines(record, record)])
    expect((await read(text)).train[0]).toMatchObject({ messages: [{ role: 'system', content: 's' }, ...turns] });
});

test('records with an object inside are no wrapped records: of an answer in a column only its text was learnt', async () => {
  const squad = { context: 'c', question: 'q', answers: { text: ['x'], answer_start: [0] } };
  await expect(read(lines(squad))).rejects.toThrow(/no known format .*context, question, answers/);
  // A wrapper is one by its name.
  expect((await read(lines({ version: '1', data: { text: ['x'] } }), 'json')).train).toMatchObject([{ text: 'x' }]);
});

test('lists of records, one a line: the second line was refused', async () => {
  const { refusals, train } = await read(lines([{ text: 'x' }, { text: 'y' }], [{ text: 'z' }]));
  expect(train).toMatchObject([{ text: 'x' }, { text: 'y' }, { text: 'z', source: { line: 2, record: 1 } }]);
  expect(refusals).toEqual([]);
});

test('columns in capitals are proposed as they are written, and what would be lost is said', async () => {
  await expect(read('Prompt,Completion\nq,a\n', 'csv')).rejects.toThrow(
    /Try `promptColumn: 'Prompt', completionColumn: 'Completion'`\./,
  );
  await expect(read('Text\nq\n', 'csv')).rejects.toThrow(/Try `textColumn: 'Text'`\./);
  await expect(read(lines({ instruction: 'i', context: 'c', response: 'r' }))).rejects.toThrow(
    /To learn "context" too, name the columns instruction, input and output/,
  );
});
