/**
 * Losses of single tokens: from the log-probabilities of a micro-batch's learnt tokens, in the order of the batch, to a sum of losses and its
 * gradients. Pure.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';

/** `cross-entropy`, or `dft`: each token's counts by its own probability (https://arxiv.org/abs/2508.05629). */
export type TokenLoss = 'cross-entropy' | 'dft';
/** What a run that learns answers as they stand minimises. */
export const tokenLosses = ['cross-entropy', 'dft'] as const satisfies readonly TokenLoss[];

/** Rows that are predicted and learnt, in order. */
export function targetsOf({ positions, supervised }: PackedBatch): number[] {
  const targets: number[] = [];
  supervised.forEach((on, n) => {
    if (on && positions[n]! > 0) targets.push(n);
  });
  return targets;
}

/** The sum of the targets' losses, nats, by their weights. */
export function crossEntropy(batch: PackedBatch, logp: Float32Array): number {
  let sum = 0;
  const { weights } = batch;
  if (!weights) for (const value of logp) sum -= value;
  else
    targetsOf(batch).forEach((n, i) => {
      sum -= weights[n]! * logp[i]!;
    });
  return sum;
}

/**
 * Dynamic fine-tuning (DFT, https://arxiv.org/abs/2508.05629): each token's cross-entropy times the probability that the model gives it, which is
 * taken as a constant. It takes out of the gradient of the cross-entropy the 1 / p that makes unlikely tokens pull hardest. `scale` is 1 over
 * what all tokens of the batch count; returns the sum of -p ln p by weights, unscaled, and the gradients with respect to ln p, scaled.
 */
export function dynamicLoss(
  batch: PackedBatch,
  logp: Float32Array,
  scale: number,
): { readonly sum: number; readonly gradients: Float32Array } {
  const { weights } = batch;
  const targets = weights ? targetsOf(batch) : null;
  const gradients = new Float32Array(logp.length);
  let sum = 0;
  for (let i = 0; i < logp.length; i++) {
    const counts = Math.exp(logp[i]!) * (weights ? weights[targets![i]!]! : 1);
    sum -= counts * logp[i]!;
    gradients[i] = -scale * counts;
  }
  return { sum, gradients };
}
