/**
 * Where a step finds the weights of its model, layer by layer, as inputs of the block graphs. Knows files and the engine's tensors,
 * nothing of training.
 */
import type { GgufFile } from '../formats/gguf/types.ts';
import type { Projection } from '../lora/adapter.ts';
import { type ModelConfig, projectionDimensions } from '../models/config.ts';
import { type QuantizedMatrix, transposedValues } from '../models/quantize.ts';
import { type ModelWeights, readLayer } from '../models/weights.ts';
import type { Arrange } from '../runtime/native/kernels.ts';
import { bytes, floats, type Tensor, type Tensors } from '../runtime/onnxruntime-node/executor.ts';

export interface BaseWeights {
  readonly precision: 'f32' | 'int8';
  readonly biases: boolean;
  readonly qkNorms: boolean;
  /** Divisors of the rotary frequencies [headDim / 2], or null. */
  readonly ropeFactors: Float32Array | null;
  /** Writes the embedding rows [n, modelWidth] of the tokens. */
  embed(tokens: Int32Array, out: Float32Array): void;
  /** Whether layers come from the disk each time they are asked for. */
  readonly streamed: boolean;
  /** Weights of a layer by the block graphs' input names, until the next call; `next` is the layer that will be asked for then. */
  layer(layer: number, next?: number): Tensors | Promise<Tensors>;
  /** Of int8 layers from the disk: keeps them there as an engine has arranged them, so that nothing is to be done each time one is read. Throws NomoatError where they cannot be written. */
  arrange?(arrange: Arrange): Promise<void>;
  /** `output_norm` and `output`, and `output.scale` and `output.transposed` where the head is int8. */
  readonly head: Tensors;
  /** Lets go of the weights' memory, and of what they hold beside it. */
  close(): void;
}

/** Shape of a block graph's weight input. */
export function shapeOf(config: ModelConfig, name: string, values: Float32Array): number[] {
  const projection = name.match(/^(\w+_proj)\.weight$/)?.[1];
  if (!projection) return [values.length];
  const { inFeatures, outFeatures } = projectionDimensions(config, projection as Projection);
  return [outFeatures, inFeatures];
}

function layerTensors(config: ModelConfig, layer: ReadonlyMap<string, Float32Array>): Map<string, Tensor> {
  return new Map([...layer].map(([name, values]) => [name, floats(values, shapeOf(config, name, values))]));
}

/** All weights in memory, float32. */
export function float32Weights(config: ModelConfig, weights: ModelWeights): BaseWeights {
  const { modelWidth: width, vocabulary } = config;
  const layers = weights.layers.map((layer) => layerTensors(config, layer));
  const head = new Map([
    ['output_norm', floats(weights.outputNorm, [width])],
    ['output', floats(weights.output, [vocabulary, width])],
  ]);
  // Nothing below names `weights`, which would keep all of them as long as the step is known.
  let { embedding } = weights;
  return {
    precision: 'f32',
    streamed: false,
    biases: weights.layers[0]!.has('q_proj.bias'),
    qkNorms: weights.layers[0]!.has('attn_q_norm'),
    ropeFactors: weights.ropeFactors,
    embed(tokens, out) {
      tokens.forEach((token, n) => {
        out.set(embedding.subarray(token * width, (token + 1) * width), n * width);
      });
    },
    layer: (layer) => layers[layer]!,
    head,
    close() {
      layers.length = 0;
      head.clear();
      embedding = new Float32Array();
    },
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
  let before: ReadonlyMap<string, Float32Array> | undefined;
  let latest: number | null = null;
  return {
    precision: 'f32',
    streamed: true,
    biases: model.tensors.has('blk.0.attn_q.bias'),
    qkNorms: model.tensors.has('blk.0.attn_q_norm.weight'),
    ropeFactors: model.tensors.has('rope_freqs.weight') ? model.readFloat32('rope_freqs.weight') : null,
    embed: embedFromFile(model, width),
    layer(layer) {
      // Several passes that go on together ask for the same layer one after the other.
      if (layer !== latest) before = readLayer(model, config, layer, before);
      latest = layer;
      return layerTensors(config, before!);
    },
    get head() {
      return new Map([
        ['output_norm', floats(model.readFloat32('output_norm.weight'), [width])],
        ['output', floats(model.readFloat32(tiedHead ? 'token_embd.weight' : 'output.weight'), [vocabulary, width])],
      ]);
    },
    close() {
      [before, latest] = [undefined, null];
    },
  };
}

/** A layer of int8 projections with its float32 vectors (norms, biases). */
export interface Int8Layer {
  readonly matrices: ReadonlyMap<Projection, QuantizedMatrix>;
  readonly vectors: ReadonlyMap<string, Float32Array>;
}

/** The layer as inputs of the block graphs. */
export function int8Tensors({ matrices, vectors }: Int8Layer): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, values] of vectors) tensors.set(name, floats(values, [values.length]));
  for (const [projection, { values, scale, inFeatures, outFeatures }] of matrices) {
    tensors.set(`${projection}.weight`, bytes(values, [inFeatures, outFeatures]));
    tensors.set(`${projection}.scale`, floats(scale, [outFeatures]));
  }
  return tensors;
}

/** The parts of int8 weights that do not depend on where the layers are. */
export function int8Parts(model: GgufFile, config: ModelConfig, first: Int8Layer, head: Int8Head) {
  const { modelWidth: width, vocabulary } = config;
  return {
    precision: 'int8',
    biases: first.vectors.has('q_proj.bias'),
    qkNorms: first.vectors.has('attn_q_norm'),
    ropeFactors: model.tensors.has('rope_freqs.weight') ? model.readFloat32('rope_freqs.weight') : null,
    embed: embedFromFile(model, width),
    head: new Map([
      ['output_norm', floats(head.norm, [width])],
      ['output', bytes(head.output.values, [width, vocabulary])],
      ['output.transposed', bytes(transposedValues(head.output), [vocabulary, width])],
      ['output.scale', floats(head.output.scale, [vocabulary])],
    ]),
  } as const;
}

export interface Int8Head {
  readonly norm: Float32Array;
  readonly output: QuantizedMatrix;
}

/** Takes the layers of an int8 model one after the other, and then says where a step finds them. */
export interface Int8Store {
  add(layer: Int8Layer): void;
  finish(model: GgufFile, config: ModelConfig, head: Int8Head): BaseWeights;
}

/** Layers in memory; embedding rows come from the model's file. */
export function memoryStore(): Int8Store {
  const layers: Int8Layer[] = [];
  return {
    add: (layer) => void layers.push(layer),
    finish(model, config, head) {
      const tensors = layers.map(int8Tensors);
      const parts = int8Parts(model, config, layers[0]!, head);
      layers.length = 0;
      return {
        ...parts,
        streamed: false,
        layer: (layer) => tensors[layer]!,
        close() {
          tensors.length = 0;
          parts.head.clear();
        },
      };
    },
  };
}
