/** Merged adapters that the studio wrote, as models that can be asked. Promises: they are there as long as their folders, also after a restart. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type AdapterBase, readAdapterBase } from '../adapter/adapter-base.ts';
import { readAncestry } from '../adapter/lineage-files.ts';
import { NomoatError } from '../errors.ts';
import { digestOf } from '../store/file-digest.ts';
import type { LocalModel } from '../store/local-models.ts';
import { secondsOf } from './fine-tuned-names.ts';
import type { ServedModel } from './served-model.ts';

/** What was read of a folder, by when its weights were written. */
export type KnownMerges = Map<string, { readonly stamp: number; readonly base: AdapterBase | null }>;

/** The base of a merged adapter; null of what is none. */
function baseOfMerge(path: string): AdapterBase | null {
  try {
    const [own] = readAncestry(path).entries;
    return own?.how === 'merge' ? readAdapterBase(path) : null;
  } catch (error) {
    if (error instanceof NomoatError) return null;
    throw error;
  }
}

/** Those directly in `folder` whose base is among `local`. */
export async function mergedModels(
  folder: string,
  local: readonly LocalModel[],
  known: KnownMerges,
): Promise<ServedModel[]> {
  if (!existsSync(folder)) return [];
  const found: ServedModel[] = [];
  for (const { name } of readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const path = join(folder, name);
    const weights = statSync(join(path, 'adapter_model.safetensors'), { throwIfNoEntry: false });
    if (!weights) continue;
    const before = known.get(path);
    const base = before?.stamp === weights.mtimeMs ? before.base : baseOfMerge(path);
    known.set(path, { stamp: weights.mtimeMs, base });
    if (base === null) continue;
    for (const model of local)
      if (model.bytes === base.bytes && (await digestOf(model.path)) === base.sha256) {
        const created = secondsOf(weights.mtimeMs);
        found.push({ id: name, aliases: [], path, base: model.path, created, ownedBy: 'nomoat', parent: model.name });
        break;
      }
  }
  return found;
}
