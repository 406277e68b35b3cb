/**
 * Which type each matrix of a model gets, as llama-quantize chooses without an importance matrix. Pure.
 * After llama-quant.cpp of https://github.com/ggml-org/llama.cpp: llama_tensor_get_type.
 */
import { ggmlLayouts } from '../formats/gguf/dequantize.ts';
import type { GgmlType, GgufFile } from '../formats/gguf/types.ts';
import { readModelConfig } from '../models/config.ts';

/** What the matrices of a model are written in: of Q4_K_M and Q4_0, most of them. */
export type RewriteType = 'F32' | 'F16' | 'Q8_0' | 'Q4_0' | 'Q4_K_M';

/** Layers in which errors cost most: the first and the last eighth, and every third between. */
const needsMoreBits = (layer: number, layers: number): boolean => {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
};

/** What rows get that are no whole blocks of 256. */
const shorterBlocks: Partial<Record<GgmlType, GgmlType>> = { Q4_K: 'Q5_0', Q6_K: 'Q8_0' };

function wanted(name: string, type: RewriteType, model: GgufFile): GgmlType {
  if (type === 'F32' || type === 'F16' || type === 'Q8_0') return type;
  const isHead = name === 'output.weight' || (name === 'token_embd.weight' && !model.tensors.has('output.weight'));
  if (isHead) return 'Q6_K';
  if (type === 'Q4_0') return 'Q4_0';
  const [, layer] = /^blk\.(\d+)\.(?:attn_v|ffn_down)\.weight$/.exec(name) ?? [];
  return layer !== undefined && needsMoreBits(Number(layer), readModelConfig(model).layers) ? 'Q6_K' : 'Q4_K';
}

/** The type of a tensor of the model; vectors keep theirs, rows that no blocks fit become F16. */
export function matrixType(name: string, type: RewriteType, model: GgufFile): GgmlType {
  const { shape, type: stored } = model.tensors.get(name)!;
  if (shape.length < 2) return stored;
  const width = shape.at(-1)!;
  const fits = (candidate: GgmlType): boolean => width % ggmlLayouts[candidate].blockSize === 0;
  const first = wanted(name, type, model);
  if (fits(first)) return first;
  const second = shorterBlocks[first];
  return second && fits(second) ? second : 'F16';
}
