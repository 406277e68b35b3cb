/**
 * By what positions are divided, as llama.cpp reads it off the metadata: linear where no type is given, the key of 2023 where the
 * newer one is missing. Promises: every other kind of scaling is refused by name. Pure.
 */
import type { GgufFile } from '../files/gguf/types.ts';
import type { Refuse } from './metadata-keys.ts';

/** llama.cpp ends the process on a type that it does not know; what it knows beyond none and linear is not computed here. */
const computed: readonly string[] = ['none', 'linear'];

const withoutScaling =
  "Use the model's file without it: models are mostly published with and without their longer context.";

/** 1 without scaling. */
export function ropeScale(model: GgufFile, architecture: string, refuse: Refuse): number {
  const type = model.string(`${architecture}.rope.scaling.type`) ?? 'linear';
  if (!computed.includes(type))
    refuse(`uses rope scaling "${type}"; none, linear and rope_freqs are supported`, withoutScaling);
  const newer = `${architecture}.rope.scaling.factor`;
  const key = model.metadata.has(newer) ? newer : `${architecture}.rope.scale_linear`;
  const factor = model.number(key) ?? 0;
  if (!Number.isFinite(factor) || factor < 0)
    refuse(`${key} is ${factor}, by which no position can be divided`, withoutScaling);
  // llama.cpp takes 0 for "not given".
  return type === 'none' || factor === 0 ? 1 : factor;
}
