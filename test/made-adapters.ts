/** Adapters on the packaged model that nobody trained, for tests: B is drawn, so that they change something. */
import { join } from 'node:path';
import { writePeft } from '../src/adapter/peft.ts';
import { Random } from '../src/batches/random.ts';
import { openGguf } from '../src/formats/gguf/read.ts';
import type { LoraAdapter, Projection } from '../src/lora/adapter.ts';
import { initLora } from '../src/lora/init.ts';
import { projectionDimensions, readModelConfig } from '../src/models/config.ts';

export const miniPath = join(import.meta.dirname, '../models/nomoat-mini/nomoat-mini.gguf');

/** Of rank 2 on the packaged model; B is uniform in +-`size`. */
export function madeAdapter(
  seed: number,
  size: number,
  targetModules: readonly Projection[] = ['q_proj', 'v_proj'],
): LoraAdapter {
  const model = openGguf(miniPath);
  const config = readModelConfig(model);
  model.close();
  const settings = { rank: 2, alpha: 4, rslora: false, dropout: 0, targetModules, baseModel: 'nomoat-mini' };
  const dimensions = (projection: Projection) => projectionDimensions(config, projection);
  const adapter = initLora({ ...settings, seed, layers: config.layers, dimensions });
  const random = new Random(seed, 1);
  for (const { b } of adapter.pairs) for (let i = 0; i < b.length; i++) b[i] = size * (2 * random.uniform() - 1);
  return adapter;
}

/** Writes it as PEFT does; returns the folder. */
export function writtenAdapter(folder: string, adapter: LoraAdapter): string {
  writePeft(folder, adapter);
  return folder;
}
