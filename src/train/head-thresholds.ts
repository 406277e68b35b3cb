/** Thresholds by which the int8 head rounds probabilities up or down. Pure. */
import { randomUint32 } from '../batches/random.ts';

const goldenRatio = (Math.sqrt(5) - 1) / 2;

export class HeadThresholds {
  private readonly vocabulary: number;
  private readonly twice: Float32Array;

  constructor(vocabulary: number) {
    this.vocabulary = vocabulary;
    // Multiples of the golden ratio, less their whole part, fill the interval evenly wherever one begins.
    this.twice = Float32Array.from({ length: 2 * vocabulary }, (_, i) => ((i * goldenRatio) % 1) - 0.5);
  }

  /**
   * One in -1/2 .. 1/2 for each token of the vocabulary; others for each seed and call. With the same ones in every call, a token would always be
   * rounded to the same side, and the steps of a run would add up what single calls get wrong.
   */
  of(seed: number, call: number): Float32Array {
    const first = randomUint32(seed, call) % this.vocabulary;
    return this.twice.subarray(first, first + this.vocabulary);
  }
}
