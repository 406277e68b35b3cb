/**
 * The row orders of q and k in adapters: GGUF files of the llama architecture hold these rows reordered (models/weights.ts says how),
 * and adapters for llama.cpp with them; PEFT's keep transformers' order. Pure.
 */
import type { GgufFile } from '../formats/gguf/types.ts';
import type { Projection } from '../lora/adapter.ts';
import { type Architecture, readModelConfig } from '../models/config.ts';
import { unpermute, unpermutedRow } from '../models/weights.ts';

const reordersRopeRows: Readonly<Record<Architecture, boolean>> = { llama: true, qwen2: false, qwen3: false };

/** The head width by which the model's file reorders the rows of `projection`, or null where it keeps transformers' order. */
export function reorderedHeadDim(model: GgufFile, projection: Projection): number | null {
  const { architecture, headDim } = readModelConfig(model);
  return reordersRopeRows[architecture] && (projection === 'q_proj' || projection === 'k_proj') ? headDim : null;
}

/** `values` [rows, width] from transformers' row order to that of a file with heads of `headDim` rows; a fresh array. */
export function toFileRows(values: Float32Array, width: number, headDim: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row * width < values.length; row++) {
    const from = unpermutedRow(row, headDim);
    out.set(values.subarray(from * width, (from + 1) * width), row * width);
  }
  return out;
}

/** The inverse of toFileRows. */
export const fromFileRows = unpermute;
