/**
 * Dropout masks from a counter: equal seeds give equal masks, so backward and a resumed run see the same ones. Pure.
 * PEFT draws one mask per adapted module; here modules with the same input (q, k, v; gate, up) share one.
 */

/** 32-bit mix of a counter (the finaliser of MurmurHash3): every bit of the input changes half of the output's. */
export function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** `count` factors: 0 with probability `rate`, else 1 / (1 - rate). */
export function dropoutMask(count: number, rate: number, seed: number, stream: number): Float32Array {
  const mask = new Float32Array(count);
  if (rate === 0) return mask.fill(1);
  const key = mix(mix(seed) ^ Math.imul(stream + 1, 0x9e3779b1));
  const threshold = rate * 2 ** 32;
  const kept = 1 / (1 - rate);
  for (let i = 0; i < count; i++) mask[i] = mix(key + Math.imul(i, 0x9e3779b1)) < threshold ? 0 : kept;
  return mask;
}
