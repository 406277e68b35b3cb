/** The catalogue of a folder of adapters, by which it is a hub: on a disk, or behind any web server. Promises: written whole, last. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NomoatError } from '../errors.ts';
import { writeFileAtomic } from '../formats/atomic-write.ts';
import { digestOf } from '../store/file-digest.ts';
import { type FolderIndex, type IndexedAdapter, indexName, indexVersion, revisionOf } from '../store/folder-index.ts';
import { holdsAdapter, readShareUnit } from './share-unit.ts';

/** A catalogue that was written. */
export interface IndexedFolder {
  /** Absolute path of the catalogue. */
  readonly path: string;
  /** Names of the adapters in it. */
  readonly names: readonly string[];
  /** What was left out and why, in sentences. */
  readonly notes: readonly string[];
}

/** organisation/name, and two more. */
const deepest = 4;

/** Folders of adapters below `root`, by name; not those in others of them. */
function unitsBelow(root: string, below = '', depth = 0): string[] {
  const folder = join(root, below);
  if (below !== '' && holdsAdapter(folder)) return [below];
  if (depth === deepest) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter(
      (entry) =>
        !entry.name.startsWith('.') && statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory(),
    )
    .flatMap(({ name }) => unitsBelow(root, below === '' ? name : `${below}/${name}`, depth + 1))
    .sort();
}

/** The adapter in `folder` as a catalogue lists it under `name`. Throws NomoatError where it is broken. */
export async function indexedAdapter(folder: string, name: string): Promise<IndexedAdapter> {
  const { base, facts, files } = readShareUnit(folder);
  const listed: IndexedAdapter['files'] = [];
  for (const { bytes, path, source } of files) listed.push({ path, bytes, sha256: await digestOf(source) });
  listed.sort((left, right) => (left.path < right.path ? -1 : 1));
  const { baseModel, license } = facts;
  return {
    name,
    revision: revisionOf(listed),
    license,
    baseModel,
    base: base && { file: base.file, bytes: base.bytes, sha256: base.sha256 },
    files: listed,
  };
}

/** Writes the catalogue of all adapters below `folder` into it; broken ones are left out and said. Rejects with NomoatError. */
export async function indexFolder(folder: string): Promise<IndexedFolder> {
  const root = resolve(folder);
  if (!existsSync(root) || !statSync(root).isDirectory())
    throw new NomoatError({ part: folder, fault: 'is no folder', remedy: 'Give the folder that holds the adapters.' });
  if (holdsAdapter(root))
    throw new NomoatError({
      part: folder,
      fault: 'is an adapter itself',
      remedy: 'Give the folder above it, which others can hold as well.',
    });
  const notes: string[] = [];
  const adapters: IndexedAdapter[] = [];
  for (const name of unitsBelow(root)) {
    try {
      const indexed = await indexedAdapter(join(root, name), name);
      adapters.push(indexed);
      if (indexed.license === null) notes.push(`${name}: its card states no license.`);
    } catch (error) {
      if (!(error instanceof NomoatError)) throw error;
      notes.push(`${name} is left out: ${error.message}`);
    }
  }
  if (adapters.length === 0)
    throw new NomoatError({
      part: folder,
      fault: `holds no adapter that can be shared${notes.length > 0 ? ` (${notes.join(' ')})` : ''}`,
      remedy: 'Put adapters into folders below it: `push(run, { to: FOLDER })`.',
    });
  const path = join(root, indexName);
  const index: FolderIndex = { nomoatIndex: indexVersion, adapters };
  writeFileAtomic(path, `${JSON.stringify(index, null, 2)}\n`);
  return { path, names: adapters.map(({ name }) => name), notes };
}
