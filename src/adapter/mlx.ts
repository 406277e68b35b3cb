/**
 * Adapters of mlx-lm: adapters.safetensors with A as [in, rank] and B as [rank, out], and adapter_config.json. Promises:
 * what is written loads in mlx-lm, which wants one rank and one scale: lower ranks are filled up with zeros, and a scale
 * of a module's own is multiplied into its B; reading takes such zeros away again. Rows of q and k stand as in
 * transformers. Format: mlx_lm/tuner/lora.py, linear_to_lora_layers and load_adapters in mlx_lm/tuner/utils.py.
 */
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { writeFailure, writeFileAtomic } from '../formats/atomic-write.ts';
import { readBoundedJson } from '../formats/bounded-json.ts';
import { type NamedTensor, readSafetensors, type SafetensorsTensor, writeSafetensors } from '../formats/safetensors.ts';
import { adaptedProjections, type LoraAdapter, type LoraPair, scalesOf } from '../lora/adapter.ts';
import { collectPairs, type LooseTensor, withAlpha } from './collect-pairs.ts';
import { checkDora } from './dora.ts';
import { mlxModuleKey, mlxTensorName, parseMlxTensorName } from './module-names.ts';
import { mostFrequent } from './most-frequent.ts';
import { scaledB, trimmed, widened } from './pair-forms.ts';
import { maxPeftConfigBytes, mlxWeightsName, peftConfigName } from './peft-files.ts';

/** What mlx-lm ignores: PEFT's settings, where all modules have the same, so that they come back as they were. */
const ownSettings = z.object({ lora_alpha: z.number().positive(), use_rslora: z.boolean() });
const configSchema = z.looseObject({
  fine_tune_type: z.string().default('lora'),
  lora_parameters: z.looseObject({ scale: z.number(), dropout: z.number().min(0).max(1).default(0) }).nullish(),
  model: z.string().nullish(),
  nomoat: ownSettings.optional().catch(undefined),
});
type MlxConfig = z.infer<typeof configSchema>;

const refuse = (part: string, fault: string, remedy: string): never => {
  throw new NomoatError({ code: 'unusable-adapter', part, fault, remedy });
};

/** Whether adapter_config.json is mlx-lm's. */
export function isMlxConfig(path: string): boolean {
  const remedy = 'Save the adapter again with the program that made it.';
  const parsed = readBoundedJson(path, maxPeftConfigBytes, { remedy, code: 'unusable-adapter' });
  return typeof parsed === 'object' && parsed !== null && ('lora_parameters' in parsed || 'fine_tune_type' in parsed);
}

function readConfig(path: string): MlxConfig & { lora_parameters: { scale: number; dropout: number } } {
  const remedy = 'Save the adapter again with mlx-lm.';
  const result = configSchema.safeParse(
    readBoundedJson(path, maxPeftConfigBytes, { remedy, code: 'unusable-adapter' }),
  );
  if (!result.success) {
    const faults = result.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
    return refuse(path, faults.join('; '), 'Give a LoRA adapter as mlx-lm saves it.');
  }
  const { fine_tune_type: type, lora_parameters: parameters } = result.data;
  if (!['lora', 'dora'].includes(type) || !parameters)
    return refuse(
      path,
      `says fine_tune_type ${type}: its weights are no adapter`,
      'Fuse the model there with mlx_lm.fuse, which exports GGUF as well.',
    );
  return { ...result.data, lora_parameters: parameters };
}

function transposed(values: Float32Array, [rows, columns]: readonly [number, number]): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = values[i * columns + j]!;
  return out;
}

/** A tensor as PEFT has it. */
function looseTensor(part: string, name: string, { shape, float32 }: SafetensorsTensor): LooseTensor {
  const parsed = parseMlxTensorName(name);
  if (!parsed)
    return refuse(
      part,
      `holds the tensor ${name}, which nomoat cannot use`,
      'LoRA on q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and down_proj is supported.',
    );
  return {
    ...parsed,
    name,
    shape: [...shape].reverse(),
    float32: () => (shape.length === 2 ? transposed(float32(), shape as readonly [number, number]) : float32()),
  };
}

/** Reads `weights` (one file, or several) with the config beside them. Throws NomoatError naming what is wrong. */
export function readMlx(weights: readonly string[], configPath: string, context: { dora?: boolean } = {}): LoraAdapter {
  const config = readConfig(configPath);
  const { dropout, scale } = config.lora_parameters;
  const part = weights[0]!;
  const loose = weights.flatMap((path) =>
    [...readSafetensors(path).tensors].map(([name, tensor]) => looseTensor(path, name, tensor)),
  );
  const ranked = collectPairs(part, loose).map(trimmed);
  checkDora(part, ranked, { stated: config.fine_tune_type === 'dora', wanted: context.dora ?? false });
  const own = config.nomoat;
  return {
    pairs: withAlpha(ranked, ({ rank }) => own?.lora_alpha ?? scale * rank),
    rslora: own?.use_rslora ?? false,
    dropout,
    baseModel: config.model ?? '',
  };
}

function ownSettingsOf({ pairs, rslora }: LoraAdapter): { nomoat?: z.infer<typeof ownSettings> } {
  const { alpha, rank } = pairs[0]!;
  const same = pairs.every((pair) => pair.alpha === alpha && pair.rank === rank);
  return same ? { nomoat: { lora_alpha: alpha, use_rslora: rslora } } : {};
}

/** `layers` of the base model: mlx-lm counts adapted layers from the last. */
function mlxConfig(adapter: LoraAdapter, scale: number, layers: number): Record<string, unknown> {
  const { baseModel, dropout, pairs } = adapter;
  return {
    fine_tune_type: 'lora',
    lora_parameters: {
      dropout,
      keys: adaptedProjections(pairs).map(mlxModuleKey),
      rank: Math.max(...pairs.map(({ rank }) => rank)),
      scale,
    },
    model: baseModel,
    ...ownSettingsOf(adapter),
    num_layers: layers - pairs[0]!.layer,
  };
}

/** One rank and one scale. */
function uniform(adapter: LoraAdapter): { readonly scale: number; readonly pairs: readonly LoraPair[] } {
  const scales = scalesOf(adapter);
  const scale = mostFrequent(scales);
  const rank = Math.max(...adapter.pairs.map((pair) => pair.rank));
  return { scale, pairs: adapter.pairs.map((pair, i) => widened(scaledB(pair, scales[i]! / scale), rank)) };
}

/** Writes the two files into `folder`, which is made when missing. Returns their paths. Throws NomoatError. */
export function writeMlx(folder: string, adapter: LoraAdapter, layers: number): string[] {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw writeFailure(folder, error);
  }
  const { pairs, scale } = uniform(adapter);
  const tensors = pairs.flatMap(({ a, b, inFeatures, outFeatures, rank, ...module }): NamedTensor[] => [
    {
      name: mlxTensorName({ ...module, half: 'A' }),
      shape: [inFeatures, rank],
      values: transposed(a, [rank, inFeatures]),
    },
    {
      name: mlxTensorName({ ...module, half: 'B' }),
      shape: [rank, outFeatures],
      values: transposed(b, [outFeatures, rank]),
    },
  ]);
  const [weights, config] = [mlxWeightsName, peftConfigName].map((name) => join(folder, name)) as [string, string];
  writeSafetensors(weights, tensors, { format: 'mlx' });
  writeFileAtomic(config, `${JSON.stringify(mlxConfig(adapter, scale, layers), null, 2)}\n`);
  return [config, weights].map((path) => join(folder, basename(path)));
}
