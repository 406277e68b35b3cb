/**
 * The loss of single answers that were found good or bad (KTO, https://arxiv.org/abs/2402.01306, in TRL's form): from an answer's
 * log-probability to the loss and its gradient. Pure.
 */
import { type AnswerScore, sigmoid } from './pair-losses.ts';

export interface LabelledLossOptions {
  readonly beta: number;
  /** What good and bad answers count. */
  readonly desirableWeight: number;
  readonly undesirableWeight: number;
}

export interface LabelledLoss {
  readonly loss: number;
  /** With respect to the answer's log-probability. */
  readonly gradient: number;
  readonly reward: number;
}

/** `divergence`: how far the model is from its reference, nats, at least 0; a constant to the gradient. */
export function labelledLoss(
  { logProbability, reference }: AnswerScore,
  good: boolean,
  divergence: number,
  { beta, desirableWeight, undesirableWeight }: LabelledLossOptions,
): LabelledLoss {
  const ratio = logProbability - reference;
  const [sign, weight] = good ? [1, desirableWeight] : [-1, undesirableWeight];
  const value = sigmoid(sign * beta * (ratio - divergence));
  return {
    loss: weight * (1 - value),
    gradient: -weight * sign * beta * value * (1 - value),
    reward: beta * ratio,
  };
}
