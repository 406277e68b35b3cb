import { expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import { nearDuplicatesBetween, nearDuplicatesWithin } from './near-duplicates.ts';
import { TextIndex } from './text-index.ts';
import { wordsOf } from './text-words.ts';

const vocabulary = Array.from({ length: 2000 }, (_, i) => `word${i}`);
const pick = (random: Random, below: number): number => random.uint32() % below;
/** Words as frequent as Zipf's law has them, so that some are in nearly every text. */
const text = (random: Random, words = 12): string =>
  Array.from({ length: words }, () => vocabulary[Math.floor(2000 ** (random.uint32() / 2 ** 32)) - 1]).join(' ');
const texts = (count: number, seed = 1): string[] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => text(random, 6 + pick(random, 20)));
};

test('case, punctuation, width, white space and apostrophes make no other words; scripts without spaces give pairs', () => {
  expect(wordsOf('  Don’t  PANIC, “Mr.” Ｓｍｉｔｈ!')).toEqual(wordsOf("don't panic mr smith"));
  expect(wordsOf('我要退款 now')).toEqual(['我要', '要退', '退款', 'now']);
  expect(wordsOf('안녕 세상')).toEqual(['안녕', '세상']);
  expect(wordsOf('?!')).toEqual(['?', '!']);
  expect(wordsOf(' \n')).toEqual([]);
});

test('a line of 10 MB without a space has words', () => {
  expect(wordsOf('x'.repeat(10_000_000)).length).toBeGreaterThan(1000);
  expect(wordsOf('款'.repeat(1_000_000)).length).toBeGreaterThan(990_000);
});

/** Weighted Jaccard by its definition, over maps of words. */
function jaccard(a: string, b: string, all: readonly string[]): number {
  const bag = (of: string): Set<string> => {
    const seen = new Map<string, number>();
    return new Set(wordsOf(of).map((word) => `${word}#${seen.set(word, (seen.get(word) ?? 0) + 1).get(word)}`));
  };
  const bags = all.map(bag);
  const weight = (word: string): number => Math.log(1 + all.length / bags.filter((each) => each.has(word)).length);
  const sum = (words: Iterable<string>): number => [...words].reduce((total, word) => total + weight(word), 0);
  const [left, right] = [bag(a), bag(b)];
  return sum([...left].filter((word) => right.has(word))) / sum(new Set([...left, ...right]));
}

test('between sets, exactly the pairs at or above the threshold are found that comparing all of them finds', async () => {
  const others = texts(40);
  const random = new Random(7);
  // Some of them with words replaced, a few and many.
  const asked = others.slice(0, 30).map((each, i) => {
    const words = each.split(' ');
    for (let change = 0; change < i % 8; change++) words[pick(random, words.length)] = `new${pick(random, 1000)}`;
    return words.join(' ');
  });
  const found = await nearDuplicatesBetween(asked, others, { threshold: 0.55 });
  const slow = asked.flatMap((each, index) => {
    const scores = others.map((other) => jaccard(each, other, [...others, ...asked]));
    const similarity = Math.max(...scores);
    return similarity >= 0.55
      ? [{ index, of: scores.indexOf(similarity), similarity: expect.closeTo(similarity, 9) }]
      : [];
  });
  expect(slow.length).toBeGreaterThan(10);
  expect(slow.length).toBeLessThan(30);
  expect(found).toEqual(slow);
});

test('within a set a copy is named with the earliest text that is kept, and none is left without the named ones', async () => {
  const originals = texts(300, 3);
  const [first, second] = [originals[5]!, originals[9]!];
  const set = [...originals, first.toUpperCase(), `${second.split(' ').reverse().join(', ')}.`, `${first} `];
  const found = await nearDuplicatesWithin(set);
  expect(found).toEqual([
    { index: 300, of: 5, similarity: 1 },
    { index: 301, of: 9, similarity: 1 },
    { index: 302, of: 5, similarity: 1 },
  ]);
  expect(await nearDuplicatesWithin(originals)).toEqual([]);
});

test('short texts of one template are no copies of each other, the same text with a common word less is one', async () => {
  const artists = Array.from({ length: 200 }, (_, i) => `artist${i}`);
  const set = [...artists.map((artist) => `please play the newest album by ${artist} on my phone`)];
  expect(await nearDuplicatesWithin(set)).toEqual([]);
  const copy = 'play the newest album by artist17 on my phone';
  expect(await nearDuplicatesBetween([copy], set)).toMatchObject([{ index: 0, of: 17 }]);
});

test('empty texts are like none; a wrong threshold is refused; a signal ends the search', async () => {
  expect(await nearDuplicatesWithin(['', ' ', 'a b c'])).toEqual([]);
  await expect(nearDuplicatesWithin(['a'], { threshold: 0 })).rejects.toThrow('threshold: 0');
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(nearDuplicatesWithin(texts(10), { signal })).rejects.toThrow('enough');
  const seen: number[] = [];
  await nearDuplicatesWithin(texts(1000), { onProgress: (done, total) => seen.push(done / total) });
  expect(seen.length).toBeGreaterThan(2);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

test('an index answers the texts that share most, by BM25 as it is defined', () => {
  const index = new TextIndex(['the cat sat', 'the dog sat on the mat', 'a bird', 'cat cat cat']);
  expect(index.nearest('Where is the CAT?', 2).map((near) => near.index)).toEqual([0, 3]);
  expect(index.nearest('unknown', 3)).toEqual([]);
  // "bird" is in one of 4 texts, in one of 2 words where 3.5 are usual.
  const expected = (Math.log(1 + 3.5 / 1.5) * 2.2) / (1 + 1.2 * (0.25 + (0.75 * 2) / 3.5));
  expect(index.nearest('bird', 1)).toEqual([{ index: 2, score: expect.closeTo(expected, 12) }]);
  expect(new TextIndex([]).nearest('cat', 1)).toEqual([]);
});

test('equal texts come in their order, and no more than were asked for', () => {
  const index = new TextIndex(['same words', 'other', 'same words', 'same words']);
  expect(index.nearest('same', 2).map((near) => near.index)).toEqual([0, 2]);
});
