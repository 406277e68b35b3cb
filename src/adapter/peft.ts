/**
 * Adapters in PEFT's format: adapter_config.json and adapter_model.safetensors.
 * Promises: what is written loads in PEFT 0.9 and later; what is read means exactly what PEFT would make of it, or is refused
 * by name. Rows of q and k stay as transformers orders them. Knows nothing of the base model's file.
 * Format: https://huggingface.co/docs/peft/developer_guides/checkpoint
 */
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { writeFailure, writeFileAtomic } from '../files/atomic-write.ts';
import { type NamedTensor, readSafetensors, writeSafetensors } from '../files/safetensors.ts';
import type { LoraAdapter } from '../lora/adapter.ts';
import { collectPairs, type LooseTensor } from './collect-pairs.ts';
import { parsePeftTensorName, peftTensorName } from './module-names.ts';

const peftConfigName = 'adapter_config.json';
const peftWeightsName = 'adapter_model.safetensors';

/** A real adapter_config.json has about 1 kB; anything far above is no such file. */
const maxConfigBytes = 1 << 20;

/** What a file of weights alone does not say. adapter_config.json beside the weights wins over these. */
export interface PeftContext {
  readonly alpha?: number;
  readonly rslora?: boolean;
  readonly dropout?: number;
  readonly baseModel?: string;
}

/** The adapter's tensors under PEFT's names: A [rank, in], B [out, rank]. */
export function peftTensors(adapter: LoraAdapter): NamedTensor[] {
  return adapter.pairs.flatMap(({ layer, projection, a, b, inFeatures, outFeatures }) => [
    { name: peftTensorName({ layer, projection, half: 'A' }), shape: [adapter.rank, inFeatures], values: a },
    { name: peftTensorName({ layer, projection, half: 'B' }), shape: [outFeatures, adapter.rank], values: b },
  ]);
}

/**
 * The fields that PEFT 0.9 knows; later versions give the rest their defaults, while a field that a reader does not know
 * makes it warn.
 */
function peftConfig(adapter: LoraAdapter): Record<string, unknown> {
  return {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: adapter.baseModel,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    loftq_config: {},
    lora_alpha: adapter.alpha,
    lora_dropout: adapter.dropout,
    megatron_config: null,
    megatron_core: 'megatron.core',
    modules_to_save: null,
    peft_type: 'LORA',
    r: adapter.rank,
    rank_pattern: {},
    revision: null,
    target_modules: [...adapter.targetModules].sort(),
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: adapter.rslora,
  };
}

/** Writes the two files into `folder`, which is made when missing; each file appears whole or not at all. */
export function writePeft(folder: string, adapter: LoraAdapter): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw writeFailure(folder, error);
  }
  writeSafetensors(join(folder, peftWeightsName), peftTensors(adapter));
  writeFileAtomic(join(folder, peftConfigName), `${JSON.stringify(peftConfig(adapter), null, 2)}\n`);
}

const empty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === false ||
  (typeof value === 'object' && Object.keys(value as object).length === 0);

/** Settings that change what the weights mean and that nomoat does not do: each with the test that it is off. */
const refusedSettings: readonly { readonly key: string; readonly off: (value: unknown) => boolean }[] = [
  { key: 'use_dora', off: empty },
  { key: 'lora_bias', off: empty },
  { key: 'bias', off: (value) => empty(value) || value === 'none' },
  { key: 'modules_to_save', off: empty },
  { key: 'rank_pattern', off: empty },
  { key: 'alpha_pattern', off: empty },
  { key: 'fan_in_fan_out', off: empty },
  { key: 'layers_to_transform', off: empty },
  { key: 'layer_replication', off: empty },
  { key: 'target_parameters', off: empty },
  { key: 'trainable_token_indices', off: empty },
  { key: 'use_qalora', off: empty },
  { key: 'alora_invocation_tokens', off: empty },
  { key: 'arrow_config', off: empty },
  // These initialisations also change the base's weights, so that the adapter alone is not enough.
  {
    key: 'init_lora_weights',
    off: (value) => typeof value !== 'string' || !/^(pissa|olora|corda|loftq|lora_ga)/i.test(value),
  },
];

const configSchema = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).max(1).default(0),
  use_rslora: z.boolean().default(false),
  target_modules: z.union([z.array(z.string()), z.string()]).nullish(),
  base_model_name_or_path: z.string().nullish(),
});
type PeftConfig = z.infer<typeof configSchema>;

function readConfig(path: string): PeftConfig {
  let parsed: unknown;
  try {
    if (statSync(path).size > maxConfigBytes) throw new Error(`larger than ${maxConfigBytes} bytes`);
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new NomoatError({
      part: path,
      fault: `cannot be read as JSON (${(error as Error).message})`,
      remedy: 'Save the adapter again with PEFT or nomoat.',
      cause: error,
    });
  }
  const result = configSchema.safeParse(parsed);
  if (!result.success) {
    throw new NomoatError({
      part: path,
      fault: result.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; '),
      remedy: 'Give a LoRA adapter as PEFT saves it.',
    });
  }
  const on = refusedSettings.filter(({ key, off }) => !off(result.data[key]));
  if (on.length > 0) {
    throw new NomoatError({
      part: path,
      fault: `uses ${on.map(({ key }) => `${key} = ${JSON.stringify(result.data[key])}`).join(', ')}, which nomoat does not support`,
      remedy: 'Train or convert the adapter to plain LoRA (one rank, no bias, no extra modules).',
      fields: { settings: on.map(({ key }) => key) },
    });
  }
  return result.data;
}

/** The paths of weights and config (null where there is none) that `path` means. */
export function peftFiles(path: string): { weights: string; config: string | null } {
  if (!existsSync(path)) {
    throw new NomoatError({
      part: path,
      fault: 'there is no such file or folder',
      remedy: `Give a folder with ${peftConfigName} and ${peftWeightsName}, or a .safetensors file.`,
    });
  }
  if (!statSync(path).isDirectory()) {
    if (!path.toLowerCase().endsWith('.safetensors')) {
      throw new NomoatError({
        part: path,
        fault: 'is no adapter',
        remedy: 'Give a PEFT folder, a .safetensors file or a GGUF LoRA.',
      });
    }
    const config = join(dirname(path), peftConfigName);
    return { weights: path, config: existsSync(config) ? config : null };
  }
  const missing = [peftConfigName, peftWeightsName].filter((name) => !existsSync(join(path, name)));
  if (missing.length > 0) {
    const pickled = missing.includes(peftWeightsName) && existsSync(join(path, 'adapter_model.bin'));
    throw new NomoatError({
      part: path,
      fault: `has no ${missing.join(' and no ')}`,
      remedy: pickled
        ? 'adapter_model.bin is a pickle, which nomoat does not read: save the adapter with PEFT as safetensors.'
        : 'Give the folder that PEFT or nomoat saved the adapter in.',
    });
  }
  return { weights: join(path, peftWeightsName), config: join(path, peftConfigName) };
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
      part: path,
      fault: `holds tensors that nomoat cannot use: ${unknown.slice(0, 3).join(', ')}${more}`,
      remedy: 'LoRA on q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and down_proj is supported.',
      fields: { tensors: unknown.slice(0, 20) },
    });
  }
  return loose;
}

function checkAgainstConfig(path: string, config: PeftConfig, rank: number, targets: readonly string[]): void {
  if (config.r !== rank) {
    throw new NomoatError({
      part: path,
      fault: `says r = ${config.r}, but the weights have rank ${rank}`,
      remedy: 'Put the config and the weights of the same adapter side by side.',
    });
  }
  // A string is a pattern over module names; the weights say what it matched.
  const listed = Array.isArray(config.target_modules) ? config.target_modules : targets;
  const names = listed.map((name) => name.split('.').at(-1)!);
  const absent = names.filter((name) => !targets.includes(name));
  const extra = targets.filter((name) => !names.includes(name));
  if (absent.length > 0 || extra.length > 0) {
    throw new NomoatError({
      part: path,
      fault: `lists the target modules ${names.join(', ')}, but the weights have ${targets.join(', ')}`,
      remedy: 'Put the config and the weights of the same adapter side by side.',
    });
  }
}

/**
 * Reads an adapter from a folder that PEFT saved, or from a bare .safetensors file: then the rank is read off the shapes and the
 * rest from adapter_config.json beside it, or else from `context` (alpha is needed). F16 and BF16 weights become float32.
 * Throws NomoatError naming what is wrong or unsupported.
 */
export function readPeft(folderOrSafetensors: string, context: PeftContext = {}): LoraAdapter {
  const { weights, config: configPath } = peftFiles(folderOrSafetensors);
  const config = configPath ? readConfig(configPath) : null;
  const { rank, targetModules, pairs } = collectPairs(weights, looseTensors(weights));
  if (config && configPath) checkAgainstConfig(configPath, config, rank, targetModules);
  const alpha = config?.lora_alpha ?? context.alpha;
  if (alpha === undefined) {
    throw new NomoatError({
      part: weights,
      fault: `has no ${peftConfigName} beside it, so its alpha is unknown`,
      remedy: `Give --alpha, or the folder with ${peftConfigName}.`,
    });
  }
  return {
    rank,
    alpha,
    rslora: config?.use_rslora ?? context.rslora ?? false,
    dropout: config?.lora_dropout ?? context.dropout ?? 0,
    targetModules,
    baseModel: config?.base_model_name_or_path ?? context.baseModel ?? '',
    pairs,
  };
}
