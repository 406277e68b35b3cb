import { expect, test } from 'vitest';
import type { Askable } from './ask.ts';
import { askWithin } from './ask-within.ts';
import type { TestQuestion } from './test-set.ts';

/** Answers each question with its own text after so many milliseconds, or when it is told to stop. */
function slow(milliseconds: number): Askable {
  const answer: Askable['continue'] = (prompt, { signal } = {}) =>
    new Promise((resolve) => {
      const counts = { text: String(prompt), tokens: 1, promptTokens: 1, reusedTokens: 0 };
      const stop = (): void => {
        clearTimeout(timer);
        resolve({ ...counts, stopReason: 'aborted' });
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve({ ...counts, stopReason: 'end-of-turn' });
      }, milliseconds);
      signal?.addEventListener('abort', stop, { once: true });
    });
  return { continue: answer, generate: () => Promise.reject(new Error('not asked')) };
}
const questions = Array.from({ length: 100 }, (_, i): TestQuestion => ({ ask: { prompt: `${i}` }, expected: '' }));
const { signal } = new AbortController();
const within = (models: readonly Askable[], seconds: number) =>
  askWithin(models, questions, { atOnce: 4, maxTokens: 9, seconds, signal });

test('where the time suffices, all questions are answered, in their order', async () => {
  const [first, second] = await within([slow(0), slow(1)], 60);
  expect(first!.answers.map(({ text }) => text)).toEqual(questions.map((_, i) => `${i}`));
  expect(second!.answers).toEqual(first!.answers);
});

test('where it does not, both have answered the same first ones, and the time is kept', async () => {
  const began = performance.now();
  const [first, second] = await within([slow(20), slow(60)], 1);
  expect((performance.now() - began) / 1000).toBeLessThan(1.3);
  expect(first!.answers.length).toBeGreaterThan(3);
  expect(first!.answers.length).toBeLessThan(100);
  expect(second!.answers).toEqual(first!.answers);
});

test('a model that never stops is stopped, and is no answer', async () => {
  const began = performance.now();
  const found = await within([slow(1), slow(1e6)], 0.3);
  expect((performance.now() - began) / 1000).toBeLessThan(1);
  expect(found.map(({ answers }) => answers)).toEqual([[], []]);
});

test('who stops it is heard', async () => {
  const abort = new AbortController();
  const asking = askWithin([slow(1e6)], questions, { atOnce: 2, maxTokens: 9, seconds: 60, signal: abort.signal });
  abort.abort();
  await expect(asking).rejects.toThrow('abort');
});
