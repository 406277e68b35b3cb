/**
 * Python's `random.Random(seed).sample`, draw for draw: which examples lm-evaluation-harness puts into a prompt is decided by it. The generator
 * is MT19937 (Matsumoto and Nishimura, 1998), seeded as CPython does. Pure.
 */

const size = 624;
const period = 397;
const twist = 0x9908b0df;
const upper = 0x80000000;
const lower = 0x7fffffff;
const wordBits = 32;
/** Of CPython's `sample`: up to so many it draws from a list, else it draws until all differ. */
const smallPool = 21;
const fewDraws = 5;

export class PythonRandom {
  private readonly state = new Uint32Array(size);
  private at = size;

  /** `seed` below 2^32. */
  constructor(seed: number) {
    const { state } = this;
    state[0] = 19650218;
    for (let i = 1; i < size; i++) state[i] = Math.imul(1812433253, state[i - 1]! ^ (state[i - 1]! >>> 30)) + i;
    let i = 1;
    const turn = (): void => {
      if (++i < size) return;
      state[0] = state[size - 1]!;
      i = 1;
    };
    for (let k = 0; k < size; k++, turn())
      state[i] = (state[i]! ^ Math.imul(state[i - 1]! ^ (state[i - 1]! >>> 30), 1664525)) + seed;
    for (let k = 1; k < size; k++, turn())
      state[i] = (state[i]! ^ Math.imul(state[i - 1]! ^ (state[i - 1]! >>> 30), 1566083941)) - i;
    state[0] = upper;
  }

  /** The next 32 bits. */
  private word(): number {
    const { state } = this;
    if (this.at === size) {
      for (let k = 0; k < size; k++) {
        const mixed = (state[k]! & upper) | (state[(k + 1) % size]! & lower);
        state[k] = state[(k + period) % size]! ^ (mixed >>> 1) ^ (mixed & 1 ? twist : 0);
      }
      this.at = 0;
    }
    let y = state[this.at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** A whole number from 0 to below `count`, which is below 2^32. */
  private below(count: number): number {
    const bits = wordBits - Math.clz32(count);
    for (;;) {
      const drawn = this.word() >>> (wordBits - bits);
      if (drawn < count) return drawn;
    }
  }

  /** `count` different ones, in the order in which they are drawn. */
  sample<T>(values: readonly T[], count: number): T[] {
    const small = smallPool + (count > fewDraws ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
    if (values.length <= small) {
      const pool = [...values];
      return Array.from({ length: count }, (_, i) => {
        const j = this.below(values.length - i);
        const drawn = pool[j]!;
        pool[j] = pool[values.length - i - 1]!;
        return drawn;
      });
    }
    const taken = new Set<number>();
    while (taken.size < count) taken.add(this.below(values.length));
    return [...taken].map((j) => values[j]!);
  }
}
