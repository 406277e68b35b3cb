/** vLLM's routes for adapters at run time: an adapter below the folders of models becomes a model, until the server ends or it is unloaded. */
import { statSync } from 'node:fs';
import { z } from 'zod';
import { readAdapter } from '../../adapter/read-adapter.ts';
import { NomoatError } from '../../errors.ts';
import { openGguf } from '../../formats/gguf/read.ts';
import { resolveChat } from '../../library.ts';
import { prepareAdapter } from '../../llama/prepare-adapter.ts';
import { adapterBelow } from '../adapter-path.ts';
import { ApiError, wrongParameter } from '../api-error.ts';
import { open, plainText, readParameters } from '../parameters.ts';
import { jsonOf } from '../request.ts';
import type { ServedModel } from '../served-model.ts';
import { namedModel } from './models.ts';
import type { RouteParts, Routes } from './routes.ts';

const mostNameCharacters = 128;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const withoutControls = /^[^\u0000-\u001f\u007f]*$/;
const adapterName = plainText
  .min(1)
  .max(mostNameCharacters)
  .regex(withoutControls, 'control characters are no part of a name');

export const loadParameters = z.object({
  lora_name: adapterName.describe(
    `the model's name from then on, up to ${mostNameCharacters} characters; none that a model has`,
  ),
  lora_path: plainText
    .min(1)
    .describe(
      "its place below a folder of models, such as `adapters/polite`: a GGUF LoRA, or a folder of PEFT's; never a path from the root, nor one that leaves the folder by `..` or links",
    ),
  base_model_name: open(z.string().min(1)).describe(
    'not of vLLM: the model that it is for; by default the one that it fits',
  ),
});
export const loadRefusals = {
  load_inplace: { why: 'an adapter is unloaded before another takes its name', nothing: [false] },
  is_3d_lora_weight: { why: 'mixtures of experts are not supported', nothing: [false] },
};
export const unloadParameters = z.object({ lora_name: adapterName.describe('as it was loaded') });
export const unloadRefusals = { lora_int_id: { why: 'adapters have no numbers here' } };

/** The file of a base that is asked by its own name; null for what was made of one. */
async function baseFile({ parent, path }: ServedModel): Promise<string | null> {
  return parent === null ? (await resolveChat({ model: path })).modelPath : null;
}

/** Whether the adapter is made for that base, by the names and shapes of its weights. */
function fits(path: string, base: string): boolean {
  try {
    const gguf = openGguf(base);
    try {
      readAdapter(path, gguf);
      return true;
    } finally {
      gguf.close();
    }
  } catch (error) {
    if (error instanceof NomoatError) return false;
    throw error;
  }
}

/** The one served model that the adapter fits. Rejects with ApiError where it is none, or several. */
async function fittingBase({ models }: RouteParts, path: string): Promise<ServedModel> {
  const found: ServedModel[] = [];
  for (const model of await models.all()) {
    const file = await baseFile(model).catch(() => null);
    if (file !== null && fits(path, file)) found.push(model);
  }
  if (found.length === 1) return found[0]!;
  const fault =
    found.length === 0 ? 'it fits none of the models here' : `it fits ${found.map(({ id }) => id).join(' and ')}`;
  throw wrongParameter(
    'base_model_name',
    'invalid_value',
    `The adapter's base is not known: ${fault}. Give 'base_model_name'.`,
  );
}

/** The named base, if the adapter can be loaded on it. Rejects with ApiError. */
async function namedBase({ models }: RouteParts, path: string, name: string): Promise<ServedModel> {
  const model = await namedModel(models, name, 'base_model_name');
  const file = await baseFile(model);
  if (file === null)
    throw wrongParameter('base_model_name', 'invalid_value', `'${name}' is no base: it is made of one.`);
  const gguf = openGguf(file);
  try {
    prepareAdapter(path, gguf).remove();
    return model;
  } catch (error) {
    if (!(error instanceof NomoatError)) throw error;
    throw new ApiError({
      status: 422,
      code: 'unusable_adapter',
      param: 'lora_path',
      message: `The adapter is not made for '${name}'.`,
      cause: error,
    });
  } finally {
    gguf.close();
  }
}

async function load(parts: RouteParts, body: unknown): Promise<string> {
  const { base_model_name, lora_name: id, lora_path } = readParameters(body, loadParameters, loadRefusals);
  if ((await parts.models.find(id)) !== null)
    throw wrongParameter(
      'lora_name',
      'invalid_value',
      `Invalid value for 'lora_name': there is a model '${id}' already.`,
    );
  const path = adapterBelow(parts.models.folders, lora_path);
  const base = await (base_model_name ? namedBase(parts, path, base_model_name) : fittingBase(parts, path));
  const created = Math.floor(statSync(path).mtimeMs / 1000);
  parts.models.load({ id, aliases: [], path, base: base.path, created, ownedBy: 'local', parent: base.id });
  return `Success: LoRA adapter '${id}' added successfully.`;
}

function unload(parts: RouteParts, body: unknown): string {
  const { lora_name: id } = readParameters(body, unloadParameters, unloadRefusals);
  if (!parts.models.unload(id))
    throw new ApiError({
      status: 404,
      code: 'adapter_not_found',
      param: 'lora_name',
      message: `No adapter '${id}' was loaded.`,
    });
  return `Success: LoRA adapter '${id}' removed successfully.`;
}

export const adapterRoutes = (parts: RouteParts): Routes => ({
  'POST /v1/load_lora_adapter': async (context) => context.text(await load(parts, await jsonOf(context))),
  'POST /v1/unload_lora_adapter': async (context) => context.text(unload(parts, await jsonOf(context))),
});
