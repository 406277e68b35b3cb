/**
 * NEFTune (https://arxiv.org/abs/2310.05914): noise on the embedded tokens while training, as regularization. Pure, and a function of the seed:
 * a resumed run and recomputed activations see the same.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';
import { mix } from './dropout.ts';

/** Of the streams of a seed; dropout's are small numbers. */
const stream = 0x4e4546;

/**
 * Adds noise to x [N, D]: uniform between -m and m, m = alpha / sqrt(T D) with T the tokens of each row's own segment. The same for
 * all trained tokens of a micro-batch, whatever its rows are.
 */
export function addNoise(
  x: Float32Array,
  { segmentStarts, tokens }: Pick<PackedBatch, 'segmentStarts' | 'tokens'>,
  { alpha, seed }: { readonly alpha: number; readonly seed: number },
): void {
  const width = x.length / tokens.length;
  const key = mix(mix(seed) ^ Math.imul(stream, 0x9e3779b1));
  for (let s = 0; s + 1 < segmentStarts.length; s++) {
    const [from, to] = [segmentStarts[s]! * width, segmentStarts[s + 1]! * width];
    const most = alpha / Math.sqrt(to - from);
    for (let i = from; i < to; i++) x[i]! += most * ((2 * mix(key + Math.imul(i, 0x9e3779b1))) / 2 ** 32 - 1);
  }
}
