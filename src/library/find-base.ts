/** The base of an adapter that came from elsewhere: where it is on this machine, or by which name it is pulled. */
import { basename } from 'node:path';
import type { AdapterBase } from '../adapter/adapter-base.ts';
import { type CatalogueEntry, findInCatalogue, modelCatalogue } from '../store/catalogue.ts';
import { digestOf } from '../store/file-digest.ts';
import { findLocalModels } from '../store/local-models.ts';
import type { Surroundings } from '../store/model-folders.ts';

/** The base of an adapter. */
export interface FoundBase {
  /** Its file, as nomoat.json names it; null where nobody says. */
  readonly file: AdapterBase | null;
  /** Its id on the hub, as card or config name it; null where nobody says. */
  readonly id: string | null;
  /** Absolute path of that very file on this machine, by its digest; null where it is not here. */
  readonly path: string | null;
  /** What `pull()` takes for it; null where that is not known. */
  readonly pullName: string | null;
}

export interface NamedBase {
  readonly file: AdapterBase | null;
  readonly id: string | null;
}

const sameName = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase();

/** `Qwen/Qwen3-0.6B` of `Qwen/Qwen3-0.6B-GGUF`, which has the same model for llama.cpp. */
const withoutGguf = (repo: string): string => repo.replace(/-GGUF$/i, '');

/** The catalogue's entry for the base, by its file or its id. */
export function catalogued({ file, id }: NamedBase): CatalogueEntry | null {
  const byFile =
    file && modelCatalogue.find((entry) => sameName(entry.file, file.file) || entry.pypi?.file === file.file);
  const byId =
    id &&
    (findInCatalogue(id) ??
      modelCatalogue.find(({ repos }) => repos.some((repo) => sameName(withoutGguf(repo), withoutGguf(id)))));
  return byFile || byId || null;
}

/** Looks for the base on this machine, by size and digest, and in the catalogue. */
export async function findBase(named: NamedBase, around: Surroundings): Promise<FoundBase> {
  const entry = catalogued(named);
  const { file, id } = named;
  const pullName = entry?.name ?? (id !== null && /-GGUF$/i.test(id) ? id : null);
  if (file === null) return { ...named, path: null, pullName };
  const sameSize = (await findLocalModels(around)).filter(({ bytes }) => bytes === file.bytes);
  // The likeliest first: digests of large files take a while.
  sameSize.sort(
    (left, right) => Number(basename(right.path) === file.file) - Number(basename(left.path) === file.file),
  );
  for (const { path } of sameSize) if ((await digestOf(path)) === file.sha256) return { ...named, path, pullName };
  return { ...named, path: null, pullName };
}
