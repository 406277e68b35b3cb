/**
 * Byte-level BPE as GPT-2's: training, and a plain encoder to check others against. https://arxiv.org/abs/1508.07909 (Sennrich et al.),
 * Radford et al. 2019, section 2.2. Promises: any string can be encoded and comes back; equal texts give equal vocabularies. Pure.
 */

/**
 * Words are GPT-2's (contractions, letters, other characters with the space before them, white space), but each digit is a word of its
 * own, as in SmolLM: llama.cpp calls this `smollm`. Its `gpt-2` would drop the space before "'m" or "," when it decodes.
 */
const fragments = /\p{N}|\P{N}+/gu;
const words =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|\p{N}| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** llama.cpp's name of this division into words. */
export const preTokenizer = 'smollm';

function* wordsOf(text: string): Generator<string> {
  for (const [fragment] of text.matchAll(fragments)) for (const [word] of fragment.matchAll(words)) yield word;
}

/** GPT-2's alphabet: printable bytes stand for themselves, the others for the characters from U+0100 on. */
const byteCharacters: readonly string[] = (() => {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
})();
const byteOfCharacter: ReadonlyMap<string, number> = new Map(
  byteCharacters.map((character, byte) => [character, byte]),
);

/** The bytes that a token spells in GPT-2's alphabet; null where it is spelled otherwise, as control tokens are. */
export function bytesInAlphabet(token: string): Uint8Array | null {
  const bytes = Array.from(token, (character) => byteOfCharacter.get(character));
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : null;
}
/** Bytes in the order of GPT-2's vocabulary: the printable ones first. */
const byteOrder = [...byteCharacters.keys()].sort(
  (a, b) => byteCharacters[a]!.codePointAt(0)! - byteCharacters[b]!.codePointAt(0)!,
);
const byteIds = Int32Array.from({ length: 256 }, (_, byte) => byteOrder.indexOf(byte));

export interface Bpe {
  /** Spelled in GPT-2's alphabet; the 256 bytes come first, then one token for each merge. */
  readonly tokens: readonly string[];
  /** In order of their rank. */
  readonly merges: readonly (readonly [left: string, right: string])[];
}

export interface TrainBpeOptions {
  /** Tokens wanted, the 256 bytes included. There are fewer where no further pair occurs twice. */
  readonly vocabularySize: number;
}

interface Word {
  ids: number[];
  readonly count: number;
}

/** Pairs of ids as one key: ids stay far below 2^21. */
const keyOf = (left: number, right: number): number => left * 2 ** 21 + right;

function countWords(texts: Iterable<string>): Word[] {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const encoder = new TextEncoder();
  return [...counts].map(([word, count]) => ({
    ids: Array.from(encoder.encode(word), (byte) => byteIds[byte]!),
    count,
  }));
}

/** A binary heap of pairs by count, ties by key; entries go stale when counts change, and are checked when they come up. */
class PairHeap {
  private readonly entries: { key: number; count: number }[] = [];

  push(key: number, count: number): void {
    const { entries } = this;
    entries.push({ key, count });
    for (let at = entries.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.before(at, parent)) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  pop(): { key: number; count: number } | undefined {
    const { entries } = this;
    const top = entries[0];
    const last = entries.pop();
    if (entries.length === 0 || !last) return top;
    entries[0] = last;
    for (let at = 0; ; ) {
      let best = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < entries.length && this.before(child, best)) best = child;
      if (best === at) return top;
      this.swap(at, best);
      at = best;
    }
  }

  /** More frequent first; among equals the pair of older tokens. */
  private before(a: number, b: number): boolean {
    const [x, y] = [this.entries[a]!, this.entries[b]!];
    return x.count === y.count ? x.key < y.key : x.count > y.count;
  }

  private swap(a: number, b: number): void {
    const { entries } = this;
    [entries[a], entries[b]] = [entries[b]!, entries[a]!];
  }
}

/** Counts of all pairs, and the words that may hold each. */
class PairCounts {
  readonly counts = new Map<number, number>();
  readonly places = new Map<number, Set<number>>();
  private readonly changed = new Set<number>();

  add(word: Word, index: number, sign: 1 | -1): void {
    for (let i = 1; i < word.ids.length; i++) {
      const key = keyOf(word.ids[i - 1]!, word.ids[i]!);
      this.counts.set(key, (this.counts.get(key) ?? 0) + sign * word.count);
      this.changed.add(key);
      if (sign < 0) continue;
      const places = this.places.get(key);
      if (places) places.add(index);
      else this.places.set(key, new Set([index]));
    }
  }

  /** Hands on the pairs whose counts changed since the last call. */
  flush(to: PairHeap): void {
    for (const key of this.changed) {
      const count = this.counts.get(key)!;
      if (count > 1) to.push(key, count);
      else if (count === 0) this.counts.delete(key);
    }
    this.changed.clear();
  }
}

function merged(ids: readonly number[], left: number, right: number, made: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) {
      out.push(made);
      i++;
    } else out.push(ids[i]!);
  }
  return out;
}

/** Merges the most frequent pair again and again. */
export function trainBpe(texts: Iterable<string>, { vocabularySize }: TrainBpeOptions): Bpe {
  const tokens = byteOrder.map((byte) => byteCharacters[byte]!);
  const merges: [string, string][] = [];
  const all = countWords(texts);
  const pairs = new PairCounts();
  const heap = new PairHeap();
  all.forEach((word, index) => {
    pairs.add(word, index, 1);
  });
  pairs.flush(heap);
  // Two different merges can spell the same token, which a vocabulary may hold only once: the later one is left out.
  const known = new Set(tokens);
  while (tokens.length < vocabularySize) {
    const top = heap.pop();
    if (!top) break;
    if (pairs.counts.get(top.key) !== top.count) continue;
    const [left, right] = [Math.floor(top.key / 2 ** 21), top.key % 2 ** 21];
    const text = tokens[left]! + tokens[right]!;
    if (known.has(text)) continue;
    known.add(text);
    merges.push([tokens[left]!, tokens[right]!]);
    tokens.push(text);
    for (const index of pairs.places.get(top.key)!) {
      const word = all[index]!;
      const ids = merged(word.ids, left, right, tokens.length - 1);
      if (ids.length === word.ids.length) continue;
      pairs.add(word, index, -1);
      word.ids = ids;
      pairs.add(word, index, 1);
    }
    pairs.places.delete(top.key);
    pairs.flush(heap);
  }
  return { tokens, merges };
}

/** Ids of `text`: in each word, the pair of the lowest rank is merged until none is left. */
export function encodeBpe(text: string, { tokens, merges }: Bpe): number[] {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const ranks = new Map(merges.map(([left, right], rank) => [`${left} ${right}`, rank]));
  const encoder = new TextEncoder();
  const rankAt = (parts: readonly string[], i: number): number => ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
  return [...wordsOf(text)].flatMap((word) => {
    const parts = Array.from(encoder.encode(word), (byte) => byteCharacters[byte]!);
    for (;;) {
      let best = 0;
      for (let i = 1; i < parts.length - 1; i++) if (rankAt(parts, i) < rankAt(parts, best)) best = i;
      if (rankAt(parts, best) === Infinity) break;
      parts.splice(best, 2, parts[best]! + parts[best + 1]!);
    }
    return parts.map((part) => ids.get(part)!);
  });
}
