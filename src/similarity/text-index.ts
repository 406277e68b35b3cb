/**
 * Which of many texts are most like one, by the words that they share: BM25 (Robertson and Zaragoza, "The probabilistic
 * relevance framework", 2009), in which rare words count more and long texts win nothing by their length. Deterministic. Pure.
 */
import { wordsOf } from './text-words.ts';

/** How soon further places of a word in a text cease to count, and how far a text's length is allowed for: the usual values. */
const [k1, b] = [1.2, 0.75];

/** A text that shares words with the one that was asked for. */
export interface NearText {
  /** Place of the text in the index, from 0. */
  readonly index: number;
  /** BM25, above 0; comparable between answers to one text only. */
  readonly score: number;
}

/** Where a word stands: places of texts and how often it is in each. */
interface Postings {
  readonly texts: number[];
  readonly counts: number[];
}

const countsOf = (text: string): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
};

/** Texts that can be asked for those most like another one. */
export class TextIndex {
  private readonly postings = new Map<string, Postings>();
  /** Of each text, what its length adds to the denominator of BM25. */
  private readonly lengths: Float64Array;

  constructor(texts: readonly string[]) {
    this.lengths = new Float64Array(texts.length);
    for (const [index, text] of texts.entries())
      for (const [word, count] of countsOf(text)) {
        this.lengths[index]! += count;
        const postings = this.postings.get(word) ?? { texts: [], counts: [] };
        postings.texts.push(index);
        postings.counts.push(count);
        this.postings.set(word, postings);
      }
    const mean = this.lengths.reduce((sum, length) => sum + length, 0) / texts.length || 1;
    for (const [index, length] of this.lengths.entries()) this.lengths[index] = k1 * (1 - b + (b * length) / mean);
  }

  /** The `count` most similar texts, the most similar first, earlier ones first among equals; fewer where fewer share a word. */
  nearest(text: string, count: number): NearText[] {
    const scores = new Map<number, number>();
    for (const [word, { counts, texts }] of this.found(text)) {
      const rarity = Math.log(1 + (this.lengths.length - texts.length + 0.5) / (texts.length + 0.5));
      for (const [i, index] of texts.entries()) {
        const gain = (word * rarity * counts[i]! * (k1 + 1)) / (counts[i]! + this.lengths[index]!);
        scores.set(index, (scores.get(index) ?? 0) + gain);
      }
    }
    const near = Array.from(scores, ([index, score]) => ({ index, score }));
    return near.sort((x, y) => y.score - x.score || x.index - y.index).slice(0, count);
  }

  /** The words of a text that are known: how often it has each, and where they stand. */
  private found(text: string): [number, Postings][] {
    return [...countsOf(text)].flatMap(([word, count]) => {
      const postings = this.postings.get(word);
      return postings ? [[count, postings]] : [];
    });
  }
}
