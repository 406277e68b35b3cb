/**
 * The forward half of a step: walks the blocks of a model over one micro-batch, in memory of its own that is used again and again.
 */

import type { PackedBatch } from '../batches/packed-batch.ts';
import type { ActivationPolicy } from '../models/activation-policy.ts';
import { type ProjectionGroup, projectionGroups } from '../models/block-options.ts';
import type { ModelConfig } from '../models/config.ts';
import { rotaryAngles } from '../models/weights.ts';
import { type Executor, type Feed, type Feeds, floats } from '../runtime/onnxruntime-node/executor.ts';
import { type AttentionPlan, byLength, planAttention } from './attention-plan.ts';
import { AttentionWalk, type Keep, sharesPerHead } from './attention-walk.ts';
import type { BaseWeights } from './base-weights.ts';
import { Buffers } from './buffers.ts';
import { dropoutMask } from './dropout.ts';
import type { HalfStore } from './half-store.ts';
import type { TrainedInput } from './slots.ts';
import type { Stages } from './stages.ts';

/** What follows from the lengths of a micro-batch's segments and its prefix alone. */
interface Layout {
  readonly attention: readonly AttentionPlan[];
  readonly angles: Feeds;
}

const same = (a: Int32Array, b: Int32Array): boolean => a.length === b.length && a.every((value, i) => value === b[i]);

/** What a pass over a micro-batch needs everywhere. */
export interface Pass extends Layout {
  readonly batch: PackedBatch;
  readonly rows: number;
  /** Row of this batch for each row of the batch as given: segments are walked in order of their length. */
  readonly places: Int32Array;
  /** Of the dropout masks and the int8 head's thresholds; null where nothing is trained, and without dropout. */
  readonly seed: number | null;
  /** Whether backward follows. */
  readonly saves: boolean;
  /** Which of several passes that are walked together: each has block borders of its own. */
  readonly id: number;
}

/** The hidden states of some models go beyond float16's largest number: what is saved of them stays float32, as the blocks' inputs do. */
const hiddenState = 'saved.mid';

/** Bytes of hidden states that wait between two blocks while streamed weights are evaluated with: 8,000 tokens of a 7B model take longer to compute than its blocks to read. */
export const mostBorderBytes = 256e6;
/** Of a token: a block's input and its output. */
export const borderBytes = ({ modelWidth }: Pick<ModelConfig, 'modelWidth'>): number =>
  2 * Float32Array.BYTES_PER_ELEMENT * modelWidth;

/** What a walk over a model's blocks is made of. */
export interface WalkParts {
  readonly config: ModelConfig;
  readonly base: BaseWeights;
  readonly stages: Stages;
  /** Per layer: what is trained in it. */
  readonly inputs: readonly (readonly TrainedInput[])[];
  readonly dropout: number;
  /** Where activations wait for backward: a store for policy float16. */
  readonly activations: Exclude<ActivationPolicy, 'float16'> | HalfStore;
}

/** Sees a layer's weights while they last. */
export type Observe = (layer: number, weights: Feeds) => void;

export class BlockWalk {
  protected readonly config: ModelConfig;
  protected readonly base: BaseWeights;
  protected readonly stages: Stages;
  protected readonly dropout: number;
  protected readonly inputs: readonly (readonly TrainedInput[])[];
  protected readonly recomputes: boolean;
  protected readonly half: HalfStore | null;
  protected readonly buffers = new Buffers();
  protected readonly attention: AttentionWalk;
  private latest: (Pick<PackedBatch, 'positions' | 'segmentStarts'> & { readonly layout: Layout }) | null = null;

  constructor({ activations, base, config, dropout, inputs, stages }: WalkParts) {
    this.recomputes = activations === 'recompute';
    this.half = typeof activations === 'object' ? activations : null;
    this.config = config;
    this.base = base;
    this.stages = stages;
    this.inputs = inputs;
    this.dropout = dropout;
    this.attention = new AttentionWalk(stages, config.heads, (...named) => this.array(...named));
  }

  pass(given: PackedBatch, seed: number | null, saves: boolean, id = 0): Pass {
    const { batch, places } = byLength(given);
    return { batch, rows: batch.tokens.length, ...this.layout(batch), places, seed, saves, id };
  }

  /** Rotary angles and the plan of attention, which follow from the segments: rows of one length need them once. */
  private layout(batch: PackedBatch): Layout {
    const { positions, segmentStarts } = batch;
    const { latest } = this;
    if (latest && same(latest.segmentStarts, segmentStarts) && same(latest.positions, positions)) return latest.layout;
    const { cos, sin } = rotaryAngles(positions, this.config, this.base.ropeFactors);
    const shape = [positions.length, this.config.headDim / 2];
    const angles = new Map([['cos', floats(cos, shape)], ['sin', floats(sin, shape)]]); // biome-ignore format: one line reads best
    const layout = { angles, attention: planAttention(batch) };
    this.latest = { segmentStarts, positions, layout };
    return layout;
  }

  /** An array [rows, width] of the step's own, as a feed. */
  protected array(name: string, rows: number, width: number): Feed {
    return floats(this.buffers.take(name, rows * width), [rows, width]);
  }

  /** A layer's activation: kept until backward where backward follows, else in memory that layers share. */
  protected kept(pass: Pass, layer: number, name: string): Feed {
    const width = this.width(name);
    return floats(this.keep(pass, layer)(name, pass.rows * width), [pass.rows, width]);
  }

  protected keep({ saves }: Pass, layer: number): Keep {
    const own = saves && !this.recomputes;
    return (name, length) =>
      saves && this.half && name !== hiddenState
        ? this.half.take(name, length)
        : this.buffers.take(own ? `${layer}.${name}` : name, length);
  }

  /** Room for a pass in the float16 store. */
  private beginHalf({ attention, rows, saves }: Pass): void {
    if (!this.half || !saves) return;
    const { postForward, preForward } = this.stages;
    const names = ['q', 'k', 'v', 'o', ...preForward.outputs, ...postForward.outputs];
    const widths = [...new Set(names)].reduce((sum, name) => sum + this.width(name), 0);
    this.half.begin(rows * widths + this.config.heads * sharesPerHead(attention));
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

  /** A block's input; where backward does not follow, two arrays take turns. */
  protected border({ id, rows, saves }: Pass, layer: number): Feed {
    return this.array(`${id}.x.${saves ? layer : layer % 2}`, rows, this.config.modelWidth);
  }

  /** What the layer's graphs read beside activations, of its weights. */
  protected layerFeeds({ angles, rows, seed }: Pass, layer: number, weights: Feeds): Map<string, Feed> {
    const feeds = new Map([...weights, ...angles]);
    for (const { name, feed } of this.inputs[layer]!) feeds.set(name, feed);
    if (this.dropout === 0) return feeds;
    (Object.keys(projectionGroups) as ProjectionGroup[]).forEach((group, stream) => {
      const width = this.width(`mask.${group}`);
      const rate = seed === null ? 0 : this.dropout;
      feeds.set(`mask.${group}`, floats(dropoutMask(rows * width, rate, seed ?? 0, layer * 4 + stream), [rows, width]));
    });
    return feeds;
  }

  protected savedFeeds(pass: Pass, layer: number, stage: Executor, into: Map<string, Feed>): void {
    for (const name of stage.outputs) if (name.startsWith('saved.')) into.set(name, this.kept(pass, layer, name));
  }

  /**
   * Takes the passes through the blocks together, so that each block's weights are asked for once; returns their hidden states after
   * the last block, [N, D] each, rows in the passes' own order.
   */
  protected async walk(passes: readonly Pass[], observe?: Observe): Promise<Float32Array[]> {
    const { layers } = this.config;
    for (const inputs of this.inputs) for (const input of inputs) input.refresh();
    for (const pass of passes) {
      this.base.embed(pass.batch.tokens, this.border(pass, 0).data as Float32Array);
      this.beginHalf(pass);
    }
    for (let layer = 0; layer < layers; layer++) {
      const weights = await this.base.layer(layer, Math.min(layer + 1, layers - 1));
      observe?.(layer, weights);
      for (const pass of passes) {
        const feeds = this.layerFeeds(pass, layer, weights).set('x', this.border(pass, layer));
        await this.block(pass, layer, feeds, this.border(pass, layer + 1));
        if (pass.saves) await this.half?.put(layer);
      }
    }
    return passes.map((pass) => this.border(pass, layers).data as Float32Array);
  }

  /** One block from `x` of the feeds to y. */
  protected async block(pass: Pass, layer: number, feeds: Feeds, y: Feed): Promise<void> {
    const { postForward, preForward } = this.stages;
    const results = new Map(['q', 'k', 'v', 'o'].map((name) => [name, this.kept(pass, layer, name)]));
    const heads = new Map(results);
    results.set('y', y);
    for (const stage of [preForward, postForward]) this.savedFeeds(pass, layer, stage, results);
    await preForward.run(feeds, results);
    await this.attention.forward(pass.attention, heads, this.keep(pass, layer));
    await postForward.run(new Map([...feeds, ...results]), results);
  }
}
