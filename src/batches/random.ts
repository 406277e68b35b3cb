/**
 * Random numbers as a pure function of a seed and counters: no hidden state, so that anything random can be repeated or resumed
 * anywhere. Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011);
 * the tests hold its published vectors. Not for cryptography. Pure.
 */

const multipliers = [0xd2511f53, 0xcd9e8d57] as const;
/** Key increments of a round: the golden ratio and sqrt(3) - 1. */
const weyl = [0x9e3779b9, 0xbb67ae85] as const;
const rounds = 10;

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit numbers, by 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** One block: four 32-bit numbers from a counter of four and a key of two. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const [high0, low0] = [multiplyHigh(multipliers[0], c0 >>> 0), Math.imul(multipliers[0], c0)];
    const [high1, low1] = [multiplyHigh(multipliers[1], c2 >>> 0), Math.imul(multipliers[1], c2)];
    [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0];
    k0 = (k0 + weyl[0]) | 0;
    k1 = (k1 + weyl[1]) | 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** Both halves of a whole number up to 2^53, so that large seeds differ from small ones. */
const keyOf = (seed: number): [number, number] => [seed | 0, Math.floor(seed / 2 ** 32) | 0];

/** A uniform 32-bit number that `seed` and up to three counters name. */
export function randomUint32(seed: number, a = 0, b = 0, c = 0): number {
  return philox([a, b, c, 0], keyOf(seed))[0];
}

/** The numbers of one stream of a seed, one after the other; streams of one seed are independent. */
export class Random {
  private readonly key: [number, number];
  private readonly stream: number;
  private block = 0;
  private numbers: number[] = [];

  constructor(seed: number, stream = 0) {
    this.key = keyOf(seed);
    this.stream = stream;
  }

  /** 0 .. 2^32 - 1. */
  uint32(): number {
    if (this.numbers.length === 0) this.numbers = philox([this.block++, this.stream, 0, 1], this.key).reverse();
    return this.numbers.pop()!;
  }

  /** In [0, 1), in steps of 2^-32. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** 0 .. count - 1, each equally likely: numbers beyond the last whole multiple of `count` are drawn again. */
  below(count: number): number {
    const limit = 2 ** 32 - (2 ** 32 % count);
    for (;;) {
      const number = this.uint32();
      if (number < limit) return number % count;
    }
  }
}

/** Uniform numbers in [0, 1) from a seed. */
export function seededRandom(seed: number): () => number {
  const random = new Random(seed);
  return () => random.uniform();
}
