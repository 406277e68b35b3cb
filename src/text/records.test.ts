import { expect, test } from 'vitest';
import { renameColumns } from './records.ts';

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
