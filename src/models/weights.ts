/**
 * A model's frozen weights as float32, in transformers' row order (llama's q and k rows un-permuted). Knows GGUF's names, no engine.
 */
import type { GgufFile } from '../formats/gguf/types.ts';
import type { Projection } from '../lora/adapter.ts';
import { ggufNames, type ModelConfig } from './config.ts';
import { scaledFrequency } from './rope-scaling.ts';

export interface ModelWeights {
  /** [vocabulary, modelWidth]; also the head where it is tied. */
  readonly embedding: Float32Array;
  readonly output: Float32Array;
  readonly outputNorm: Float32Array;
  /** Per layer, by the block graphs' input names. */
  readonly layers: readonly ReadonlyMap<string, Float32Array>[];
  /** Divisors of the rotary frequencies [headDim / 2] (Llama 3.x), or null. */
  readonly ropeFactors: Float32Array | null;
}

/**
 * Row of transformers' matrix for each row of GGUF's, for q and k of llama: GGUF interleaves the two rotary halves of each head.
 * llama.cpp's convert_hf_to_gguf.py calls it permute().
 */
export function unpermutedRow(row: number, headDim: number): number {
  const inHead = row % headDim;
  return row - inHead + (inHead % 2) * (headDim / 2) + (inHead >> 1);
}

/** Reorders rows of `width` values from GGUF's to transformers' order. */
export function unpermute(values: Float32Array, width: number, headDim: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row * width < values.length; row++) {
    out.set(values.subarray(row * width, (row + 1) * width), unpermutedRow(row, headDim) * width);
  }
  return out;
}

/** Whether GGUF orders the rows of this projection otherwise than transformers. */
const isPermuted = ({ architecture }: ModelConfig, projection: Projection): boolean =>
  architecture === 'llama' && (projection === 'q_proj' || projection === 'k_proj');

/** A projection of a layer. */
interface ProjectionPlace {
  readonly layer: number;
  readonly projection: Projection;
  /** Where the values go if they need no reordering; default: new memory. */
  readonly out?: Float32Array | undefined;
}

/** One projection's weight [out, in], float32, in transformers' row order. */
export function readProjection(
  model: GgufFile,
  config: ModelConfig,
  { layer, projection, out }: ProjectionPlace,
): Float32Array {
  const reused = out !== undefined && !isPermuted(config, projection) ? { out } : {};
  const values = model.readFloat32(`blk.${layer}.${ggufNames[projection]}.weight`, reused);
  const { headDim, modelWidth } = config;
  return isPermuted(config, projection) ? unpermute(values, modelWidth, headDim) : values;
}

/**
 * One layer's weights by the block graphs' input names, float32. The projections' go into the memory of those of `before`, a layer of the same
 * model that is needed no more: new memory for each of many layers takes as long as reading them.
 */
export function readLayer(
  model: GgufFile,
  config: ModelConfig,
  layer: number,
  before?: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>();
  const take = (name: string, as: string, optional = false): void => {
    const full = `blk.${layer}.${name}`;
    if (!optional || model.tensors.has(full)) weights.set(as, model.readFloat32(full));
  };
  take('attn_norm.weight', 'attn_norm');
  take('ffn_norm.weight', 'ffn_norm');
  take('attn_q_norm.weight', 'attn_q_norm', true);
  take('attn_k_norm.weight', 'attn_k_norm', true);
  for (const projection of Object.keys(ggufNames) as Projection[]) {
    const name = `${projection}.weight`;
    weights.set(name, readProjection(model, config, { layer, projection, out: before?.get(name) }));
    take(`${ggufNames[projection]}.bias`, `${projection}.bias`, true);
    const bias = weights.get(`${projection}.bias`);
    if (bias && isPermuted(config, projection)) weights.set(`${projection}.bias`, unpermute(bias, 1, config.headDim));
  }
  return weights;
}

/** Reads all weights. */
export function readWeights(model: GgufFile, config: ModelConfig): ModelWeights {
  const embedding = model.readFloat32('token_embd.weight');
  const layers = [];
  for (let layer = 0; layer < config.layers; layer++) layers.push(readLayer(model, config, layer));
  return {
    embedding,
    output: config.tiedHead ? embedding : model.readFloat32('output.weight'),
    outputNorm: model.readFloat32('output_norm.weight'),
    layers,
    ropeFactors: model.tensors.has('rope_freqs.weight') ? model.readFloat32('rope_freqs.weight') : null,
  };
}

/** cos and sin [N, headDim / 2] of every position's rotary angles, times the magnitude that rope scaling gives them. */
export function rotaryAngles(
  positions: Int32Array,
  config: ModelConfig,
  factors: Float32Array | null,
): { cos: Float32Array; sin: Float32Array } {
  const half = config.headDim / 2;
  const cos = new Float32Array(positions.length * half);
  const sin = new Float32Array(positions.length * half);
  for (let i = 0; i < half; i++) {
    const frequency = scaledFrequency(config.ropeBase ** (-i / half) / (factors?.[i] ?? 1), i, config);
    for (let n = 0; n < positions.length; n++) {
      const angle = Math.fround(frequency) * positions[n]!;
      cos[n * half + i] = config.ropeMagnitude * Math.cos(angle);
      sin[n * half + i] = config.ropeMagnitude * Math.sin(angle);
    }
  }
  return { cos, sin };
}
