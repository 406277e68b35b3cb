/**
 * The stages of a block around attention on our own kernels, with the names, shapes and results of the graphs of models/block.ts, which are
 * their specification: what a stage reads and writes is asked of those.
 */
import type { Graph } from '../../graph/graph.ts';
import { projections } from '../../lora/adapter.ts';
import { afterAttention, beforeAttention } from '../../models/block.ts';
import type { BlockOptions } from '../../models/block-options.ts';
import { type ModelConfig, projectionDimensions } from '../../models/config.ts';
import type { Executor, Tensors } from '../onnxruntime-node/executor.ts';
import type { Arrange, BlockShape, Kernels, PackedMatrix, StageName } from './kernels.ts';

/** A compiled stage, whichever engine computes it. */
export type Stage = Pick<Executor, 'outputs' | 'run' | 'close'>;

export interface BlockStages {
  readonly preForward: Stage;
  readonly preBackward: Stage;
  /** Of the first block, as in train/stages.ts. */
  readonly preBackwardFirst: Stage | null;
  readonly postForward: Stage;
  readonly postBackward: Stage;
}

export interface NativeStages extends BlockStages {
  /** How int8 weights lie for these stages, for those that are read anew each time. */
  readonly arrange: Arrange;
}

/** Floats that a vector holds (native/src/vector.h): widths are multiples of it. */
export const lanes = 16;

/** Float32 weights are held three times, as they came and arranged for both directions: beyond so many bytes that is too much memory. */
const maxFloat32Bytes = 300e6;

/** Bytes of all blocks' projections in float32. */
function float32Bytes(config: ModelConfig): number {
  const values = projections.reduce((sum, projection) => {
    const { inFeatures, outFeatures } = projectionDimensions(config, projection);
    return sum + inFeatures * outFeatures;
  }, 0);
  return config.layers * values * Float32Array.BYTES_PER_ELEMENT;
}

/** Of blocks, what decides whether the kernels compute them. */
export interface Blocks extends Pick<BlockOptions, 'precision' | 'trainable'> {
  /** Whether the weights come from the disk. */
  readonly streamed: boolean;
}

/** Why the kernels do not compute these blocks, in words for people; null where they do. */
export function unsupported(config: ModelConfig, { precision, streamed, trainable }: Blocks): string | null {
  const { feedForward, headDim, heads, kvHeads, modelWidth } = config;
  if (trainable !== 'adapter') return 'the kernels train adapters only';
  // Read anew for each pass, they would be arranged beside themselves each time; int8 ones are where they lie.
  if (streamed && precision === 'f32') return 'the kernels want float32 weights in memory';
  if (precision === 'f32' && float32Bytes(config) > maxFloat32Bytes)
    return 'the model is too large in float32 to be kept in two arrangements';
  const widths = [modelWidth, feedForward, heads * headDim, kvHeads * headDim, headDim];
  const uneven = widths.find((width) => width % lanes !== 0);
  return uneven === undefined ? null : `a width of the model, ${uneven}, is no multiple of ${lanes}`;
}

export function shapeOf(config: ModelConfig, options: BlockOptions, threads: number): BlockShape {
  const { feedForward, headDim, heads, kvHeads, modelWidth, normEpsilon, vocabulary } = config;
  const { biases, dropout, qkNorms, rank, targets } = options;
  return {
    modelWidth,
    queryWidth: heads * headDim,
    keyWidth: kvHeads * headDim,
    feedForward,
    headDim,
    rank,
    vocabulary,
    epsilon: normEpsilon,
    threads,
    dropout: Number(dropout),
    biases: Number(biases),
    headNorms: Number(qkNorms),
    targets: projections.reduce((bits, projection, i) => bits | (targets.includes(projection) ? 1 << i : 0), 0),
  };
}

/** The block's stages; `unsupported` has said that they can be had. Equal results for any number of threads. */
export function nativeStages(
  kernels: Kernels,
  config: ModelConfig,
  options: BlockOptions,
  threads: number,
): NativeStages {
  const int8 = options.precision === 'int8';
  const shape = shapeOf(config, options, threads);
  const packed = new PackedWeights(kernels, config, int8);
  const stage = (name: StageName, graph: Graph): Stage => ({
    outputs: [...graph.keys()],
    async run(inputs, outputs) {
      const arrays: Record<string, Float32Array | PackedMatrix> = packed.of(inputs);
      for (const [key, { data }] of inputs) if (data instanceof Float32Array) arrays[key] = data;
      for (const key of graph.keys()) arrays[key] = outputs.get(key)!.data as Float32Array;
      kernels.run(name, int8, shape, inputs.get('x')!.dims[0]!, arrays);
    },
    async close() {},
  });
  const before = beforeAttention(config, options);
  const after = afterAttention(config, options);
  return {
    preForward: stage('before.forward', before.forward),
    preBackward: stage('before.backward', before.backward),
    preBackwardFirst: before.backwardFirst.size > 0 ? stage('before.backward', before.backwardFirst) : null,
    postForward: stage('after.forward', after.forward),
    postBackward: stage('after.backward', after.backward),
    arrange: packed.arrange,
  };
}

/** Columns of a panel (native/src/int8.h): a matrix of a multiple of them is arranged within its own array. */
const panelColumns = 64;

/** Frozen matrices as the kernels take them, arranged when they are first met, int8 ones in place; known by the array that they lie in. */
class PackedWeights {
  private readonly kernels: Kernels;
  private readonly config: ModelConfig;
  private readonly int8: boolean;
  private readonly known = new WeakMap<object, PackedMatrix>();

  constructor(kernels: Kernels, config: ModelConfig, int8: boolean) {
    this.kernels = kernels;
    this.config = config;
    this.int8 = int8;
  }

  /** `PROJECTION.packed` of each projection among the inputs. */
  of(inputs: Tensors): Record<string, PackedMatrix> {
    const found: Record<string, PackedMatrix> = {};
    for (const projection of projections) {
      const values = inputs.get(`${projection}.weight`)?.data as Int8Array | Float32Array | undefined;
      if (!values) continue;
      const matrix = this.known.get(values) ?? this.pack(projection, values, inputs);
      this.known.set(values, matrix);
      found[`${projection}.packed`] = matrix;
    }
    return found;
  }

  /** For weights that are kept as they are arranged here, and lie elsewhere whenever they are read. */
  readonly arrange: Arrange = (projection, values, scale) => {
    const { inFeatures, outFeatures } = projectionDimensions(this.config, projection);
    if (outFeatures % panelColumns !== 0) return null;
    const packed = this.kernels.packInt8(values, inFeatures, outFeatures, scale, null);
    return {
      liesIn: (array) => {
        this.kernels.moveInt8(packed, array);
        this.known.set(array, packed);
      },
    };
  };

  private pack(
    projection: (typeof projections)[number],
    values: Int8Array | Float32Array,
    inputs: Tensors,
  ): PackedMatrix {
    const { inFeatures, outFeatures } = projectionDimensions(this.config, projection);
    if (!this.int8) return this.kernels.packExact(values as Float32Array, inFeatures, outFeatures);
    const scale = inputs.get(`${projection}.scale`)!.data as Float32Array;
    return this.kernels.packInt8(values as Int8Array, inFeatures, outFeatures, scale, null);
  }
}
