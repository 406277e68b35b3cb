/**
 * Reads an adapter in whichever format it comes: a PEFT folder, its .safetensors file, or a GGUF LoRA.
 */
import { existsSync } from 'node:fs';
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import type { LoraAdapter } from '../lora/adapter.ts';
import { readModelConfig } from '../models/config.ts';
import { checkAdapterFits, readGgufLora } from './gguf-lora.ts';
import { type PeftContext, readPeft } from './peft.ts';
import { peftFiles } from './peft-files.ts';

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
      remedy: 'Give a PEFT folder, a .safetensors file or a GGUF LoRA.',
    });
  }
  if (path.toLowerCase().endsWith('.gguf')) return readGgufLora(path, model, context.note);
  const adapter = readPeft(path, { ...context, layers: readModelConfig(model).layers });
  checkAdapterFits(path, adapter, model);
  return adapter;
}

/** The files that `readAdapter` reads. Throws NomoatError where they are not there. */
export function adapterFiles(path: string): string[] {
  if (path.toLowerCase().endsWith('.gguf')) return [path];
  const { config, weights } = peftFiles(path);
  return config === null ? [...weights] : [...weights, config];
}
