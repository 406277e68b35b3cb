/**
 * Where a step finds the weights of its model, layer by layer, as feeds of the block graphs. Knows files and the engine's tensors,
 * nothing of training.
 */
import type { GgufFile } from '../files/gguf/types.ts';
import type { Projection } from '../lora/adapter.ts';
import { type ModelConfig, projectionDimensions } from '../models/config.ts';
import type { QuantisedMatrix } from '../models/quantise.ts';
import { type ModelWeights, readLayer } from '../models/weights.ts';
import { bytes, type Feed, type Feeds, floats } from '../runtime/onnxruntime-node/executor.ts';

export interface BaseWeights {
  readonly precision: 'f32' | 'int8';
  readonly biases: boolean;
  readonly headNorms: boolean;
  /** Divisors of the rotary frequencies [headDim / 2], or null. */
  readonly ropeFactors: Float32Array | null;
  /** Writes the embedding rows [n, modelWidth] of the tokens. */
  embed(tokens: Int32Array, out: Float32Array): void;
  /** Weights of a layer by the block graphs' input names. */
  layer(layer: number): Feeds;
  /** `output_norm` and `output`, and `output.scale` where the head is int8. */
  readonly head: Feeds;
  /** What the inputs of a group were divided by, and the rows of up_proj too: the adapter's matrices are adjusted to it. */
  smoothing(layer: number): Smoothing | null;
}

/** Divisors of a layer's inputs, [in] each. */
export interface Smoothing {
  readonly pre: Float32Array;
  readonly mlp: Float32Array;
  readonly down: Float32Array;
}

/** Shape of a block graph's weight input. */
export function shapeOf(config: ModelConfig, name: string, values: Float32Array): number[] {
  const projection = name.match(/^(\w+_proj)\.weight$/)?.[1];
  if (!projection) return [values.length];
  const { inFeatures, outFeatures } = projectionDimensions(config, projection as Projection);
  return [outFeatures, inFeatures];
}

function layerFeeds(config: ModelConfig, layer: ReadonlyMap<string, Float32Array>): Map<string, Feed> {
  return new Map([...layer].map(([name, values]) => [name, floats(values, shapeOf(config, name, values))]));
}

/** All weights in memory, float32. */
export function float32Weights(config: ModelConfig, weights: ModelWeights): BaseWeights {
  const { modelWidth: width, vocabulary } = config;
  const layers = weights.layers.map((layer) => layerFeeds(config, layer));
  return {
    precision: 'f32',
    biases: weights.layers[0]!.has('q_proj.bias'),
    headNorms: weights.layers[0]!.has('attn_q_norm'),
    ropeFactors: weights.ropeFactors,
    embed(tokens, out) {
      tokens.forEach((token, n) => {
        out.set(weights.embedding.subarray(token * width, (token + 1) * width), n * width);
      });
    },
    layer: (layer) => layers[layer]!,
    head: new Map([
      ['output_norm', floats(weights.outputNorm, [width])],
      ['output', floats(weights.output, [vocabulary, width])],
    ]),
    smoothing: () => null,
  };
}

/** Embedding rows straight from the file, so that a table that is only looked up takes no memory. */
function embedFromFile(model: GgufFile, width: number): BaseWeights['embed'] {
  return (tokens, out) => {
    tokens.forEach((token, n) => {
      model.readFloat32('token_embd.weight', {
        firstRow: token,
        rows: 1,
        out: out.subarray(n * width, (n + 1) * width),
      });
    });
  };
}

/** Float32 weights read from the file whenever they are asked for: slow, and never more than one layer in memory. */
export function fileWeights(model: GgufFile, config: ModelConfig): BaseWeights {
  const { modelWidth: width, tiedHead, vocabulary } = config;
  return {
    precision: 'f32',
    biases: model.tensors.has('blk.0.attn_q.bias'),
    headNorms: model.tensors.has('blk.0.attn_q_norm.weight'),
    ropeFactors: model.tensors.has('rope_freqs.weight') ? model.readFloat32('rope_freqs.weight') : null,
    embed: embedFromFile(model, width),
    layer: (layer) => layerFeeds(config, readLayer(model, config, layer)),
    get head() {
      return new Map([
        ['output_norm', floats(model.readFloat32('output_norm.weight'), [width])],
        ['output', floats(model.readFloat32(tiedHead ? 'token_embd.weight' : 'output.weight'), [vocabulary, width])],
      ]);
    },
    smoothing: () => null,
  };
}

/** A layer of int8 projections with its float32 vectors (norms, biases), all in smoothed form. */
export interface Int8Layer {
  readonly matrices: ReadonlyMap<Projection, QuantisedMatrix>;
  readonly vectors: ReadonlyMap<string, Float32Array>;
  readonly smoothing: Smoothing | null;
}

/** The layer as feeds of the block graphs. */
export function int8Feeds({ matrices, vectors }: Int8Layer): Map<string, Feed> {
  const feeds = new Map<string, Feed>();
  for (const [name, values] of vectors) feeds.set(name, floats(values, [values.length]));
  for (const [projection, { values, scale, inFeatures, outFeatures }] of matrices) {
    feeds.set(`${projection}.weight`, bytes(values, [inFeatures, outFeatures]));
    feeds.set(`${projection}.scale`, floats(scale, [outFeatures]));
  }
  return feeds;
}

/** Int8 weights in memory; embedding rows come from the file. */
export function int8Weights(
  model: GgufFile,
  config: ModelConfig,
  layers: readonly Int8Layer[],
  head: { readonly norm: Float32Array; readonly output: QuantisedMatrix },
): BaseWeights {
  const { modelWidth: width, vocabulary } = config;
  const feeds = layers.map(int8Feeds);
  return {
    precision: 'int8',
    biases: layers[0]!.vectors.has('q_proj.bias'),
    headNorms: layers[0]!.vectors.has('attn_q_norm'),
    ropeFactors: model.tensors.has('rope_freqs.weight') ? model.readFloat32('rope_freqs.weight') : null,
    embed: embedFromFile(model, width),
    layer: (layer) => feeds[layer]!,
    head: new Map([
      ['output_norm', floats(head.norm, [width])],
      ['output', bytes(head.output.values, [width, vocabulary])],
      ['output.scale', floats(head.output.scale, [vocabulary])],
    ]),
    smoothing: (layer) => layers[layer]!.smoothing,
  };
}
