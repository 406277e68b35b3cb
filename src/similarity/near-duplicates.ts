/**
 * Texts that are nearly the same: a few words changed, other case or punctuation, sentences in another order. Two
 * texts are compared by the Jaccard index of their words, each word weighted by how rare it is among all the texts
 * (its inverse document frequency): what a template repeats in thousands of rows counts little, the name in its gap
 * much, so that short texts of one template are not taken for copies of each other. Promises: exact, every pair at or
 * above the threshold is found; deterministic; what stands earlier wins.
 *
 * Pairs are found without comparing all: where two texts share at least the share t of their weight, they share a
 * word among the rarest ones of each that make up 1 - t of it (prefix filtering: Chaudhuri, Ganti and Kaushik, ICDE
 * 2006; Bayardo, Ma and Srikant, WWW 2007). Unlike MinHash this misses none. Pure, but for pauses between texts.
 */
import { NomoatError } from '../errors.ts';
import { wordsOf } from './text-words.ts';

/**
 * Weighted Jaccard index from which texts are near duplicates; docs/log/data-and-templates.md has what was found in real
 * texts at others.
 */
export const usualThreshold = 0.7;

/** How near duplicates are looked for. */
export interface NearDuplicateOptions {
  /** Jaccard index from which two texts are near duplicates, above 0 up to 1 (default: 0.7). */
  readonly threshold?: number;
  /** Stops the search: then it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told how many texts of all have been looked at. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A text that is nearly, or but for case and punctuation wholly, an earlier one or one of another set. */
export interface NearDuplicate {
  /** Place of the text in its set, from 0. */
  readonly index: number;
  /** Place of the most similar text: an earlier one of the same set that is itself kept, or one of the other set. */
  readonly of: number;
  /** Weighted Jaccard index, 1 where both have the same words. */
  readonly similarity: number;
}

/** Texts between two pauses, in which a signal and progress are looked after: a few milliseconds. */
const textsAtOnce = 200;
/** Rounding of sums of weights must not lose a pair whose similarity is the threshold itself. */
const slack = 1e-9;

/** The words of a text as numbers, the rarest first; a word's second place in a text is another number. */
type Bag = Int32Array<ArrayBuffer>;

/** The bags of all texts, what each number weighs, and each bag's weight. */
interface Bags {
  readonly bags: readonly Bag[];
  readonly weights: Float64Array;
  readonly totals: Float64Array;
}

/** A word and which of its places in a text it is; words have no white space. */
const placeOfWord = (word: string, place: number): string => (place === 1 ? word : `${word} ${place}`);

/** Numbers for the words of a text, as `numbers` has them or gets them. */
function numbersOf(text: string, numbers: Map<string, number>, counts: number[]): Bag {
  const places = new Map<string, number>();
  const bag: number[] = [];
  for (const word of wordsOf(text)) {
    const place = (places.get(word) ?? 0) + 1;
    places.set(word, place);
    const key = placeOfWord(word, place);
    let number = numbers.get(key);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(key, number);
      counts.push(0);
    }
    counts[number]!++;
    bag.push(number);
  }
  return Int32Array.from(bag);
}

/** All texts as bags whose numbers are ranks: 0 is the rarest word, so that a sorted bag begins with its rarest ones. */
async function bagsOf(texts: readonly string[], pause: Pause): Promise<Bags> {
  const numbers = new Map<string, number>();
  const counts: number[] = [];
  const bags: Bag[] = [];
  for (const text of texts) {
    bags.push(numbersOf(text, numbers, counts));
    await pause(0);
  }
  const byRarity = Int32Array.from(counts.keys()).sort((a, b) => counts[a]! - counts[b]! || a - b);
  const ranks = new Int32Array(counts.length);
  for (const [rank, number] of byRarity.entries()) ranks[number] = rank;
  const weights = Float64Array.from(byRarity, (number) => Math.log(1 + texts.length / counts[number]!));
  for (const bag of bags) {
    for (const [i, number] of bag.entries()) bag[i] = ranks[number]!;
    bag.sort();
  }
  const totals = Float64Array.from(bags, (bag) => bag.reduce((sum, rank) => sum + weights[rank]!, 0));
  return { bags, weights, totals };
}

/** Weight of what two sorted bags share. */
function sharedWeight(a: Bag, b: Bag, weights: Float64Array): number {
  let shared = 0;
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const difference = a[i]! - b[k]!;
    if (difference === 0) shared += weights[a[i]!]!;
    if (difference <= 0) i++;
    if (difference >= 0) k++;
  }
  return shared;
}

/** Bags that can be asked for the most similar one at or above the threshold. */
class BagIndex {
  private readonly byRank = new Map<number, number[]>();
  private readonly threshold: number;
  private readonly known: Bags;
  /** Which bag was compared last with each, so that none is compared twice. */
  private readonly comparedWith: Int32Array;

  constructor(known: Bags, threshold: number) {
    this.known = known;
    this.threshold = threshold - slack;
    this.comparedWith = new Int32Array(known.bags.length).fill(-1);
  }

  /** The rarest words of a bag, of which one at least stands among those of every similar bag. */
  private prefixOf(index: number): Bag {
    const { bags, totals, weights } = this.known;
    const bag = bags[index]!;
    let rest = totals[index]!;
    const least = this.threshold * rest;
    let length = 0;
    while (length < bag.length && rest >= least) rest -= weights[bag[length++]!]!;
    return bag.subarray(0, length);
  }

  add(index: number): void {
    for (const rank of this.prefixOf(index)) {
      const places = this.byRank.get(rank);
      if (places) places.push(index);
      else this.byRank.set(rank, [index]);
    }
  }

  /** The most similar of the bags that were added, the earliest of equal ones; null where none is similar enough. */
  find(index: number): NearDuplicate | null {
    let best: NearDuplicate | null = null;
    for (const of of this.candidates(index)) {
      const least: number = best?.similarity ?? this.threshold;
      const similarity: number = this.similarity(index, of, least);
      if (similarity < least || (best && similarity === least && of > best.of)) continue;
      best = { index, of, similarity };
    }
    return best;
  }

  /** The bags with which one shares any of the rarest words of both, each once. */
  private *candidates(index: number): Generator<number, void> {
    for (const rank of this.prefixOf(index))
      for (const other of this.byRank.get(rank) ?? []) {
        if (this.comparedWith[other] === index) continue;
        this.comparedWith[other] = index;
        yield other;
      }
  }

  /** Weighted Jaccard index of two bags; 0 where their weights alone say that it is below `least`. */
  private similarity(a: number, b: number, least: number): number {
    const { bags, totals, weights } = this.known;
    const [smaller, larger] = [Math.min(totals[a]!, totals[b]!), Math.max(totals[a]!, totals[b]!)];
    // Even if the smaller one stood whole in the larger.
    if (smaller < least * larger) return 0;
    const shared = sharedWeight(bags[a]!, bags[b]!, weights);
    return shared / (smaller + larger - shared);
  }
}

function thresholdOf({ threshold = usualThreshold }: NearDuplicateOptions): number {
  if (threshold > 0 && threshold <= 1) return threshold;
  throw new NomoatError({
    part: 'threshold',
    fault: `${threshold} is no Jaccard index`,
    remedy: 'Give a number above 0 up to 1.',
  });
}

type Pause = (done: number) => Promise<void>;

/** Lets the event loop run, looks at the signal and tells progress, once in a while. */
function pauses(total: number, { onProgress, signal }: NearDuplicateOptions): Pause {
  let calls = 0;
  return async (done) => {
    signal?.throwIfAborted();
    if (++calls % textsAtOnce !== 0) return;
    if (done > 0) onProgress?.(done, total);
    await new Promise<void>((resolve) => setImmediate(resolve));
  };
}

/**
 * Texts of a set that are nearly an earlier text of it, each with the most similar of those that are no such copy
 * themselves: without those that are named, no two near duplicates are left.
 */
export async function nearDuplicatesWithin(
  texts: readonly string[],
  options: NearDuplicateOptions = {},
): Promise<NearDuplicate[]> {
  const pause = pauses(texts.length, options);
  const index = new BagIndex(await bagsOf(texts, pause), thresholdOf(options));
  const found: NearDuplicate[] = [];
  for (const place of texts.keys()) {
    const duplicate = index.find(place);
    if (duplicate) found.push(duplicate);
    else index.add(place);
    await pause(place + 1);
  }
  return found;
}

/** Texts of `texts` that are nearly one of `others` (such as test examples and the training set), each with the most similar one. */
export async function nearDuplicatesBetween(
  texts: readonly string[],
  others: readonly string[],
  options: NearDuplicateOptions = {},
): Promise<NearDuplicate[]> {
  const pause = pauses(texts.length, options);
  const index = new BagIndex(await bagsOf([...others, ...texts], pause), thresholdOf(options));
  for (const place of others.keys()) index.add(place);
  const found: NearDuplicate[] = [];
  for (const place of texts.keys()) {
    const duplicate = index.find(others.length + place);
    if (duplicate) found.push({ ...duplicate, index: place });
    await pause(place + 1);
  }
  return found;
}
