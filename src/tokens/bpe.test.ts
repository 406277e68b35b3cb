import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import { writeGguf } from '../formats/gguf/write.ts';
import { openTokenizer } from '../llama/tokenizer.ts';
import { randomModel } from '../models/random-model.ts';
import { pretrainSizes } from '../models/sizes.ts';
import { encodeBpe, trainBpe } from './bpe.ts';
import { bpeMetadata, specialTokens } from './bpe-metadata.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-bpe-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('training', () => {
  test('merges the most frequent pair, ties by the older tokens', () => {
    // Pairs: l+o 7, o+w 7, e+s 9, s+t 9, w+e 8 ... the classic example of Sennrich et al., without their end-of-word sign.
    const text =
      'low\nlow\nlow\nlow\nlow\nlower\nlower\nnewest\nnewest\nnewest\nnewest\nnewest\nnewest\nwidest\nwidest\nwidest';
    const { merges, tokens } = trainBpe([text], { vocabularySize: 256 + 4 });
    expect(merges.map((pair) => pair.join('+'))).toEqual(['e+s', 'es+t', 'l+o', 'lo+w']);
    expect(tokens.slice(256)).toEqual(['es', 'est', 'lo', 'low']);
    expect(tokens[0]).toBe('!');
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  test('stops where no pair occurs twice', () => {
    expect(trainBpe(['abcd'], { vocabularySize: 1000 }).tokens.length).toBe(256);
    expect(trainBpe([], { vocabularySize: 1000 }).merges).toEqual([]);
  });

  test('counts overlapping pairs once', () => {
    const bpe = trainBpe(['aaaaa aaaaa'], { vocabularySize: 258 });
    expect(encodeBpe('aaaaa', bpe).length).toBeLessThan(4);
  });
});

/** Strings of every kind that a pre-tokenizer could trip over. */
function randomStrings(count: number): string[] {
  const random = new Random(7);
  const pools = [
    'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ',
    '0123456789٠١٢٣४५六½²Ⅷ',
    ' \t\n\r\u00a0\u2003\u3000\u2028\u0085',
    '.,;:!?\'"()[]{}<>|/\\@#$%^&*-_=+~`',
    'äöüßéèñçøåžœΑβγДжшאבגابتकखगहि्ंกขคあいうアイウ漢字中文語한국어',
    '😀🎉👍🏽❤️🏳️‍🌈👩‍👩‍👧‍👦🇩🇪',
    '\u0301\u0308\u200d\u200b\ufeff\u0007\u0001\u007f',
  ].map((pool) => [...pool]);
  const pieces = [
    "'s",
    "'t",
    "'re",
    "'ve",
    "'m",
    "'ll",
    "'d",
    "'S",
    '<|im_end|>',
    '\n\n',
    '   ',
    ' the',
    'and ',
    'low',
    '中文',
    '👍🏽',
  ];
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
  return Array.from({ length: count }, () => {
    let text = '';
    for (let i = random.below(30); i >= 0; i--) {
      if (random.below(4) === 0) text += pick(pieces);
      else {
        const pool = pick(pools);
        for (let j = random.below(5); j >= 0; j--) text += pick(pool);
      }
    }
    return text;
  });
}

test('llama.cpp tokenises 10,000 random strings as our encoder does, and gives them back', async () => {
  const strings = randomStrings(10_000);
  const bpe = trainBpe(randomStrings(2000), { vocabularySize: 700 });
  expect(bpe.tokens.length).toBe(700);
  const path = join(folder, 'vocabulary.gguf');
  const vocabulary = bpe.tokens.length + specialTokens.length;
  const size = { ...pretrainSizes.nano, layers: 1, modelWidth: 32, heads: 1, feedForward: 32 };
  const tokenizerKeys = bpeMetadata(bpe);
  writeGguf(
    path,
    randomModel({ name: 'v', size, tokenizer: tokenizerKeys, vocabulary, contextLength: 64, init: 'gpt2', seed: 0 }),
  );
  const tokenizer = await openTokenizer(path);
  const wrong: { text: string; theirs: number[]; ours: number[] }[] = [];
  for (const text of strings) {
    const [theirs, ours] = [tokenizer.encode(text, false), encodeBpe(text, bpe)];
    if (theirs.join() !== ours.join() || tokenizer.decode(theirs) !== text) wrong.push({ text, theirs, ours });
  }
  expect(wrong.slice(0, 3)).toEqual([]);
  expect(tokenizer.encode('<|im_end|>', true)).toEqual([vocabulary - 1]);
  expect(tokenizer.isEndOfGeneration(vocabulary - 1)).toBe(true);
  expect(tokenizer.isEndOfGeneration(tokenizer.encode('<|endoftext|>', true)[0]!)).toBe(true);
  expect(tokenizer.addsBos).toBe(false);
  await tokenizer.close();
}, 60_000);
