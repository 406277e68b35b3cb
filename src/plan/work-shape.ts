/** What a run's costs depend on: its model, what it computes, where it keeps what, how fast this machine is. Pure. */
import type { ActivationPolicy } from '../models/activation-policy.ts';
import type { ModelConfig } from '../models/config.ts';
import type { BlockCosts } from './measure-block.ts';

/** Of a model, what its costs depend on. */
export type Shape = Pick<
  ModelConfig,
  'layers' | 'modelWidth' | 'heads' | 'kvHeads' | 'headDim' | 'feedForward' | 'vocabulary' | 'tiedHead'
> & {
  /** q and k are normed per head, and kept from before. */
  readonly qkNorms: boolean;
};

/** What a run computes. A step's figures are means over an epoch, or over its first 200 steps. */
export interface Work {
  readonly steps: number;
  readonly microBatchesPerStep: number;
  /** Tokens computed (padding included), and those that count. */
  readonly tokensPerStep: number;
  readonly realTokensPerStep: number;
  readonly supervisedPerStep: number;
  /** Tokens of the largest micro-batch. */
  readonly largestMicroBatch: number;
  readonly validations: number;
  readonly validationTokens: number;
  readonly validationSupervised: number;
  /** Of the pass that asks the base for its log-probabilities of preferences, before the first step; 0 where a method has no reference. */
  readonly referenceTokens: number;
  readonly referenceSupervised: number;
  /** Of the parity proof. */
  readonly proofTokens: number;
  /** Share of the whole time for evaluating the held-out rows at the end, at most. */
  readonly verdictShare: number;
  /** The same for asking what the result refuses; 0: it is not asked. */
  readonly safetyShare: number;
}

/** How fast this machine does it: measured, or assumed. */
export type Rates = BlockCosts;

export interface Setting {
  readonly method: 'lora' | 'full';
  readonly precision: 'f32' | 'int8';
  readonly activations: ActivationPolicy;
  /** Whether our own kernels compute the blocks. */
  readonly kernels: boolean;
  /** Blocks come from the disk, two in memory at a time; the micro-batches of a step then go through together. */
  readonly streamed: boolean;
  /** Checkpoints that are kept beside those that a run needs. */
  readonly keepEpochs: number;
  /** Weights that are trained. */
  readonly trained: number;
  /** All weights of the file, and its size. */
  readonly parameters: number;
  readonly fileBytes: number;
  /** Blocks that were measured. */
  readonly measuredBlocks: number;
  /** Size of what the parity proof compares with: a copy of the base (0 where the file serves itself), or the trained model in float32; and whether it has to be written first. */
  readonly copyBytes: number;
  readonly copyIsThere: boolean;
}

export const projectionWeightsPerBlock = ({ feedForward, headDim, heads, kvHeads, modelWidth }: Shape): number =>
  modelWidth * headDim * (2 * heads + 2 * kvHeads) + 3 * modelWidth * feedForward;

export const headWeights = ({ modelWidth, vocabulary }: Shape): number => modelWidth * vocabulary;

export const float32Bytes = 4;
