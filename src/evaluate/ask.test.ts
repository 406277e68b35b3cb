import { expect, test } from 'vitest';
import { type Askable, askAll } from './ask.ts';
import type { TestQuestion } from './test-set.ts';

const question = (prompt: string): TestQuestion => ({ ask: { prompt }, expected: '' });

/** What each question is drawn by. */
async function seedsOf(prompts: readonly string[], seed: number | null): Promise<unknown[]> {
  const seeds: unknown[] = [];
  const model: Askable = {
    continue: async (prompt, options) => {
      seeds.push(options?.seed);
      return { text: String(prompt), tokens: 1, promptTokens: 1, reusedTokens: 0, stopReason: 'end-of-turn' };
    },
    generate: () => Promise.reject(new Error('not asked')),
  };
  await askAll(model, prompts.map(question), { maxTokens: 4, temperature: 1, seed, atOnce: 1 });
  return seeds;
}

test('each question is drawn by a seed of its own, which the questions beside it and their order do not change', async () => {
  const contents = Array.from({ length: 50 }, (_, i) => `question ${i}`);
  const first = await seedsOf(contents, 0);
  expect(new Set(first).size).toBe(50);
  expect(await seedsOf([...contents].reverse(), 0)).toEqual([...first].reverse());
  const second = await seedsOf(contents, 1);
  expect(second.filter((seed) => first.includes(seed))).toEqual([]);
  expect(await seedsOf(['question 0'], null)).toEqual([null]);
});
