import { describe, expect, test } from 'vitest';
import type { CutOptions, EncodedAnswer } from './encoded-row.ts';
import { makePair } from './pairs.ts';

const answer = (prompt: readonly number[], said: readonly number[]): EncodedAnswer => ({
  raw: false,
  notes: [],
  sequences: [
    {
      tokens: Int32Array.from([...prompt, ...said]),
      supervised: Uint8Array.from([...prompt.map(() => 0), ...said.map(() => 1)]),
    },
  ],
});
const options = (
  sequenceLength: number,
  tooLong: CutOptions['tooLong'] = 'truncate-left',
  bos: number | null = null,
): CutOptions => ({
  sequenceLength,
  tooLong,
  tokenizer: { addsBos: bos !== null, bosToken: bos, isEndOfGeneration: () => false },
});
const prompt = [1, 2, 3, 4, 5];
const made = (...given: Parameters<typeof makePair>) => {
  const pair = makePair(...given);
  if ('reason' in pair) throw new Error(pair.reason);
  return {
    chosen: [...pair.tokens],
    rejected: [...pair.rejected.tokens],
    cut: pair.cutTokens,
    learnt: pair.cutSupervisedTokens,
  };
};
const [won, lost] = [answer(prompt, [7, 8]), answer(prompt, [9, 10, 11])];

describe('two answers within the sequence length', () => {
  test('stay as they are', () => {
    expect(made(won, lost, options(8))).toEqual({
      chosen: [1, 2, 3, 4, 5, 7, 8],
      rejected: [1, 2, 3, 4, 5, 9, 10, 11],
      cut: 0,
      learnt: 0,
    });
  });

  test('lose the same tokens of their prompt, but for the one that begins every text', () => {
    expect(made(won, lost, options(5))).toEqual({
      chosen: [4, 5, 7, 8],
      rejected: [4, 5, 9, 10, 11],
      cut: 6,
      learnt: 0,
    });
    expect(made(won, lost, options(6, 'truncate-left', 1))).toMatchObject({
      chosen: [1, 4, 5, 7, 8],
      rejected: [1, 4, 5, 9, 10, 11],
    });
  });

  test('or the ends of their answers', () => {
    expect(made(won, lost, options(6, 'truncate-right'))).toEqual({
      chosen: [1, 2, 3, 4, 5, 7],
      rejected: [1, 2, 3, 4, 5, 9],
      cut: 3,
      learnt: 3,
    });
  });
});

test.each([
  ['longer answers than the length', [won, lost, options(3)], 'is longer than the sequence length of 3 tokens'],
  ['long rows, where they are to be refused', [won, lost, options(6, 'refuse')], 'is longer than the sequence length'],
  ['answers that are cut away', [won, lost, options(5, 'truncate-right')], 'has no supervised token left'],
  ['answers that differ behind the cut', [answer(prompt, [7, 8]), answer(prompt, [7, 9]), options(6, 'truncate-right')], 'equal within'],
  ['equal answers', [won, won, options(9)], 'both answers are equal as tokens'],
  ['other prompts', [won, answer([1, 2, 3, 4, 6], [9]), options(9)], 'the prompts of both answers differ as tokens'],
  ['a side that was refused', [won, { reason: 'is broken' }, options(9)], 'the rejected answer: is broken'],
  ['a side without an answer', [answer(prompt, []), lost, options(9)], 'the chosen answer: has no supervised token'],
] as const)('%s are refused', (_, given, reason) => {
  const pair = makePair(...(given as Parameters<typeof makePair>));
  expect('reason' in pair && pair.reason).toContain(reason);
}); // biome-ignore format: a table
