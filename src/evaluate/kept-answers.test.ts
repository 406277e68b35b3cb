import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Model } from '../chat/chat-model.ts';
import { KeptAnswers, scoreKept } from './kept-answers.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-kept-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows = ['a', 'b', 'c', 'd'].map((continuation) => ({ prompt: 'p', continuation }));
const likelihoodOf = (text: string) => -text.charCodeAt(0);
/** Ends after so many rows; `too long` does not fit. */
function modelOf(most = Number.POSITIVE_INFINITY) {
  const seen: string[] = [];
  const model: Pick<Model, 'scoreRows'> = {
    scoreRows: (some, options) =>
      Promise.resolve(
        some.map((row, i) => {
          const text = 'continuation' in row ? String(row.continuation) : row.answer;
          if (text === 'too long') return null;
          if (seen.length === most) throw new Error('killed');
          seen.push(text);
          const score = {
            logProbability: likelihoodOf(text),
            logProbabilities: [likelihoodOf(text)],
            mostLikely: text === 'a',
          };
          options?.onRow?.(i, score);
          return score;
        }),
      ),
  };
  return { seen, open: () => Promise.resolve(model) };
}

test('rows that were scored before are not scored again, after a kill in the middle of a line too', async () => {
  const path = join(folder, 'model.answers');
  const first = modelOf(3);
  await expect(scoreKept(rows, { path, open: first.open })).rejects.toThrow('killed');
  writeFileSync(path, readFileSync(path, 'utf8').slice(0, -5));
  appendFileSync(path, '\u0000garbage');
  const second = modelOf();
  const done: number[] = [];
  const more = [...rows, { prompt: 'p', continuation: 'too long' }];
  const { computed, scores } = await scoreKept(more, { path, open: second.open, onRow: (count) => done.push(count) });
  expect([second.seen, computed, done]).toEqual([['c', 'd'], 3, [3, 4]]);
  expect(scores.map((score) => score?.logProbability)).toEqual([-97, -98, -99, -100, undefined]);
  expect(scores.map((score) => score?.mostLikely)).toEqual([true, false, false, false, undefined]);
  const third = await scoreKept(rows, { path, open: () => Promise.reject(new Error('opened')) });
  expect(third).toEqual({ scores: scores.slice(0, 4), computed: 0 });
});

test('answers and scores stand in one file, and another prompt is another row', async () => {
  const path = join(folder, 'both.answers');
  const question = { ask: { prompt: 'p' }, expected: 'a' };
  new KeptAnswers(path, 'greedy 4').keep(question, { text: 'x', ended: true });
  const model = modelOf();
  await scoreKept(rows.slice(0, 1), { path, open: model.open });
  await scoreKept(
    [
      { prompt: 'q', continuation: 'a' },
      { prompt: 'p', answer: 'a' },
    ],
    { path, open: model.open },
  );
  expect(model.seen).toEqual(['a', 'a', 'a']);
  expect(new KeptAnswers(path, 'greedy 4').find(question)).toEqual({ text: 'x', ended: true });
  expect(new KeptAnswers(path, 'greedy 5').find(question)).toBeNull();
});
