/**
 * The loss of one optimizer step as its micro-batches come in: the cross-entropy, DFT, or that of preferences. Of DFT the cross-entropy is shown: its own
 * value, -p ln p, rises at first as answers become likelier, and says nothing beside the validation.
 */
import { type PackedBatch, totalWeight } from '../batches/packed-batch.ts';
import { dynamicLoss, type TokenLoss } from '../losses/token-losses.ts';
import type { PreferenceBatch } from './preferences.ts';
import type { Loss, LossOfTokens } from './step.ts';

export interface BatchLoss {
  /** What the step takes gradients of. */
  readonly of: Loss;
  /** The batch's loss as it is shown, once all micro-batches came in, from the sum of their cross-entropies by weights. */
  readonly value: (crossEntropy: number) => number;
}

/** Of answers as they stand: a mean over the tokens of the batch by their weights. */
function tokenLoss(loss: TokenLoss, batches: readonly PackedBatch[]): BatchLoss {
  const weight = totalWeight(batches);
  const dynamic: LossOfTokens = (logp, batch) => dynamicLoss(batch, logp, 1 / weight).gradients;
  return { of: loss === 'dft' ? dynamic : 1 / weight, value: (crossEntropy) => crossEntropy / weight };
}

/** Null `preferred`: answers as they stand. */
export const batchLoss = (
  loss: TokenLoss,
  preferred: PreferenceBatch | null | undefined,
  batches: readonly PackedBatch[],
): BatchLoss => (preferred ? { of: preferred.lossOf, value: () => preferred.loss } : tokenLoss(loss, batches));
