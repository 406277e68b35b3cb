/** The compiled graphs of a block and the head. */

import type { Graph } from '../graph/graph.ts';
import type { Device } from '../graph/onnx/emit.ts';
import type { Partition } from '../graph/partition.ts';
import { attention, type TileSize, tiledAttention } from '../models/attention.ts';
import { afterAttention, beforeAttention } from '../models/block.ts';
import type { BlockOptions } from '../models/block-options.ts';
import type { ModelConfig } from '../models/config.ts';
import { head, int8Head } from '../models/head.ts';
import { type NativeAttention, nativeAttention } from '../runtime/native/attention.ts';
import { type BlockStages, nativeStages, shapeOf } from '../runtime/native/block-stages.ts';
import { type HeadStage, nativeHead } from '../runtime/native/head.ts';
import type { Arrange, Kernels } from '../runtime/native/kernels.ts';
import { Executor } from '../runtime/onnxruntime-node/executor.ts';

/** Attention as graphs of onnxruntime, both ways. */
export interface CompiledAttention extends AttentionStages {
  readonly kernels: null;
  /** The same for micro-batches in tiles; compiled when first asked for. */
  tiled(size: TileSize): Promise<AttentionStages>;
  /** For a chunk that is a whole segment, with the attention probabilities kept; null where that memory is not to be spent. */
  readonly wholeSegment: (() => Promise<AttentionStages>) | null;
}

export interface Stages extends BlockStages {
  /** Our own kernels, where they compute attention: no graphs are compiled then. */
  readonly attention: CompiledAttention | { readonly kernels: NativeAttention };
  /** How the stages want int8 weights to lie that are read anew each time; null where they take them as they come. */
  readonly arrange: Arrange | null;
  /** What onnxruntime computes although there are kernels, in words for people. */
  readonly fallbacks: readonly string[];
  readonly head: HeadStage;
  readonly headForward: HeadStage;
  /** Lets go of what was compiled when first asked for, and of its memory. */
  release(): Promise<void>;
  close(): Promise<void>;
}

/** Attention, both ways. */
export interface AttentionStages {
  readonly forward: Executor;
  readonly backward: Executor;
}

/** What computes the stages: onnxruntime on a device, and our own kernels those that they have, where they are given. */
export interface Engine {
  readonly threads: number;
  readonly device?: Device;
  readonly kernels?: Kernels | null;
}

/** The stages around attention as graphs of onnxruntime. */
async function compiledStages(
  config: ModelConfig,
  options: BlockOptions,
  make: (graph: Graph) => Promise<Executor>,
): Promise<BlockStages> {
  const pre = beforeAttention(config, options);
  const post = afterAttention(config, options);
  return {
    preForward: await make(pre.forward),
    preBackward: await make(pre.backward),
    preBackwardFirst: pre.backwardFirst.size > 0 ? await make(pre.backwardFirst) : null,
    postForward: await make(post.forward),
    postBackward: await make(post.backward),
  };
}

/** The head, with gradients and without. */
async function compiledHead(
  config: ModelConfig,
  { accumulates, precision, trainable }: BlockOptions,
  make: (graph: Graph) => Promise<Executor>,
): Promise<Pick<Stages, 'head' | 'headForward'>> {
  const int8 = precision === 'int8';
  const trained = trainable === 'all' ? 'all' : 'input';
  return {
    head: await make(int8 ? int8Head(config, 'input') : head(config, trained, accumulates)),
    headForward: await make(int8 ? int8Head(config, 'none') : head(config, 'none')),
  };
}

/** Compiles them; takes a fraction of a second, whatever the model's depth. */
export async function openStages(
  config: ModelConfig,
  options: BlockOptions,
  { device = 'cpu', kernels = null, threads }: Engine,
): Promise<Stages> {
  const make = (graph: Graph): Promise<Executor> => Executor.create(graph, threads, device);
  const both = async ({ backward, forward }: Partition): Promise<AttentionStages> => ({
    forward: await make(forward),
    backward: await make(backward),
  });
  const pairs = new Map<string, AttentionStages>();
  const pair = async (key: string, graphs: () => Partition): Promise<AttentionStages> => {
    const made = pairs.get(key) ?? (await both(graphs()));
    pairs.set(key, made);
    return made;
  };
  const { arrange, ...around } = kernels
    ? nativeStages(kernels, config, options, threads)
    : { ...(await compiledStages(config, options, make)), arrange: null };
  const shape = shapeOf(config, options, threads);
  const kernelAttention = kernels && nativeAttention(kernels, config, shape);
  const rows = kernelAttention ? null : await both(attention(config));
  // A model that is trained whole is small, and its rows are mostly long.
  const keepsSegments = options.trainable === 'all' && device === 'cpu';
  const own = kernels && nativeHead(kernels, config, { int8: options.precision === 'int8', shape });
  const stages = { ...around, ...(own ?? (await compiledHead(config, options, make))) };
  const release = async (): Promise<void> => {
    for (const { backward, forward } of pairs.values()) {
      await forward.close();
      await backward.close();
    }
    pairs.clear();
  };
  return {
    ...stages,
    attention: kernelAttention
      ? { kernels: kernelAttention }
      : {
          ...rows!,
          kernels: null,
          tiled: (size) => pair(`${size.tile} ${size.whole} ${size.prefix}`, () => tiledAttention(config, size)),
          wholeSegment: keepsSegments ? () => pair('segment', () => attention(config, true)) : null,
        },
    arrange,
    fallbacks: [...(kernelAttention ? [] : ['attention']), ...(own ? [] : ['the head'])],
    release,
    async close() {
      await release();
      for (const stage of [...Object.values(stages), rows?.forward, rows?.backward]) await stage?.close();
    },
  };
}
