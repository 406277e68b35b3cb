import { expect, test } from 'vitest';
import { readJson } from '../formats/exact-json.ts';
import { parseRecord, type RecordFormat, renameColumns } from './records.ts';

const columns = { prompt: null, completion: null, text: null };

test('chosen columns stand under the usual names, whichever way they are chosen', () => {
  const record = { question: 'q', prompt: 'p', completion: 'c', id: 1 };
  const shifted = { ...columns, prompt: 'question', completion: 'prompt' };
  expect(renameColumns(record, shifted)).toEqual({ prompt: 'q', completion: 'p', id: 1 });
  const swapped = { ...columns, prompt: 'completion', completion: 'prompt' };
  expect(renameColumns(record, swapped)).toEqual({ question: 'q', prompt: 'c', completion: 'p', id: 1 });
  const same = { ...columns, prompt: 'prompt', completion: 'question' };
  expect(renameColumns(record, same)).toEqual({ prompt: 'p', completion: 'q', id: 1 });
});

test('a chosen column that a record lacks leaves the name out, also where another column has that name', () => {
  expect(renameColumns({ prompt: 'p' }, { ...columns, prompt: 'q', completion: 'a' })).toEqual({});
  expect(renameColumns(['no record'], { ...columns, text: 'q' })).toEqual(['no record']);
});

const parse = (format: RecordFormat, record: unknown) => parseRecord(format, record, { file: 'f', line: 1 });
const q = { role: 'user', content: 'q' };
const a = { role: 'assistant', content: 'a' };
const prompted = { ...q, weight: 0 };

test('a prompt of messages and a completion of text, and the other way round, with the system prompt beside them', () => {
  const both = { kind: 'chat', messages: [prompted, a] };
  for (const [prompt, completion] of [
    [[q], [a]],
    [[q], 'a'],
    ['q', [a]],
    [q, a],
    [[q], a],
  ])
    expect(parse('prompt-completion', { prompt, completion })).toMatchObject(both);
  expect(parse('prompt-completion', { system: 's', prompt: [q], completion: 'a' })).toMatchObject({
    messages: [{ role: 'system', content: 's', weight: 0 }, prompted, a],
  });
  expect(parse('prompt-completion', { prompt: 'q', completion: ['a', 'b'] })).toMatchObject({
    reason: 'the completion is a list without messages',
  });
});

test('numbers and truth values are taken as they are spelled, which is noted', () => {
  const record = readJson('{"prompt": 7301234567890123457, "completion": 1.0, "text": true}') as Record<
    string,
    unknown
  >;
  const notes = ['numbers and truth values in the place of texts are taken as they are spelled'];
  expect(parse('prompt-completion', record)).toMatchObject({ prompt: '7301234567890123457', completion: '1.0', notes });
  expect(parse('text', record)).toMatchObject({ text: 'true', notes });
  expect(parse('alpaca', { instruction: 'i', input: 2, output: 4 })).toMatchObject({
    messages: [{ content: 'i\n\n2' }, { content: '4' }],
    notes,
  });
  expect(parse('messages', { messages: [q, { role: 'assistant', content: 4 }] })).toMatchObject({
    messages: [q, { content: '4' }],
    notes,
  });
  expect(parse('text', { text: null })).toEqual({ reason: 'the text is no text', detail: undefined });
});

test('an empty instruction leaves no blank lines before the input', () => {
  expect(parse('alpaca', { instruction: '', input: 'x', output: 'y' })).toMatchObject({
    messages: [{ content: 'x' }, { content: 'y' }],
  });
});

test('answers that are what Python writes for an empty cell are noted', () => {
  expect(parse('alpaca', { instruction: 'i', output: 'nan' })).toMatchObject({
    notes: [expect.stringMatching(/the word "nan" alone/)],
  });
  expect(parse('prompt-completion', { prompt: 'p', completion: 'None' })).toHaveProperty('notes');
  expect(parse('prompt-completion', { prompt: 'p', completion: 'none of them' })).not.toHaveProperty('notes');
});
