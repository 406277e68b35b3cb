/**
 * Which files of a folder are trained on and which are held out: folders as people write them, as hub repositories have
 * them (data/, a folder for each split, sets of parts) and as `save_to_disk` does. Promises: nothing of a folder is
 * passed over without a note; a set of parts is whole or refused. Does not open data files.
 */
import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { assertGiven } from '../words/given.ts';
import { statOf } from './byte-source.ts';
import { kindByName, knownExtensions, unpackedName } from './data-files.ts';
import { fileError } from './raw-record.ts';
import { byNumber, incomplete, partNotes, shardOf, some } from './shards.ts';

export interface DataFiles {
  readonly train: readonly string[];
  readonly validation: readonly string[];
  /** What a person should know of the choice. */
  readonly notes: readonly string[];
}

type Role = 'train' | 'validation' | 'test';

/** Names without extension, in folders as people and tools write them. */
const roles: Readonly<Record<string, Role>> = {
  train: 'train',
  training: 'train',
  valid: 'validation',
  validation: 'validation',
  val: 'validation',
  dev: 'validation',
  eval: 'validation',
  test: 'test',
  testing: 'test',
};

const stemOf = (name: string): string => {
  const { name: bare } = unpackedName(name);
  return (shardOf(bare)?.stem ?? bare.replace(/\.[^.]*$/, '')).toLowerCase();
};

/** The role that is the whole name. */
const exactRole = (name: string): Role | undefined =>
  Object.hasOwn(roles, stemOf(name)) ? roles[stemOf(name)] : undefined;

/** The one role that is a word of the name: alpaca_train.jsonl, dev-v2.0.json. */
function wordRole(name: string): Role | undefined {
  const words = stemOf(name).split(/[-_. 0-9]+/);
  const found = new Set(words.flatMap((word) => (Object.hasOwn(roles, word) ? [roles[word]!] : [])));
  return found.size === 1 ? [...found][0] : undefined;
}

/** Ends the name of what `collect()` writes beside a data set: where its rows come from, and no data. */
export const provenanceEnding = '.provenance.json';

interface Entries {
  readonly folders: readonly string[];
  /** Files of data by their name. */
  readonly data: readonly string[];
}

function entriesOf(folder: string): Entries {
  let entries: Dirent[] = [];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw fileError(
      folder,
      `cannot be listed (${(error as NodeJS.ErrnoException).code})`,
      'Check its permissions.',
      error,
    );
  }
  // Names with a dot in front are those of programs: ._train.jsonl beside files from a Mac, .cache of the hub.
  const names = entries.filter(({ name }) => !name.startsWith('.'));
  const is = (entry: Dirent): 'folder' | 'file' => {
    const link = entry.isSymbolicLink() ? statOf(join(folder, entry.name)) : entry;
    return link?.isDirectory() ? 'folder' : 'file';
  };
  const of = (kind: 'folder' | 'file'): string[] =>
    names
      .filter((entry) => is(entry) === kind)
      .map(({ name }) => name)
      .sort(byNumber);
  return {
    folders: of('folder'),
    data: of('file').filter((name) => kindByName(name) !== undefined && !name.endsWith(provenanceEnding)),
  };
}

const stateFile = 'state.json';
const dictFile = 'dataset_dict.json';

/** A small file of JSON, or null. */
function readSmall(path: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** The files of a folder that `save_to_disk` wrote, in their order. */
function savedFiles(folder: string, data: readonly string[]): string[] {
  const state = readSmall(join(folder, stateFile));
  const indices = state?.['_indices_data_files'];
  if (Array.isArray(indices) && indices.length > 0)
    throw fileError(
      folder,
      'was saved with a selection of rows beside the data, which is not read',
      'Save it again: dataset.flatten_indices().save_to_disk(...).',
    );
  const listed: unknown[] = Array.isArray(state?.['_data_files']) ? state['_data_files'] : [];
  const names = listed.flatMap((file) => {
    const name = (file as { filename?: unknown } | null)?.filename;
    // A name alone: it is in this folder.
    return typeof name === 'string' && name !== '' ? [basename(name)] : [];
  });
  const arrow = data.filter((name) => kindByName(name) === 'Arrow');
  const missing = names.filter((name) => !arrow.includes(name));
  if (missing.length > 0)
    throw fileError(folder, `lacks ${some(missing)}, which its ${stateFile} names`, 'Copy the whole folder again.');
  const fault = names.length > 0 ? null : incomplete(folder, arrow);
  if (fault) throw fault;
  return (names.length > 0 ? names : arrow).map((name) => join(folder, name));
}

/**
 * Whether `save_to_disk` wrote the folder, state.json or not. A cache of the same library names the splits in its files
 * instead.
 */
function isSaved(folder: string, { data }: Entries): boolean {
  const arrow = data.filter((name) => kindByName(name) === 'Arrow');
  if (arrow.length === 0) return false;
  if (statOf(join(folder, stateFile))) return true;
  return arrow.every((name) => stemOf(name) === 'data' && shardOf(name) !== null);
}

type ByRole = Record<Role, string[]>;
interface Place extends ByRole {
  readonly other: string[];
}

/** A packed file beside the same one unpacked is a copy. */
function withoutCopies(folder: string, names: readonly string[], notes: string[]): string[] {
  const copies = names.filter((name) => {
    const { isPacked, name: bare } = unpackedName(name);
    return isPacked && names.includes(bare);
  });
  if (copies.length > 0) notes.push(`${folder}: ${some(copies)} left out as packed copies of files beside them`);
  return names.filter((name) => !copies.includes(name));
}

/** All data of a folder that stands for one split. */
function splitFiles(folder: string, notes: string[]): string[] {
  const entries = entriesOf(folder);
  if (isSaved(folder, entries)) return savedFiles(folder, entries.data);
  const fault = incomplete(folder, entries.data);
  if (fault) throw fault;
  return withoutCopies(folder, entries.data, notes).map((name) => join(folder, name));
}

/** What a folder has for each role, by the names of its files and of the folders in it. */
function placeOf(folder: string, { data, folders }: Entries, notes: string[]): Place {
  const names = withoutCopies(folder, data, notes);
  // A name that is a role and nothing else wins over one that only has the word in it.
  const exact = new Set(names.flatMap((name) => exactRole(name) ?? []));
  const roleOf = (name: string): Role | undefined => {
    const word = exactRole(name) ?? wordRole(name);
    return word && exact.has(word) && !exactRole(name) ? undefined : word;
  };
  const place: Place = { train: [], validation: [], test: [], other: [] };
  for (const name of names) (place[roleOf(name) ?? 'other'] as string[]).push(join(folder, name));
  for (const role of ['train', 'validation', 'test'] as const) {
    const fault = incomplete(folder, place[role]);
    if (fault) throw fault;
  }
  for (const name of folders) {
    const role = exactRole(name);
    if (!role) continue;
    const files = splitFiles(join(folder, name), notes);
    if (place[role].length === 0) place[role].push(...files);
    else place.other.push(...files);
  }
  return place;
}

/** Where the data of a folder may lie: in it, in its data/, or in the one folder that it holds. */
function placesOf(folder: string, entries: Entries, notes: string[]): Place[] {
  const inner = entries.folders.filter((name) => !exactRole(name));
  const named = inner.find((name) => name === 'data') ?? (inner.length === 1 ? inner[0] : undefined);
  const here = placeOf(folder, entries, notes);
  if (named === undefined) return [here];
  const below = join(folder, named);
  const inside = entriesOf(below);
  return [
    here,
    isSaved(below, inside)
      ? { train: savedFiles(below, inside.data), validation: [], test: [], other: [] }
      : placeOf(below, inside, notes),
  ];
}

function noTrainFile(folder: string, { data, folders }: Entries): Error {
  const found = [...data, ...folders.map((name) => `${name}/`)];
  return fileError(
    folder,
    `is a folder without a train file (it holds ${some(found) || `no file of ${knownExtensions}`})`,
    'Name the files train.jsonl, valid.jsonl and test.jsonl, or give files instead of the folder.',
  );
}

/** Roles as data; a test file serves as validation where there is none. */
function chosen(folder: string, { other, test, train, validation }: Place, notes: string[]): DataFiles {
  const short = (paths: readonly string[]): string =>
    some(paths.map((path) => path.slice(folder.length).replace(/^[\\/]/, '')));
  const own = [...notes];
  if (test.length > 0)
    own.push(
      validation.length > 0
        ? `${folder}: ${short(test)} is left alone, neither trained on nor validated on`
        : `${folder}: ${short(test)} serves as validation, since there is no valid file`,
    );
  if (other.length > 0) own.push(`${folder}: not read, for no role is in the name: ${short(other)}`);
  return { train, validation: validation.length > 0 ? validation : test, notes: own };
}

/** A folder of several data sets that `save_to_disk` wrote. */
function savedDict(folder: string, entries: Entries): DataFiles {
  const listed = readSmall(join(folder, dictFile))?.['splits'];
  const splits = Array.isArray(listed)
    ? listed.filter((name): name is string => typeof name === 'string')
    : entries.folders;
  const missing = splits.filter((name) => !entries.folders.includes(name));
  if (missing.length > 0)
    throw fileError(folder, `lacks ${some(missing)}, which its ${dictFile} names`, 'Copy the whole folder again.');
  const place: Place = { train: [], validation: [], test: [], other: [] };
  for (const name of splits)
    (place[exactRole(name) ?? wordRole(name) ?? 'other'] as string[]).push(...splitFiles(join(folder, name), []));
  if (place.train.length === 0) throw noTrainFile(folder, entries);
  return chosen(folder, place, []);
}

function folderFiles(folder: string): DataFiles {
  const entries = entriesOf(folder);
  if (statOf(join(folder, dictFile))) return savedDict(folder, entries);
  if (isSaved(folder, entries)) return { train: savedFiles(folder, entries.data), validation: [], notes: [] };
  const notes: string[] = [];
  const places = placesOf(folder, entries, notes);
  const place = places.find(({ train }) => train.length > 0);
  if (!place) throw noTrainFile(folder, entries);
  const passed = places
    .filter((each) => each !== place)
    .flatMap((each) => [...each.train, ...each.validation, ...each.test, ...each.other]);
  return chosen(folder, { ...place, other: [...place.other, ...passed] }, notes);
}

/** The files that paths of files and folders stand for. Throws NomoatError where one does not exist. */
export function findDataFiles(paths: readonly string[]): DataFiles {
  for (const path of paths) assertGiven('`data`', path);
  const found = paths.map((path): DataFiles => {
    const stat = statOf(path);
    if (!stat) throw fileError(path, 'does not exist', 'Check the path.');
    return stat.isDirectory() ? folderFiles(path) : { train: [path], validation: [], notes: [] };
  });
  const given = paths.filter((path) => !statOf(path)?.isDirectory());
  return {
    train: found.flatMap(({ train }) => train),
    validation: found.flatMap(({ validation }) => validation),
    notes: [...partNotes(given), ...found.flatMap(({ notes }) => notes)],
  };
}
