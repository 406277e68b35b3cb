/**
 * Gradients made small enough to keep and compare: a sparse random projection (count sketch; Weinberger et al., "Feature Hashing for
 * Large Scale Multitask Learning", ICML 2009). Each number is added, with a sign, to one of a few thousand places, both by a hash of
 * where it stands; products of gradients keep their expected value, with a standard deviation of about one over the root of the places. Pure.
 */

/** Places, as LESS has them (arXiv 2402.04333): cosines scatter by 0.011. */
export const sketchSize = 8192;

/** 32-bit mix of a counter (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Of tensors in their order; equal seeds project alike. Unit length, but for gradients of zero. */
export function sketchOf(gradients: readonly Float32Array[], seed: number, size = sketchSize): Float64Array {
  const sketch = new Float64Array(size);
  let at = mix(seed);
  for (const gradient of gradients)
    for (let i = 0; i < gradient.length; i++) {
      const hash = mix(at++);
      // The sign is not of the bits that the place is.
      sketch[(hash >>> 1) % size]! += hash & 1 ? gradient[i]! : -gradient[i]!;
    }
  const length = Math.sqrt(sketch.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? sketch : sketch.map((value) => value / length);
}
