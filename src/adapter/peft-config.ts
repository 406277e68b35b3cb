/**
 * adapter_config.json as others write it: what the weights beside it mean. Promises: a setting that changes their
 * meaning is obeyed (ranks, alphas, layers by pattern) or refused by name; what says nothing about this model is noted.
 * Knows nothing of the weights' file. Settings: peft/tuners/lora/config.py.
 */
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { readBoundedJson } from '../formats/bounded-json.ts';
import type { Projection } from '../lora/adapter.ts';
import { peftModulePath } from './module-names.ts';
import { maxPeftConfigBytes } from './peft-files.ts';

const empty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === false ||
  (typeof value === 'object' && Object.keys(value as object).length === 0);

/** Initialisations that also change the base's weights, so that the adapter alone is not enough. */
const changesBase = (value: unknown): boolean =>
  typeof value === 'string' && /^(pissa|olora|corda|loftq|lora_ga)/i.test(value);

/** Settings that change what the weights mean and that nomoat does not do: each with the test that it is off. */
const refusedSettings: readonly { readonly key: string; readonly off: (value: unknown) => boolean }[] = [
  ...[
    'lora_bias',
    'layer_replication',
    'target_parameters',
    'trainable_token_indices',
    'use_qalora',
    'use_bdlora',
    'kasa_config',
    'monteclora_config',
    'alora_invocation_tokens',
    'arrow_config',
  ].map((key) => ({ key, off: empty })),
  { key: 'init_lora_weights', off: (value) => !changesBase(value) },
];

/** Modules outside the blocks that a model has; PEFT saves them whole where modules_to_save lists them. */
const wholeModules = /(^|\.)(embed_tokens|lm_head|norm|input_layernorm|post_attention_layernorm|q_norm|k_norm)$/;

const pattern = z.record(z.string(), z.number().positive()).nullish();
const configSchema = z.looseObject({
  peft_type: z.literal('LORA'),
  // What PEFT takes where a config says none.
  r: z.int().positive().default(8),
  lora_alpha: z.number().positive().default(8),
  lora_dropout: z.number().min(0).max(1).default(0),
  use_rslora: z.boolean().default(false),
  use_dora: z.boolean().nullish(),
  target_modules: z.union([z.array(z.string()), z.string()]).nullish(),
  exclude_modules: z.union([z.array(z.string()), z.string()]).nullish(),
  rank_pattern: pattern,
  alpha_pattern: pattern,
  layers_to_transform: z.union([z.array(z.int()), z.int()]).nullish(),
  layers_pattern: z.union([z.array(z.string()), z.string()]).nullish(),
  modules_to_save: z.array(z.string()).nullish(),
  bias: z.string().nullish(),
  fan_in_fan_out: z.boolean().nullish(),
  base_model_name_or_path: z.string().nullish(),
});
export type PeftConfig = z.infer<typeof configSchema>;

function faultsOf(config: PeftConfig): string[] {
  const on = refusedSettings.filter(({ key, off }) => !off(config[key])).map(({ key }) => key);
  if (config.modules_to_save?.some((name) => wholeModules.test(name))) on.push('modules_to_save');
  return on;
}

/** Reads and checks the file. Throws NomoatError. */
export function readPeftConfig(path: string): PeftConfig {
  const parsed = readBoundedJson(path, maxPeftConfigBytes, {
    remedy: 'Save the adapter again with PEFT or nomoat.',
    code: 'unusable-adapter',
  });
  const result = configSchema.safeParse(parsed);
  if (!result.success) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part: path,
      fault: result.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; '),
      remedy: 'Give a LoRA adapter as PEFT saves it.',
    });
  }
  const on = faultsOf(result.data);
  if (on.length > 0) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part: path,
      fault: `uses ${on.map((key) => `${key} = ${JSON.stringify(result.data[key])}`).join(', ')}, which nomoat does not support`,
      remedy:
        'Train or convert the adapter to plain LoRA (no bias, no extra modules), or merge it into the model with PEFT.',
      fields: { settings: on },
    });
  }
  return result.data;
}

/** Repetitions in a pattern beyond this could be tried in too many ways on each module's path; real ones have up to four. */
const maxRepetitions = 5;

/** The pattern for the whole of a text, as Python's re.fullmatch; throws Error where it may take too long, or is Python's alone. */
function wholeText(pattern: string): RegExp {
  const repetitions = pattern.replaceAll('(?:', '(').match(/[*+?{]/g)?.length ?? 0;
  if (repetitions > maxRepetitions || /\)[*+{]/.test(pattern)) throw new Error('it repeats too much');
  return new RegExp(`^(?:${pattern})$`);
}

/** Whether a key of rank_pattern or alpha_pattern means the module, as peft.utils.other.get_pattern_key matches it. */
function patternMatches(part: string, key: string, modulePath: string): boolean {
  if (/^[\w.]+$/.test(key)) return modulePath === key || modulePath.endsWith(`.${key}`);
  try {
    return wholeText(key).test(modulePath) || wholeText(`.*\\.(${key})`).test(modulePath);
  } catch (error) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part,
      fault: `has the pattern ${key}, which nomoat cannot use (${(error as Error).message})`,
      remedy: 'Write the names of modules in rank_pattern and alpha_pattern.',
    });
  }
}

/** The rank and alpha that PEFT gives a module. */
export function moduleSettings(
  part: string,
  config: PeftConfig,
  module: { readonly layer: number; readonly projection: Projection },
): { rank: number; alpha: number } {
  const path = peftModulePath(module);
  const found = (values: Readonly<Record<string, number>> | null | undefined, otherwise: number): number => {
    const key = Object.keys(values ?? {}).find((name) => patternMatches(part, name, path));
    return key === undefined ? otherwise : values![key]!;
  };
  return { rank: found(config.rank_pattern, config.r), alpha: found(config.alpha_pattern, config.lora_alpha) };
}

type Names = readonly string[] | string | null | undefined;

/** Whether names, or a pattern, mean the module of that path; null where the pattern cannot be looked at. */
function means(names: Names, path: string): boolean | null {
  if (typeof names !== 'string') return (names ?? []).some((name) => path === name || path.endsWith(`.${name}`));
  try {
    return wholeText(names).test(path);
  } catch {
    return null;
  }
}

/** PEFT's word for every linear layer. */
const isAllLinear = (names: Names): boolean => typeof names === 'string' && names.toLowerCase() === 'all-linear';

/** Whether the layer is one of those chosen: with a list of names alone, and none for an empty one, as PEFT has it. */
function isChosenLayer({ layers_pattern, layers_to_transform: layers, target_modules }: PeftConfig, layer: number) {
  const chosen = [layers ?? []].flat();
  if (chosen.length === 0 || typeof target_modules === 'string') return true;
  const folders = [layers_pattern ?? []].flat();
  // What holds the blocks is called so in every model here.
  return chosen.includes(layer) && (folders.length === 0 || folders.includes('layers'));
}

/**
 * Whether PEFT would make an adapter for the module (peft/tuners/tuners_utils.py, check_target_module_exists): a weight
 * for any other one is not used. What a pattern says that cannot be looked at is taken to be so (`unusedSettings` tells).
 */
export function targets(
  config: PeftConfig,
  { layer, projection }: { readonly layer: number; readonly projection: Projection },
): boolean {
  const { exclude_modules: excluded, target_modules: names } = config;
  const path = peftModulePath({ layer, projection });
  if (excluded && means(excluded, path) === true) return false;
  if (names === null || names === undefined || isAllLinear(names)) return true;
  // A module that is named by its whole path is made whatever the layers are.
  if (Array.isArray(names) && names.includes(path)) return true;
  return isChosenLayer(config, layer) && means(names, path) !== false;
}

/** What the config says that means nothing for these weights. */
export function unusedSettings(
  config: PeftConfig,
  modules: readonly { readonly layer: number; readonly projection: Projection }[],
): string[] {
  const notes: string[] = [];
  const paths = modules.map(peftModulePath);
  const names = Array.isArray(config.target_modules) ? config.target_modules : [];
  const idle = names.filter((name) => !paths.some((path) => path === name || path.endsWith(`.${name}`)));
  const unread = [config.target_modules, config.exclude_modules].filter(
    (each) => typeof each === 'string' && !isAllLinear(each) && means(each, paths[0]!) === null,
  );
  for (const each of unread) notes.push(`has the pattern ${String(each).slice(0, 80)}, which is not looked at`);
  if (idle.length > 0) notes.push(`lists target modules that its weights do not have: ${idle.slice(0, 10).join(', ')}`);
  if (config.modules_to_save?.length)
    notes.push(`lists modules to save that it does not hold: ${config.modules_to_save.slice(0, 10).join(', ')}`);
  if (config.bias && config.bias !== 'none') notes.push(`says bias = "${config.bias}", and holds no biases`);
  // PEFT switches it off for linear layers.
  if (config.fan_in_fan_out) notes.push('says fan_in_fan_out, which means nothing for these modules');
  return notes;
}
