/**
 * Whether what a lineage names is there and is what it says. Promises: nothing is called another file by its name alone, but where it is
 * known that it has to be that file; nothing is written.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { LineageEntry, NamedDigest } from '../adapter/lineage.ts';
import { NomoatError } from '../errors.ts';
import { recipeOf, sharedRecipeDigest, sharedSettings } from '../run/recipe.ts';
import { RunFolder } from '../run/run-folder.ts';
import { isRun } from '../settings/load.ts';
import { heedSignal } from '../stop.ts';
import { digestOf, sha256OfFile } from '../store/file-digest.ts';
import { findLocalModels } from '../store/local-models.ts';
import { surroundings } from '../store/model-folders.ts';
import { stackPaths } from '../store/stack.ts';

/** One thing that a lineage names, and what came of looking for it. */
export interface LineageCheck extends NamedDigest {
  /** Whose it is: the `id` of the entry. */
  readonly of: string;
  readonly what: 'weights' | 'base' | 'data' | 'recipe';
  /** `same`: found, with that digest. `other`: where it has to be lies another file. `missing`: not found. */
  readonly state: 'same' | 'other' | 'missing';
  /** Where it was found; null where it was not. */
  readonly path: string | null;
}

/** A folder of runs has five levels at most. */
const mostDepth = 5;
/** Beside an adapter lie others and their data; in the working directory, data. */
const besideDepth = 2;
/** Whoever gives a whole disk waits no longer than for these. */
const mostFiles = 100_000;
/** Files larger than that are models, whose digests are worth remembering. */
const modelBytes = 256 << 20;

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Files below the folders, each to a depth, by their names. */
function filesBelow(folders: readonly (readonly [string, number])[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const seen = new Set<string>();
  let count = 0;
  const walk = (folder: string, depth: number): void => {
    if (seen.has(folder) || depth === 0 || count > mostFiles) return;
    seen.add(folder);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path, depth - 1);
      else if (entry.isFile() && ++count <= mostFiles) found.set(entry.name, [...(found.get(entry.name) ?? []), path]);
    }
  };
  for (const [folder, depth] of folders) if (isFolder(folder)) walk(resolve(folder), depth);
  return found;
}

/** Where what the run at `path` names has to lie. */
function placesOf(path: string): readonly string[] {
  if (!isRun(path)) return [];
  const { settings } = new RunFolder(path).read();
  const inside = (place: string): string[] =>
    statSync(place).isDirectory() ? readdirSync(place).map((name) => join(place, name)) : [place];
  const { data, initialAdapter, modelPath, validation } = settings;
  const named = [
    ...data,
    modelPath,
    ...(initialAdapter === null ? [] : stackPaths(initialAdapter)),
    ...(typeof validation === 'string' ? [validation] : []),
  ].filter((place) => existsSync(place));
  return [...named.flatMap(inside), join(path, 'recipe.yaml')];
}

/** All that the entries name; ancestors by their weights, since configurations are alike. */
function* wanted(entries: readonly LineageEntry[]): Generator<Omit<LineageCheck, 'state' | 'path'>> {
  const seen = new Set<string>();
  for (const { base, data, files, id, recipe } of entries) {
    const weights = files.filter(({ file }) => /\.(safetensors|gguf)$/.test(file));
    const all = [
      ...weights.map((named) => ({ ...named, what: 'weights' as const })),
      ...(base ? [{ file: base.file, sha256: base.sha256, what: 'base' as const }] : []),
      ...data.map((named) => ({ ...named, what: 'data' as const })),
      ...(recipe ? [{ file: 'recipe.yaml', sha256: recipe, what: 'recipe' as const }] : []),
    ];
    for (const each of all) {
      if (seen.has(`${each.what} ${each.sha256}`)) continue;
      seen.add(`${each.what} ${each.sha256}`);
      yield { of: id, ...each };
    }
  }
}

/**
 * Of a run's own recipe, which has paths, those of the forms in which it is passed on: as it was written, whatever settings there have been
 * since, and with the paths that the record names shortened, as long as today's record makes the same recipe. None of any other file.
 */
function sharedDigests(file: string): string[] {
  const run = dirname(file);
  if (!isRun(run)) return [];
  const text = readFileSync(file, 'utf8');
  const document = parseDocument(text);
  const written: unknown = document.errors.length > 0 ? null : document.toJS();
  const record = new RunFolder(run).read();
  return [
    ...(typeof written === 'object' && written !== null ? [sharedRecipeDigest({ ...written })] : []),
    ...(text === recipeOf(record) ? [sharedRecipeDigest(sharedSettings(record, surroundings().home))] : []),
  ];
}

/** Looks for everything that the entries of the adapter at `path` name. Rejects with NomoatError where a folder of `within` is none. */
export async function verifyLineage(
  path: string,
  entries: readonly LineageEntry[],
  { signal, within }: { readonly within: readonly string[]; readonly signal: AbortSignal | undefined },
): Promise<LineageCheck[]> {
  const absent = within.find((folder) => !isFolder(folder));
  if (absent !== undefined)
    throw new NomoatError({
      code: 'invalid-settings',
      part: '`within`',
      fault: `${absent} is no folder`,
      remedy: 'Give folders that exist.',
    });
  const own = isFolder(path) ? path : dirname(path);
  const deep = [own, ...within, 'runs'].map((folder) => [folder, mostDepth] as const);
  const files = filesBelow([...deep, [dirname(resolve(own)), besideDepth], ['.', 1]]);
  const places = placesOf(path);
  const models = (await findLocalModels()).map((model) => model.path);
  const digests = new Map<string, string>();
  const digestAt = async (file: string): Promise<string> => {
    const known = digests.get(file) ?? (statSync(file).size > modelBytes ? await digestOf(file) : sha256OfFile(file));
    digests.set(file, known);
    return known;
  };
  const isIt = async (file: string, { sha256, what }: NamedDigest & Pick<LineageCheck, 'what'>): Promise<boolean> =>
    (await digestAt(file)) === sha256 || (what === 'recipe' && sharedDigests(file).includes(sha256));
  const checks: LineageCheck[] = [];
  for (const each of wanted(entries)) {
    await heedSignal('the check', signal);
    const sure = places.filter((place) => basename(place) === each.file);
    const near = each.what === 'base' ? models.filter((model) => basename(model) === each.file) : [];
    let at: string | null = null;
    for (const file of [...sure, ...near, ...(files.get(each.file) ?? [])])
      if (at === null && (await isIt(file, each))) at = file;
    const isOther = at === null && each.of === entries[0]!.id && each.what !== 'weights' && sure.length > 0;
    checks.push({
      ...each,
      path: at ?? (isOther ? sure[0]! : null),
      state: at !== null ? 'same' : isOther ? 'other' : 'missing',
    });
  }
  return checks;
}
