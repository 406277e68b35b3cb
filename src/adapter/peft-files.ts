/**
 * Which files an adapter in PEFT's format consists of, whatever path was given: its folder, a run's folder, a file of
 * weights. Promises: what is missing or cannot be read (a pickle) is named, and so is the adapter that lies one folder
 * further down.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { readBoundedJson } from '../formats/bounded-json.ts';

export const peftConfigName = 'adapter_config.json';
export const peftWeightsName = 'adapter_model.safetensors';
const pickleName = 'adapter_model.bin';
/** A real adapter_config.json has about 1 kB; anything far above is no such file. */
export const maxPeftConfigBytes = 1 << 20;
/** mlx-lm's name of its weights; its config says what they are. */
export const mlxWeightsName = 'adapters.safetensors';
/** A checkpoint of a run of nomoat. */
const checkpointName = 'parameters.safetensors';
const indexName = `${peftWeightsName}.index.json`;
/** Where a run of nomoat keeps its adapter. */
const runAdapterFolder = 'adapter';
/** An index has a line a tensor; anything far above is none. */
const maxIndexBytes = 16 << 20;

export interface PeftFiles {
  /** One file, or the parts of a divided one. */
  readonly weights: readonly string[];
  /** null where there is none. */
  readonly config: string | null;
}

const pickleRemedy =
  'It is a pickle, which can run programs and which nomoat does not read: load it with PEFT and save it with safe_serialization=True.';

function refuse(part: string, fault: string, remedy: string): never {
  throw new NomoatError({ code: 'unusable-adapter', part, fault, remedy });
}

/** Names of folders in `folder` that hold an adapter. */
function adaptersBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, peftConfigName)))
    .map(({ name }) => name)
    .sort();
}

/** The files that the index of a divided adapter names, in order of name. */
function partsOf(folder: string): string[] {
  const path = join(folder, indexName);
  const remedy = 'Save the adapter again with PEFT, as one file.';
  const parsed = readBoundedJson(path, maxIndexBytes, { remedy, code: 'unusable-adapter' }) as {
    weight_map?: unknown;
  } | null;
  const map = parsed?.weight_map;
  const names = map && typeof map === 'object' ? [...new Set(Object.values(map))].sort() : [];
  // A part in another folder would be a file that nobody gave.
  const usable = (name: unknown): name is string =>
    typeof name === 'string' && /^[^/\\]+\.safetensors$/.test(name) && name !== '..';
  if (names.length === 0 || !names.every(usable)) return refuse(path, 'has no usable weight_map', remedy);
  const missing = names.find((name) => !existsSync(join(folder, name)));
  if (missing !== undefined) return refuse(folder, `has no ${missing}, which ${indexName} names`, remedy);
  return names.map((name) => join(folder, name));
}

function inFolder(folder: string): PeftFiles {
  const has = (name: string): boolean => existsSync(join(folder, name));
  const config = join(folder, peftConfigName);
  if (has(peftConfigName) && has(peftWeightsName)) return { weights: [join(folder, peftWeightsName)], config };
  if (has(peftConfigName) && has(indexName)) return { weights: partsOf(folder), config };
  for (const name of [mlxWeightsName, checkpointName])
    if (has(peftConfigName) && has(name)) return { weights: [join(folder, name)], config };
  if (!has(peftConfigName) && has(join(runAdapterFolder, peftConfigName)))
    return inFolder(join(folder, runAdapterFolder));
  const missing = [peftConfigName, peftWeightsName].filter((name) => !has(name));
  const below = adaptersBelow(folder);
  const others = readdirSync(folder).filter((name) => name.endsWith('.safetensors') && name !== peftWeightsName);
  const remedy = (): string => {
    if (has(pickleName)) return `There is an ${pickleName}. ${pickleRemedy}`;
    if (below.length > 0)
      return `Give one of the adapters in it: ${below.map((name) => join(folder, name)).join(', ')}.`;
    if (has(peftWeightsName)) return `Put its ${peftConfigName} beside it, or give the file ${peftWeightsName} itself.`;
    if (has(checkpointName))
      return `It is a checkpoint of a version that kept no ${peftConfigName} in it: give ${join(folder, checkpointName)} with the \`alpha\` of its run.`;
    if (others.length === 1) return `Give ${join(folder, others[0]!)} if that is the adapter.`;
    return 'Give the folder that PEFT or nomoat saved the adapter in.';
  };
  return refuse(folder, `has no ${missing.join(' and no ')}`, remedy());
}

/** The files that `path` means. Throws NomoatError. */
export function peftFiles(path: string): PeftFiles {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) {
    const remedy = `Give a folder with ${peftConfigName} and ${peftWeightsName}, or a .safetensors file.`;
    return refuse(path, 'there is no such file or folder', remedy);
  }
  if (stat.isDirectory()) return inFolder(path);
  if (/\.(bin|pt|pth|ckpt|pkl)$/i.test(path)) return refuse(path, 'is no adapter that nomoat reads', pickleRemedy);
  if (!path.toLowerCase().endsWith('.safetensors'))
    return refuse(path, 'is no adapter', 'Give a PEFT folder, a .safetensors file or a GGUF LoRA.');
  const config = join(dirname(path), peftConfigName);
  return { weights: [path], config: existsSync(config) ? config : null };
}
