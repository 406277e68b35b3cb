/** The lineage of an adapter in its files: read wherever it stands, written beside the weights. Promises: digests are those of the files. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readBoundedJson } from '../formats/bounded-json.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { sha256OfFile } from '../store/file-digest.ts';
import { type AdapterBase, adapterBaseName, maxAdapterBaseBytes, writeAdapterBase } from './adapter-base.ts';
import {
  type Begotten,
  begetEntries,
  foundling,
  type LineageEntry,
  lineageKey,
  lineageRecord,
  type Parent,
  parseLineage,
  weightsId,
} from './lineage.ts';
import { adapterFiles } from './read-adapter.ts';

/** The name that is known: of a run its folder's, whose adapter lies in `adapter`. */
function nameOf(folder: string): string {
  const name = basename(resolve(folder));
  return name === 'adapter' ? basename(dirname(resolve(folder))) : name;
}

/** Files in which an adapter's weights may stand. */
const isWeights = (name: string): boolean => /\.(safetensors|gguf)$/.test(name);

/** Writes nomoat.json beside the files of the adapter in `folder`, which are all there but that. `name` is where it will lie. */
export function writeLineage(
  folder: string,
  { base, name }: { readonly base: AdapterBase | null; readonly name: string },
  begotten: Begotten,
): void {
  const names = readdirSync(folder)
    .filter((file) => isWeights(file) || file === 'adapter_config.json')
    .sort();
  const files = names.map((file) => ({ file, sha256: sha256OfFile(join(folder, file)) }));
  const { weights } = ownFiles(folder);
  const id = weightsId(weights.map((path) => files.find(({ file }) => file === basename(path))!.sha256));
  const entries = begetEntries({ id, name: begotten.name ?? nameOf(name), files, base }, begotten);
  writeAdapterBase(folder, base, lineageRecord(entries));
}

/** The files that are the adapter's weights, and the folder that they lie in. Throws NomoatError. */
function ownFiles(path: string): { readonly folder: string; readonly weights: readonly string[] } {
  const weights = adapterFiles(path).filter(isWeights);
  return { folder: dirname(weights[0]!), weights };
}

/** Where an adapter comes from, as far as its files say it. */
export interface Ancestry {
  /** Its own first. */
  readonly entries: readonly LineageEntry[];
  /** What its files say of it and is not so, in sentences. */
  readonly faults: readonly string[];
}

/** What nomoat.json in a folder says, if there is one that says it. Throws NomoatError. */
function besideIt(folder: string): readonly LineageEntry[] | null {
  const file = join(folder, adapterBaseName);
  if (!existsSync(file)) return null;
  const remedy = 'Put it back from a copy; without that file nothing is known of where the adapter comes from.';
  const value = readBoundedJson(file, maxAdapterBaseBytes, { remedy, code: 'unusable-adapter' }) as {
    base?: unknown;
    lineage?: unknown;
  } | null;
  return value?.lineage === undefined ? null : parseLineage(file, value.lineage);
}

/** What a GGUF says of itself, where it does. */
function embeddedIn(path: string): string | null {
  const file = openGguf(path);
  try {
    return file.string(lineageKey) ?? null;
  } finally {
    file.close();
  }
}

/**
 * The lineage of the adapter at `path` (a run, a folder, a file). What says nothing is a foundling: known by its digest alone. Throws NomoatError.
 */
export function readAncestry(path: string): Ancestry {
  const { folder, weights } = ownFiles(path);
  const files = weights.map((file) => ({ file: basename(file), sha256: sha256OfFile(file) }));
  const id = weightsId(files.map(({ sha256 }) => sha256));
  const isFolder = statSync(path).isDirectory();
  const name = isFolder ? nameOf(folder) : basename(path);
  const text = weights[0]!.endsWith('.gguf') ? embeddedIn(weights[0]!) : null;
  if (text !== null) {
    const entries = parseLineage(weights[0]!, parsedText(text));
    return {
      entries: entries[0]!.id === '' ? [{ ...entries[0]!, id, files }, ...entries.slice(1)] : entries,
      faults: [],
    };
  }
  const entries = besideIt(folder);
  if (entries === null) return { entries: [foundling(name, files, id)], faults: [] };
  const own = new Set(entries[0]!.files.map(({ sha256 }) => sha256));
  if (files.every(({ sha256 }) => own.has(sha256))) return { entries, faults: [] };
  const fault = `${name}: its weights are not those that its ${adapterBaseName} tells of (sha256 ${id.slice(0, 12)}, ${entries[0]!.id.slice(0, 12)} there): nothing is known of where they come from.`;
  return { entries: [foundling(name, files, id)], faults: [fault] };
}

function parsedText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The adapter at `path` as one that another is made of; `note` is told what its files say and is not so. Throws NomoatError. */
export function parentAt(
  path: string,
  { note, weight }: { readonly note?: (text: string) => void; readonly weight?: number } = {},
): Parent {
  const { entries, faults } = readAncestry(path);
  for (const fault of faults) note?.(fault);
  return { entries, ...(weight === undefined ? {} : { weight }) };
}
