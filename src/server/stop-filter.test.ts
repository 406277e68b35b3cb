import { expect, test } from 'vitest';
import { StopFilter } from './stop-filter.ts';

/** What is given out of an answer in these pieces, and whether a stop sequence was met. */
function filtered(stops: readonly string[], pieces: readonly string[]): { out: string[]; stopped: boolean } {
  const out: string[] = [];
  const filter = new StopFilter(stops, (text) => out.push(text));
  for (const piece of pieces) filter.push(piece);
  filter.end();
  return { out, stopped: filter.stopped };
}

test('pieces pass as they come where nothing may be a stop sequence', () => {
  expect(filtered([], ['a', 'b'])).toEqual({ out: ['a', 'b'], stopped: false });
  expect(filtered(['###'], ['a', 'b'])).toEqual({ out: ['a', 'b'], stopped: false });
});

test('what may be the beginning of one is held back until it is known', () => {
  expect(filtered(['END'], ['aE', 'N', 'x'])).toEqual({ out: ['a', 'ENx'], stopped: false });
  expect(filtered(['END'], ['aE', 'N'])).toEqual({ out: ['a', 'EN'], stopped: false });
});

test('the first of several ends the answer, and what comes later is not heard', () => {
  expect(filtered(['two', 'one'], ['zero one two', 'three'])).toEqual({ out: ['zero '], stopped: true });
  expect(filtered(['a'], ['abc'])).toEqual({ out: [], stopped: true });
});

test('wherever an answer is cut into pieces, the same is given out', () => {
  const answer = 'aab aaab abab, and so on';
  const stops = ['aaab', 'abab, x', 'on!'];
  for (let i = 0; i <= answer.length; i++)
    for (let j = i; j <= answer.length; j++) {
      const { out, stopped } = filtered(stops, [answer.slice(0, i), answer.slice(i, j), answer.slice(j)]);
      expect([out.join(''), stopped], `${i} ${j}`).toEqual(['aab ', true]);
    }
});
