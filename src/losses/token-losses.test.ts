/** Losses of single tokens against their plain definitions; TRL's 20 steps are held by src/train/token-losses.test.ts. */
import { expect, test } from 'vitest';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { crossEntropy, dynamicLoss } from './token-losses.ts';

const batch = (weights?: Float32Array): PackedBatch => ({
  tokens: Int32Array.of(1, 2, 3, 4, 5),
  positions: Int32Array.of(0, 1, 2, 0, 1),
  segmentStarts: Int32Array.of(0, 3, 5),
  supervised: Uint8Array.of(0, 1, 1, 1, 1),
  realTokens: 5,
  supervisedTokens: 3,
  ...(weights ? { weights } : {}),
});
const logp = Float32Array.of(-0.5, -3, -1);
/** Of tokens 1, 2 and 4: nothing predicts the first of a row. */
const weights = Float32Array.of(9, 2, 0.5, 9, 0);

test('DFT weights each token by its own probability, which is a constant', () => {
  const { gradients, sum } = dynamicLoss(batch(), logp, 0.25);
  const p = logp.map(Math.exp);
  expect(sum).toBeCloseTo(-p[0]! * -0.5 - p[1]! * -3 - p[2]! * -1, 6);
  gradients.forEach((gradient, i) => {
    expect(gradient).toBeCloseTo(-0.25 * p[i]!, 6);
  });
});

test('weights multiply both losses', () => {
  const { gradients, sum } = dynamicLoss(batch(weights), logp, 1);
  expect(sum).toBeCloseTo(2 * 0.5 * Math.exp(-0.5) + 0.5 * 3 * Math.exp(-3), 6);
  expect(gradients[2]).toBeCloseTo(0, 12);
  expect(gradients[1]).toBeCloseTo(-0.5 * Math.exp(-3), 6);
  expect(crossEntropy(batch(weights), logp)).toBeCloseTo(2 * 0.5 + 0.5 * 3, 6);
  expect(crossEntropy(batch(), logp)).toBeCloseTo(4.5, 6);
});
