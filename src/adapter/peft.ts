/**
 * Adapters in PEFT's format: adapter_config.json and adapter_model.safetensors. Promises: what is written loads in PEFT
 * 0.9 and later; what is read means exactly what PEFT would make of it, or is refused by name. Rows of q and k stay as
 * transformers orders them. Knows nothing of the base model's file. Format:
 * https://huggingface.co/docs/peft/developer_guides/checkpoint
 */
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { writeFailure, writeFileAtomic } from '../formats/atomic-write.ts';
import { type NamedTensor, readSafetensors, writeSafetensors } from '../formats/safetensors.ts';
import type { LoraAdapter } from '../lora/adapter.ts';
import { collectPairs, type LooseTensor, type RankedPair, withAlpha } from './collect-pairs.ts';
import { checkDora } from './dora.ts';
import { parsePeftTensorName, peftModulePath, peftTensorName } from './module-names.ts';
import { moduleSettings, type PeftConfig, readPeftConfig, targets, unusedSettings } from './peft-config.ts';
import { peftConfigName, peftFiles, peftWeightsName } from './peft-files.ts';
import { peftConfig } from './peft-settings.ts';

/** What a file of weights alone does not say. adapter_config.json beside the weights wins over these. */
export interface PeftContext {
  readonly alpha?: number;
  readonly rslora?: boolean;
  readonly dropout?: number;
  readonly baseModel?: string;
  /** Takes DoRA adapters too, whose pairs have a `magnitude`; without it they are refused. */
  readonly dora?: boolean;
  /** Told what the files say in vain, or leave open, in sentences. */
  readonly note?: (text: string) => void;
}

/** The adapter's tensors under PEFT's names: A [rank, in], B [out, rank]. */
export function peftTensors(adapter: LoraAdapter): NamedTensor[] {
  return adapter.pairs.flatMap(({ layer, projection, rank, a, b, inFeatures, outFeatures }) => [
    { name: peftTensorName({ layer, projection, half: 'A' }), shape: [rank, inFeatures], values: a },
    { name: peftTensorName({ layer, projection, half: 'B' }), shape: [outFeatures, rank], values: b },
  ]);
}

/**
 * Writes what the weights of `adapter` mean, beside which others stand. `layers` of the base model, where it has more than
 * are adapted.
 */
export function writePeftConfig(folder: string, adapter: LoraAdapter, layers = adapter.pairs.at(-1)!.layer + 1): void {
  const text = JSON.stringify(peftConfig(adapter, layers), null, 2);
  writeFileAtomic(join(folder, peftConfigName), `${text}\n`);
}

/** Writes the two files into `folder`, which is made when missing; each file appears whole or not at all. */
export function writePeft(folder: string, adapter: LoraAdapter, layers?: number): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw writeFailure(folder, error);
  }
  writeSafetensors(join(folder, peftWeightsName), peftTensors(adapter));
  writePeftConfig(folder, adapter, layers);
}

function looseTensors(path: string): LooseTensor[] {
  const loose: LooseTensor[] = [];
  const unknown: string[] = [];
  for (const [name, tensor] of readSafetensors(path).tensors) {
    const parsed = parsePeftTensorName(name);
    if (parsed) loose.push({ ...parsed, name, shape: tensor.shape, float32: () => tensor.float32() });
    else unknown.push(name);
  }
  if (unknown.length > 0) {
    const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : '';
    throw new NomoatError({
      code: 'unusable-adapter',
      part: path,
      fault: `holds tensors that nomoat cannot use: ${unknown.slice(0, 3).join(', ')}${more}`,
      remedy: 'LoRA on q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and down_proj is supported.',
      fields: { tensors: unknown.slice(0, 20) },
    });
  }
  return loose;
}

const sideBySide = 'Put the config and the weights of the same adapter side by side.';

/** The weights against what the config says of their ranks and modules. */
function checkAgainstConfig(path: string, config: PeftConfig, pairs: readonly RankedPair[]): void {
  const wrong = pairs.find((pair) => moduleSettings(path, config, pair).rank !== pair.rank);
  if (wrong) {
    const { rank: stated } = moduleSettings(path, config, wrong);
    const where = Object.keys(config.rank_pattern ?? {}).length === 0 ? '' : ` for ${peftModulePath(wrong)}`;
    const fault = `says r = ${stated}${where}, but the weights have rank ${wrong.rank}`;
    throw new NomoatError({ code: 'unusable-adapter', part: path, fault, remedy: sideBySide });
  }
  const extra = pairs.find((pair) => !targets(config, pair));
  if (!extra) return;
  const listed = [config.target_modules].flat().join(', ');
  const layers =
    config.layers_to_transform == null ? '' : ` in the layers ${[config.layers_to_transform].flat().join(', ')}`;
  const excluded = [config.exclude_modules ?? []].flat();
  const without = excluded.length === 0 ? '' : ` without ${excluded.join(', ')}`;
  throw new NomoatError({
    code: 'unusable-adapter',
    part: path,
    fault: `lists the target modules ${listed}${layers}${without}, but the weights have ${peftModulePath(extra)}`,
    remedy: sideBySide,
  });
}

/** Says what the files do not say, or say in vain; their name goes before each, no path: notes stand in reports. */
function emitNotes(context: PeftContext, path: string, notes: readonly string[]): void {
  for (const note of notes) context.note?.(`${basename(path)} ${note}.`);
}

/**
 * Reads an adapter from a folder that PEFT saved, or from a bare .safetensors file: then the rank is read off the
 * shapes and the rest from adapter_config.json beside it, or else from `context` (alpha is needed). F16 and BF16
 * weights become float32. Throws NomoatError naming what is wrong or unsupported.
 */
export function readPeft(folderOrSafetensors: string, context: PeftContext = {}): LoraAdapter {
  const { weights, config: configPath } = peftFiles(folderOrSafetensors);
  const config = configPath ? readPeftConfig(configPath) : null;
  const part = weights[0]!;
  const ranked = collectPairs(part, weights.flatMap(looseTensors));
  checkDora(part, ranked, { stated: config?.use_dora ?? null, wanted: context.dora ?? false });
  if (config && configPath) {
    checkAgainstConfig(configPath, config, ranked);
    emitNotes(context, configPath, unusedSettings(config, ranked));
  }
  const { alpha: otherwise } = context;
  if (!config && otherwise === undefined) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part,
      fault: `has no ${peftConfigName} beside it, so its alpha is unknown`,
      remedy: `Put ${peftConfigName} beside it: {"peft_type": "LORA", "r": ${ranked[0]!.rank}, "lora_alpha": ALPHA}.`,
    });
  }
  const rslora = config?.use_rslora ?? context.rslora ?? false;
  const alphaOf = (pair: RankedPair): number => (config ? moduleSettings(configPath!, config, pair).alpha : otherwise!);
  if (!config) emitNotes(context, part, [`has no ${peftConfigName} beside it: alpha ${otherwise} is taken`]);
  return {
    pairs: withAlpha(ranked, alphaOf),
    rslora,
    dropout: config?.lora_dropout ?? context.dropout ?? 0,
    baseModel: config?.base_model_name_or_path ?? context.baseModel ?? '',
  };
}
