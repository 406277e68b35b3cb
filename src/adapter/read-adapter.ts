/**
 * Reads an adapter in whichever format it comes: a PEFT folder, its .safetensors file, mlx-lm's folder, or a GGUF LoRA.
 */
import { existsSync } from 'node:fs';
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import type { EvenAdapter, LoraAdapter } from '../lora/adapter.ts';
import { readModelConfig } from '../models/config.ts';
import { evenAdapter } from './even-adapter.ts';
import { checkAdapterFits, readGgufLora } from './gguf-lora.ts';
import { isMlxConfig, readMlx } from './mlx.ts';
import { type PeftContext, readPeft } from './peft.ts';
import { peftFiles } from './peft-files.ts';

const isGguf = (path: string): boolean => path.toLowerCase().endsWith('.gguf');

/**
 * The adapter at `path`, checked against `model`'s layers and shapes. `context` says what a bare .safetensors file does
 * not. Throws NomoatError.
 */
export function readAdapter(path: string, model: GgufFile, context: PeftContext = {}): LoraAdapter {
  if (!existsSync(path)) {
    throw new NomoatError({
      code: 'adapter-not-found',
      part: path,
      fault: 'there is no such file or folder',
      remedy: 'Give a PEFT folder, a .safetensors file, a folder of mlx-lm or a GGUF LoRA.',
    });
  }
  if (isGguf(path)) return readGgufLora(path, model);
  const { config, weights } = peftFiles(path);
  const adapter = config !== null && isMlxConfig(config) ? readMlx(weights, config, context) : readPeft(path, context);
  checkAdapterFits(path, adapter, model);
  return adapter;
}

/** The same as it is trained: with one rank, the same modules in every layer. `context.note` is told what was filled up for it. */
export function readEvenAdapter(path: string, model: GgufFile, context: PeftContext = {}): EvenAdapter {
  const { layers } = readModelConfig(model);
  return evenAdapter(readAdapter(path, model, context), { part: path, layers, note: context.note });
}

/** The files that `readAdapter` reads. Throws NomoatError where they are not there. */
export function adapterFiles(path: string): string[] {
  if (isGguf(path)) return [path];
  const { config, weights } = peftFiles(path);
  return config === null ? [...weights] : [...weights, config];
}
