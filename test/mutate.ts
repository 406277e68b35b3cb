/**
 * Files as damage leaves them, for tests of readers. Promises: the same mutants for the same bytes and seed; a mutant
 * shares no memory with the original. Does not know what the bytes mean: give it some of every kind.
 */
import { Random } from '../src/batches/random.ts';

/**
 * Bytes that mean something in text, numbers and headers: quotes, brackets, line ends, zero, the largest byte, parts of
 * a byte order mark.
 */
const telling = [
  0x00, 0x01, 0x7f, 0x80, 0xff, 0xef, 0xbb, 0xbf, 0x22, 0x5b, 0x5d, 0x7b, 0x7d, 0x2c, 0x3b, 0x0a, 0x0d, 0x09, 0x5c,
];
/** As long as a damaged stretch gets. */
const stretch = 32;
/** Brackets in a row, deeper than a reader that calls itself can go. */
const deep = 20_000;

type Change = (bytes: Uint8Array, random: Random) => Uint8Array;

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
const place = (bytes: Uint8Array, random: Random): number => random.below(bytes.length);
const length = (random: Random): number => 1 + random.below(stretch);

function replaced(bytes: Uint8Array, at: number, by: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.set(by.slice(0, bytes.length - at), at);
  return copy;
}

const changes: Readonly<Record<string, Change>> = {
  'a bit flipped': (bytes, random) => {
    const at = place(bytes, random);
    return replaced(bytes, at, [bytes[at]! ^ (1 << random.below(8))]);
  },
  'a byte replaced': (bytes, random) => replaced(bytes, place(bytes, random), [random.below(256)]),
  'a telling byte': (bytes, random) => replaced(bytes, place(bytes, random), [telling[random.below(telling.length)]!]),
  'a large number': (bytes, random) =>
    replaced(
      bytes,
      place(bytes, random),
      Array(random.below(2) === 0 ? 4 : 8).fill(random.below(2) === 0 ? 0xff : 0x7f),
    ),
  'the end cut off': (bytes, random) => bytes.slice(0, place(bytes, random)),
  'the beginning cut off': (bytes, random) => bytes.slice(place(bytes, random)),
  'a part removed': (bytes, random) => {
    const at = place(bytes, random);
    return joined(bytes.subarray(0, at), bytes.subarray(at + length(random)));
  },
  'a part doubled': (bytes, random) => {
    const at = place(bytes, random);
    return joined(bytes.subarray(0, at + length(random)), bytes.subarray(at));
  },
  'bytes inserted': (bytes, random) => {
    const at = place(bytes, random);
    const inserted = Uint8Array.from({ length: length(random) }, () => random.below(256));
    return joined(bytes.subarray(0, at), inserted, bytes.subarray(at));
  },
  'a part zeroed': (bytes, random) => replaced(bytes, place(bytes, random), Array(length(random)).fill(0)),
  'both ends exchanged': (bytes, random) => {
    const at = place(bytes, random);
    return joined(bytes.subarray(at), bytes.subarray(0, at));
  },
  'the file twice': (bytes) => joined(bytes, bytes),
  'many brackets': (bytes, random) => {
    const at = place(bytes, random);
    return joined(
      bytes.subarray(0, at),
      new Uint8Array(deep).fill(random.below(2) === 0 ? 0x5b : 0x7b),
      bytes.subarray(at),
    );
  },
};
const names = Object.keys(changes);

export interface Mutant {
  readonly bytes: Uint8Array;
  /** What was done to it, for messages. */
  readonly how: string;
}

/** `count` mutants of a file, each with one to four changes. */
export function* mutations(bytes: Uint8Array, seed: number, count: number): Generator<Mutant> {
  const random = new Random(seed);
  for (let i = 0; i < count; i++) {
    let mutant = Uint8Array.from(bytes) as Uint8Array;
    const how: string[] = [];
    for (let left = 1 + random.below(4); left > 0 && mutant.length > 0; left--) {
      const name = names[random.below(names.length)]!;
      mutant = changes[name]!(mutant, random);
      how.push(name);
    }
    yield { bytes: mutant, how: how.join(', ') };
  }
}
