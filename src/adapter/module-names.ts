/**
 * What the seven adapted matrices are called in PEFT's files, mlx-lm's and in GGUF. Promises: each name that is written is parsed to what it
 * was made of, and so are names that others' programs put around it.
 * Knows nothing of shapes or values.
 */
import { type Projection, projections } from '../lora/adapter.ts';
import { ggufNames } from '../models/config.ts';

/** Path inside a transformers block, as in `model.layers.N.<path>`. */
const peftNames: Readonly<Record<Projection, string>> = {
  q_proj: 'self_attn.q_proj',
  k_proj: 'self_attn.k_proj',
  v_proj: 'self_attn.v_proj',
  o_proj: 'self_attn.o_proj',
  gate_proj: 'mlp.gate_proj',
  up_proj: 'mlp.up_proj',
  down_proj: 'mlp.down_proj',
};

/** A, B, or DoRA's vector of row lengths. */
export type LoraHalf = 'A' | 'B' | 'magnitude';

/** One half of a pair, as a tensor name states it. */
export interface LoraTensorName {
  readonly layer: number;
  readonly projection: Projection;
  readonly half: LoraHalf;
}

/** A matrix of a pair. */
type MatrixName = LoraTensorName & { readonly half: 'A' | 'B' };

/** The module's path in a transformers model, e.g. `model.layers.0.self_attn.q_proj`. */
export const peftModulePath = ({ layer, projection }: { layer: number; projection: Projection }): string =>
  `model.layers.${layer}.${peftNames[projection]}`;

/** PEFT's tensor name, e.g. `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`. */
export function peftTensorName({ half, ...module }: MatrixName): string {
  return `base_model.model.${peftModulePath(module)}.lora_${half}.weight`;
}

/** The base matrix's name in a GGUF model, e.g. `blk.0.attn_q.weight`. */
export function ggufWeightName(layer: number, projection: Projection): string {
  return `blk.${layer}.${ggufNames[projection]}.weight`;
}

/** The tensor name in a GGUF LoRA, e.g. `blk.0.attn_q.weight.lora_a`. */
export function ggufTensorName({ layer, projection, half }: MatrixName): string {
  return `${ggufWeightName(layer, projection)}.lora_${half.toLowerCase()}`;
}

/** A module as mlx-lm's `keys` name it within a layer, e.g. `self_attn.q_proj`. */
export const mlxModuleKey = (projection: Projection): string => peftNames[projection];

/** mlx-lm's tensor name, e.g. `model.layers.0.self_attn.q_proj.lora_a`. */
export const mlxTensorName = ({ half, ...module }: MatrixName): string =>
  `${peftModulePath(module)}.lora_${half.toLowerCase()}`;

/** What the last part of a name says. */
const halves: Readonly<Record<string, LoraHalf>> = {
  lora_A: 'A',
  lora_a: 'A',
  lora_B: 'B',
  lora_b: 'B',
  lora_magnitude_vector: 'magnitude',
  m: 'magnitude',
};

function parse(pattern: RegExp, name: string, names: Readonly<Record<Projection, string>>): LoraTensorName | null {
  const match = pattern.exec(name);
  if (!match) return null;
  const projection = projections.find((candidate) => names[candidate] === match[2]);
  if (!projection) return null;
  return { layer: Number(match[1]), projection, half: halves[match[3]!]! };
}

/**
 * What wrappers put before or into a name: PEFT's own base_model, a model saved without its head (no second `model`), DDP, FSDP and
 * torch.compile, and the adapter's own name where a training program saved the model's state instead of the adapter.
 */
const wrappers = /(^|\.)(_orig_mod|_fsdp_wrapped_module|module)(?=\.)/g;
const peftName =
  /^(?:base_model\.)?(?:model\.){0,3}layers\.(0|[1-9]\d{0,3})\.([\w.]{1,40})\.(lora_[AB](?=.*\.weight$)|lora_magnitude_vector)(?:\.default)?(?:\.weight)?$/;

/** What a PEFT tensor name states, or null where it is not one of the adapted projections. Layers have at most 4 digits. */
export function parsePeftTensorName(name: string): LoraTensorName | null {
  return parse(peftName, name.replace(wrappers, '').replace(/^\./, ''), peftNames);
}

/** What a tensor name of mlx-lm states, or null where it is not one of the adapted projections. */
export function parseMlxTensorName(name: string): LoraTensorName | null {
  return parse(
    /^(?:language_model\.)?(?:model\.)?layers\.(0|[1-9]\d{0,3})\.([\w.]{1,40})\.(lora_[ab]|m)$/,
    name,
    peftNames,
  );
}

/** What a GGUF LoRA tensor name states, or null where it is not one of the adapted projections. */
export function parseGgufTensorName(name: string): LoraTensorName | null {
  return parse(/^blk\.(0|[1-9]\d{0,3})\.(.+)\.weight\.(lora_[ab])$/, name, ggufNames);
}
