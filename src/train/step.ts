/**
 * What the trainer asks of a model: loss and gradients of one micro-batch. It knows nothing of data sets, optimizers or files.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';

/** A trainable tensor and the place where its gradient accumulates. Both arrays live as long as the step and are changed in place. */
export interface Parameter {
  /** PEFT's name of the tensor for LoRA, transformers' for base weights. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly value: Float32Array;
  readonly gradient: Float32Array;
  /** Whether weight decay applies (matrices yes, norms and biases no). */
  readonly decays: boolean;
}

/**
 * A loss that is a function of the log-probabilities [supervised tokens] of a micro-batch, in the order of the batch: returns its gradient
 * with respect to each of them. The log-probabilities lie in memory that lasts no longer than the call.
 */
export type LossOfTokens = (logProbabilities: Float32Array, batch: PackedBatch) => Float32Array;

/**
 * What gradients are of: a number scales the cross-entropy, whose weights are known before anything is computed, so that forward and
 * backward of the head are one call; all else is a function of the log-probabilities.
 */
export type Loss = number | LossOfTokens;

export interface MicroBatchLoss {
  /** Sum of the supervised tokens' losses, nats. */
  readonly lossSum: number;
  readonly supervisedTokens: number;
}

export interface TrainStep {
  readonly parameters: readonly Parameter[];
  /** Sets all gradients to zero. */
  clearGradients(): void;
  /**
   * Forward and backward of micro-batches. Adds the gradient of the loss to every parameter's gradient: with a number, of the
   * cross-entropy's sum times that. With 1 / (supervised tokens of the whole batch), accumulating micro-batches equals the whole batch
   * (in int8 but for rounding). A function wants a head that is not trained, as beside an adapter.
   * `seeds`, one a micro-batch, name what is random in it, dropout masks, noise on embeddings and an int8 head's thresholds: equal seeds give equal gradients.
   */
  accumulate(batches: readonly PackedBatch[], loss: Loss, seeds: readonly number[]): Promise<MicroBatchLoss>;
  /** Log-probability (nats) of every supervised token of each batch in order, no dropout, no gradient. */
  logProbabilities(batches: readonly PackedBatch[]): Promise<Float32Array[]>;
  /** Whether all micro-batches of a step should come in one call, because the weights are read from the disk each time. */
  readonly together: boolean;
  /** Tokens that one call of `logProbabilities` should be given at most, beyond its first micro-batch: none where weights are at hand (evaluationCalls). */
  readonly evaluatedTogether: number;
  /** Lets go of what micro-batches that did not fit have taken; smaller ones take it anew. */
  release(): Promise<void>;
  /** Frees engine memory; the step is unusable afterwards. */
  close(): Promise<void>;
}

/** Micro-batches as `logProbabilities` should be given them: so many in a call that weights from the disk are seldom read, and their hidden states fit into memory. */
export function evaluationCalls(
  { evaluatedTogether }: Pick<TrainStep, 'evaluatedTogether'>,
  batches: readonly PackedBatch[],
): PackedBatch[][] {
  const calls: PackedBatch[][] = [];
  let tokens = 0;
  for (const batch of batches) {
    tokens += batch.tokens.length;
    const call = calls.at(-1);
    if (call && tokens <= evaluatedTogether) call.push(batch);
    else {
      calls.push([batch]);
      tokens = batch.tokens.length;
    }
  }
  return calls;
}
