/**
 * The forward pass of a step: through the blocks of a model with one micro-batch, in memory of its own that is used again and again.
 */

import type { PackedBatch } from '../batches/packed-batch.ts';
import type { ActivationPolicy } from '../models/activation-policy.ts';
import { type ProjectionGroup, projectionGroups } from '../models/block-options.ts';
import type { ModelConfig } from '../models/config.ts';
import { rotaryAngles } from '../models/weights.ts';
import type { Stage } from '../runtime/native/block-stages.ts';
import { floats, type Tensor, type Tensors } from '../runtime/onnxruntime-node/executor.ts';
import {
  type Attention,
  type AttentionLayout,
  AttentionPass,
  type Keep,
  probabilitiesPerHead,
} from './attention-pass.ts';
import { byLength, planAttention } from './attention-plan.ts';
import type { BaseWeights } from './base-weights.ts';
import { Buffers } from './buffers.ts';
import { dropoutMask } from './dropout.ts';
import type { HalfStore } from './half-store.ts';
import { KernelAttention, logSums } from './kernel-attention.ts';
import { addNoise } from './neftune.ts';
import { queryRanges } from './query-ranges.ts';
import type { TrainedInput } from './slots.ts';
import type { Stages } from './stages.ts';

/** What follows from the lengths of a micro-batch's segments and its prefix alone. */
interface Layout extends AttentionLayout {
  readonly angles: Tensors;
}

const same = (a: Int32Array, b: Int32Array): boolean => a.length === b.length && a.every((value, i) => value === b[i]);

/** A pass over one micro-batch, forward and backward: what all parts of it need. */
export interface Pass extends Layout {
  readonly batch: PackedBatch;
  readonly rows: number;
  /** Row of this batch for each row of the batch as given: segments are computed in order of their length. */
  readonly permutation: Int32Array;
  /** Of the dropout masks, the noise on embeddings and the int8 head's thresholds; null where nothing is trained, and without dropout. */
  readonly seed: number | null;
  /** Whether backward follows. */
  readonly saves: boolean;
  /** Which of several passes that are made together: each has hidden states of its own. */
  readonly id: number;
}

/**
 * What stays float32 in any case: the hidden states of some models go beyond float16's largest number, as the blocks' inputs do, and of the sums'
 * logarithms each error is one of the probabilities.
 */
const neverHalf: readonly string[] = ['saved.mid', logSums];

/** Bytes of hidden states that wait between two blocks while streamed weights are evaluated with: 8,000 tokens of a 7B model take longer to compute than its blocks to read. */
export const maxHiddenBytes = 256e6;
/** Of a token: a block's input and its output. */
export const hiddenBytes = ({ modelWidth }: Pick<ModelConfig, 'modelWidth'>): number =>
  2 * Float32Array.BYTES_PER_ELEMENT * modelWidth;

/** What a forward pass is made of. */
export interface ForwardParts {
  readonly config: ModelConfig;
  readonly base: BaseWeights;
  readonly stages: Stages;
  /** Per layer: what is trained in it. */
  readonly trainedInputs: readonly (readonly TrainedInput[])[];
  readonly dropout: number;
  /** Noise on the embedded tokens in training (neftune.ts); default: 0, none. */
  readonly neftuneAlpha?: number | undefined;
  /** Where activations wait for backward: a store for policy float16. */
  readonly activations: Exclude<ActivationPolicy, 'float16'> | HalfStore;
}

/** Sees a layer's weights while they last. */
export type Observe = (layer: number, weights: Tensors) => void;

export class ForwardPass {
  protected readonly config: ModelConfig;
  protected readonly base: BaseWeights;
  protected readonly stages: Stages;
  protected readonly dropout: number;
  private readonly neftuneAlpha: number;
  protected readonly trainedInputs: readonly (readonly TrainedInput[])[];
  protected readonly recomputes: boolean;
  protected readonly half: HalfStore | null;
  protected readonly buffers = new Buffers();
  protected readonly attention: Attention;
  private latest: (Pick<PackedBatch, 'positions' | 'segmentStarts'> & { readonly layout: Layout }) | null = null;

  constructor({ activations, base, config, dropout, neftuneAlpha = 0, trainedInputs, stages }: ForwardParts) {
    this.recomputes = activations === 'recompute';
    this.half = typeof activations === 'object' ? activations : null;
    this.config = config;
    this.base = base;
    this.stages = stages;
    this.trainedInputs = trainedInputs;
    this.dropout = dropout;
    this.neftuneAlpha = neftuneAlpha;
    this.attention = stages.attention.kernels
      ? new KernelAttention(stages.attention.kernels, config.heads)
      : new AttentionPass(stages.attention, config.heads, (...named) => this.array(...named));
  }

  pass(given: PackedBatch, seed: number | null, saves: boolean, id = 0): Pass {
    const { batch, permutation } = byLength(given);
    return { batch, rows: batch.tokens.length, ...this.layout(batch), permutation, seed, saves, id };
  }

  /** Rotary angles and the plan of attention, which follow from the segments: rows of one length need them once. */
  private layout(batch: PackedBatch): Layout {
    const { positions, segmentStarts } = batch;
    const { latest } = this;
    if (latest && same(latest.segmentStarts, segmentStarts) && same(latest.positions, positions)) return latest.layout;
    const { cos, sin } = rotaryAngles(positions, this.config, this.base.ropeFactors);
    const shape = [positions.length, this.config.headDim / 2];
    const angles = new Map([
      ['cos', floats(cos, shape)],
      ['sin', floats(sin, shape)],
    ]);
    const { kernels } = this.stages.attention;
    const ranges = kernels ? queryRanges(batch) : new Int32Array();
    const attention = kernels ? [] : planAttention(batch);
    const layout = { angles, attention, ranges };
    this.latest = { segmentStarts, positions, layout };
    return layout;
  }

  /** An array [rows, width] of the step's own, as a tensor. */
  protected array(name: string, rows: number, width: number): Tensor {
    return floats(this.buffers.take(name, rows * width), [rows, width]);
  }

  /** A layer's activation: kept until backward where backward follows, else in memory that layers share. */
  protected kept(pass: Pass, layer: number, name: string): Tensor {
    const width = this.width(name);
    return floats(this.keep(pass, layer)(name, pass.rows * width), [pass.rows, width]);
  }

  protected keep({ saves }: Pass, layer: number): Keep {
    const own = saves && !this.recomputes;
    return (name, length) =>
      saves && this.half && !neverHalf.includes(name)
        ? this.half.take(name, length)
        : this.buffers.take(own ? `${layer}.${name}` : name, length);
  }

  /** Room for a pass in the float16 store. */
  private beginHalf({ attention, rows, saves }: Pass): void {
    if (!this.half || !saves) return;
    const { postForward, preForward } = this.stages;
    const names = ['q', 'k', 'v', 'o', ...preForward.outputs, ...postForward.outputs];
    const widths = [...new Set(names)].reduce((sum, name) => sum + this.width(name), 0);
    this.half.begin(rows * widths + this.config.heads * probabilitiesPerHead(attention));
  }

  /** Columns of an activation. */
  protected width(name: string): number {
    const { feedForward, headDim, heads, kvHeads, modelWidth } = this.config;
    const last = name.replace(/^saved\.|^mask\./, '');
    if (last === 'q' || last === 'o' || last === 'attn_q_raw') return heads * headDim;
    if (last === 'k' || last === 'v' || last === 'attn_k_raw') return kvHeads * headDim;
    if (last === 'gate' || last === 'up' || last === 'down') return feedForward;
    return modelWidth;
  }

  /** The hidden states that enter a layer, the last block's output behind all; where backward does not follow, two arrays take turns. */
  protected hiddenStates({ id, rows, saves }: Pass, layer: number): Tensor {
    return this.array(`${id}.x.${saves ? layer : layer % 2}`, rows, this.config.modelWidth);
  }

  /** The embedded tokens [N, D], which enter the first layer. */
  protected embedded(pass: Pass): Float32Array {
    const { batch, saves, seed } = pass;
    const x = this.hiddenStates(pass, 0).data as Float32Array;
    this.base.embed(batch.tokens, x);
    if (this.neftuneAlpha > 0 && saves && seed !== null) addNoise(x, batch, { alpha: this.neftuneAlpha, seed });
    return x;
  }

  /** What the layer's graphs read beside activations, of its weights. */
  protected layerInputs({ angles, rows, seed }: Pass, layer: number, weights: Tensors): Map<string, Tensor> {
    const inputs = new Map([...weights, ...angles]);
    for (const { name, tensor } of this.trainedInputs[layer]!) inputs.set(name, tensor);
    if (this.dropout === 0) return inputs;
    (Object.keys(projectionGroups) as ProjectionGroup[]).forEach((group, stream) => {
      const width = this.width(`mask.${group}`);
      const rate = seed === null ? 0 : this.dropout;
      inputs.set(
        `mask.${group}`,
        floats(dropoutMask(rows * width, rate, seed ?? 0, layer * 4 + stream), [rows, width]),
      );
    });
    return inputs;
  }

  protected savedTensors(pass: Pass, layer: number, stage: Stage, outputs: Map<string, Tensor>): void {
    for (const name of stage.outputs) if (name.startsWith('saved.')) outputs.set(name, this.kept(pass, layer, name));
  }

  /**
   * Takes the passes through the blocks together, so that each block's weights are asked for once; returns their hidden states after
   * the last block, [N, D] each, rows in the passes' own order.
   */
  protected async forward(passes: readonly Pass[], observe?: Observe): Promise<Float32Array[]> {
    for await (const _ of this.blocks(passes, observe));
    return passes.map((pass) => this.hiddenStates(pass, this.config.layers).data as Float32Array);
  }

  /** The same block by block: what was made of a block is there until the next one is asked for. */
  protected async *blocks(
    passes: readonly Pass[],
    observe?: Observe,
  ): AsyncGenerator<{ readonly layer: number; readonly weights: Tensors }> {
    const { layers } = this.config;
    for (const layer of this.trainedInputs) for (const input of layer) input.refresh();
    for (const pass of passes) {
      this.embedded(pass);
      this.beginHalf(pass);
    }
    for (let layer = 0; layer < layers; layer++) {
      const weights = await this.base.layer(layer, Math.min(layer + 1, layers - 1));
      observe?.(layer, weights);
      for (const pass of passes) {
        const inputs = this.layerInputs(pass, layer, weights).set('x', this.hiddenStates(pass, layer));
        await this.block(pass, layer, inputs, this.hiddenStates(pass, layer + 1));
        if (pass.saves) await this.half?.put(layer);
      }
      yield { layer, weights };
    }
  }

  /** One block from `x` of the inputs to y. */
  protected async block(pass: Pass, layer: number, inputs: Tensors, y: Tensor): Promise<void> {
    const { postForward, preForward } = this.stages;
    const results = new Map(['q', 'k', 'v', 'o'].map((name) => [name, this.kept(pass, layer, name)]));
    const heads = new Map(results);
    results.set('y', y);
    for (const stage of [preForward, postForward]) this.savedTensors(pass, layer, stage, results);
    await preForward.run(inputs, results);
    await this.attention.forward(pass, heads, this.keep(pass, layer));
    await postForward.run(new Map([...inputs, ...results]), results);
  }
}
