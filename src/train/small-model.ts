/**
 * The step of a small model in one call: forward, head and backward over a micro-batch whose rows are all of about one length. There
 * the two dozen calls of going block by block, each of which wakes the engine's threads, cost as much as what they compute.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';
import type { BlockOptions } from '../models/block-options.ts';
import { type ModelConfig, projectionWeights } from '../models/config.ts';
import { smallModel } from '../models/small-model-graph.ts';
import { Executor, floats, integers, type Tensor, type Tensors } from '../runtime/onnxruntime-node/executor.ts';
import type { AttentionPlan } from './attention-plan.ts';
import type { BaseWeights } from './base-weights.ts';
import { Buffers } from './buffers.ts';
import type { Pass } from './forward-pass.ts';
import type { TrainedInput } from './slots.ts';

/** Up to this many weights in the blocks a model is small: beyond, arithmetic takes most of the time and one call saves little. */
const smallWeights = 16e6;
/** Activations and logits of a micro-batch are all held at once: those of larger ones are computed block by block. */
const maxActivations = 64e6;

/** The one call computes the head on all rows; where too few are supervised, in a large vocabulary, that is not worth it: share of the blocks' work. */
const maxIdleHead = 0.2;

export interface SmallModelArrays {
  /** Embedded rows [N, D]. */
  readonly x: Float32Array;
  /** Their gradient is left here. */
  readonly dx: Float32Array;
  /** What is trained of each layer, which gradients are added to. */
  readonly trainedInputs: readonly (readonly TrainedInput[])[];
  /** Gradients of what is trained outside of the layers, by name, which are added to as well. */
  readonly outer: Tensors;
}

export class SmallModel {
  private readonly config: ModelConfig;
  private readonly options: BlockOptions;
  private readonly threads: number;
  private readonly base: BaseWeights;
  private readonly buffers = new Buffers();
  private readonly graphs = new Map<string, Executor>();

  /** `options` of the blocks; float32 only, without dropout. */
  constructor(config: ModelConfig, options: BlockOptions, threads: number, base: BaseWeights) {
    this.config = config;
    this.options = options;
    this.threads = threads;
    this.base = base;
  }

  /** Whether models of this kind can be taken so. */
  static suits(config: ModelConfig, { dropout, precision }: Pick<BlockOptions, 'dropout' | 'precision'>): boolean {
    return precision === 'f32' && !dropout && projectionWeights(config) <= smallWeights;
  }

  /** Whether this micro-batch can: no prefix, one size of tiles, no longer segments, a head that is mostly needed, and small enough. */
  takes({ attention, batch, rows }: Pass): boolean {
    const [{ chunks, tiles }, further] = attention as [AttentionPlan, AttentionPlan?];
    if (further) return false;
    const { feedForward, heads, layers, modelWidth, vocabulary } = this.config;
    const idle = (rows - batch.supervisedTokens) * modelWidth * vocabulary;
    if (idle > maxIdleHead * rows * projectionWeights(this.config)) return false;
    const tile = tiles[0]?.tile ?? 0;
    const held = layers * (8 * modelWidth + 6 * feedForward + 3 * heads * tile) + 3 * vocabulary;
    return chunks.length === 0 && tiles.length === 1 && rows * held <= maxActivations;
  }

  /** Adds the gradients of the scaled loss. Returns the log-probabilities of the supervised tokens in order. */
  async accumulate(pass: Pass, scale: number, arrays: SmallModelArrays): Promise<Float32Array> {
    const { dx, trainedInputs, outer, x } = arrays;
    const { rows } = pass;
    const { modelWidth } = this.config;
    const { inputs: tiles, tile, whole } = pass.attention[0]!.tiles[0]!;
    const graph = await this.graph(tile, whole);
    const next = nextTokens(pass.batch);
    const seeds = this.buffers.take('d.logp', rows);
    const { weights } = pass.batch;
    for (let n = 0; n < rows; n++) seeds[n] = next.supervised[n] ? -scale * (weights?.[n + 1] ?? 1) : 0;
    const inputs = new Map<string, Tensor>([
      ...(await this.weights()),
      ...pass.angles,
      ...tiles,
      ['x', floats(x, [rows, modelWidth])],
      ['target', integers(next.tokens, [rows, 1])],
      ['d.logp', floats(seeds, [rows, 1])],
    ]);
    const logp = this.buffers.take('logp', rows);
    const outputs = new Map<string, Tensor>([
      ['logp', floats(logp, [rows, 1])],
      ['d.x', floats(dx, [rows, modelWidth])],
    ]);
    for (const [layer, own] of trainedInputs.entries()) {
      for (const { tensor, gradient, name } of own) {
        inputs.set(`${layer}.${name}`, tensor).set(`sum.${layer}.${name}`, gradient);
        outputs.set(`d.${layer}.${name}`, gradient);
      }
    }
    for (const [name, tensor] of outer) {
      inputs.set(`sum.${name}`, tensor);
      outputs.set(`d.${name}`, tensor);
    }
    await graph.run(inputs, outputs);
    for (const own of trainedInputs) for (const input of own) input.collect();
    return logp.filter((_, n) => next.supervised[n]);
  }

  private async graph(tile: number, whole: boolean): Promise<Executor> {
    const key = `${tile} ${whole}`;
    const found = this.graphs.get(key);
    if (found) return found;
    const made = await Executor.create(smallModel(this.config, this.options, tile, whole), this.threads);
    this.graphs.set(key, made);
    return made;
  }

  /** The frozen weights and the head, by the graph's names. */
  private async weights(): Promise<Tensors> {
    const inputs = new Map(this.base.head);
    for (let layer = 0; layer < this.config.layers; layer++)
      for (const [name, tensor] of await this.base.layer(layer)) inputs.set(`${layer}.${name}`, tensor);
    return inputs;
  }

  /** Lets go of all memory; what is asked for again is made again. */
  async close(): Promise<void> {
    for (const graph of this.graphs.values()) await graph.close();
    this.graphs.clear();
    this.buffers.clear();
  }
}

/** What each row predicts: the token after it in its segment, and whether that is learnt. */
function nextTokens({ positions, supervised, tokens }: PackedBatch): { tokens: BigInt64Array; supervised: boolean[] } {
  const next = new BigInt64Array(tokens.length);
  const learnt = Array.from(tokens, (_, n) => {
    const inside = n + 1 < tokens.length && positions[n + 1]! > 0;
    if (inside) next[n] = BigInt(tokens[n + 1]!);
    return inside && supervised[n + 1] === 1;
  });
  return { tokens: next, supervised: learnt };
}
