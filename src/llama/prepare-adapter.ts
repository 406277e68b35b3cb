/**
 * The GGUF LoRA that llama.cpp loads, whatever format an adapter comes in: PEFT's is converted to a temporary file.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeGgufLora } from '../adapter/gguf-lora.ts';
import { readAdapter } from '../adapter/read-adapter.ts';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';

export interface PreparedAdapter {
  readonly path: string;
  /** Removes what was made; after llama.cpp has loaded the file, nobody needs it. */
  remove(): void;
}

/** A GGUF LoRA is used as it is: llama.cpp checks its shapes, and knows adapters that training here does not. */
function checkGgufLora(path: string, model: GgufFile): void {
  const file = openGguf(path);
  const [type, architecture] = [file.string('general.type'), file.string('general.architecture')];
  file.close();
  const wanted = model.string('general.architecture');
  if (type === 'adapter' && architecture === wanted) return;
  throw new NomoatError({
    code: 'unusable-adapter',
    part: path,
    fault: type === 'adapter' ? `is an adapter for ${architecture}, and the model is ${wanted}` : 'is no adapter',
    remedy: 'Give a GGUF LoRA, a PEFT folder or a .safetensors file that was made for this model.',
  });
}

function temporaryFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'nomoat-adapter-'));
  } catch (error) {
    throw new NomoatError({
      part: tmpdir(),
      fault: `the adapter cannot be converted there (${(error as NodeJS.ErrnoException).code})`,
      remedy:
        'Set TMPDIR (on Windows TEMP) to a folder that can be written, or give a GGUF LoRA, which needs no conversion.',
      kind: 'failed',
      cause: error,
    });
  }
}

/** Throws NomoatError where `path` is no adapter for `model`. */
export function prepareAdapter(path: string, model: GgufFile): PreparedAdapter {
  if (path.toLowerCase().endsWith('.gguf')) {
    checkGgufLora(path, model);
    return { path, remove: () => {} };
  }
  const adapter = readAdapter(path, model);
  const folder = temporaryFolder();
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const converted = join(folder, 'adapter.gguf');
    writeGgufLora(converted, adapter, model);
    return { path: converted, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
