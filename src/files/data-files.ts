/**
 * Data files and folders as raw records: which files there are and what each holds, by its name and first characters.
 * Promises: nothing of a folder is passed over without a note. Does not know what records mean; text/records.ts does.
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { readCsv } from './csv-records.ts';
import { holdsList, jsonlRecords, jsonRecords } from './json-records.ts';
import { parquetError } from './line-reader.ts';
import { fileError, type RawRecord } from './raw-record.ts';

export type FileKind = 'JSONL' | 'JSON' | 'CSV';

/** What a file's name says. */
const kinds: Readonly<Record<string, FileKind>> = {
  '.jsonl': 'JSONL',
  '.ndjson': 'JSONL',
  '.json': 'JSON',
  '.csv': 'CSV',
  '.tsv': 'CSV',
};
const parquet = '.parquet';
const knownExtensions = Object.keys(kinds).join(', ');

const extensionOf = (path: string): string => extname(path).toLowerCase();

export interface RawFile {
  readonly kind: FileKind;
  /** Names of the columns, CSV only. */
  readonly columns: readonly string[] | null;
  /** Streamed where the kind allows. */
  readonly records: Iterable<RawRecord>;
}

/** Opens a file of records. `asCsv` reads it as CSV whatever its name. Throws NomoatError, reading may too. */
export function openDataFile(path: string, asCsv: boolean): RawFile {
  const extension = extensionOf(path);
  if (extension === parquet) throw parquetError(path);
  const kind = asCsv ? 'CSV' : kinds[extension];
  if (!kind) {
    const what = extension === '' ? 'has no extension that says what it is' : `has the unknown extension ${extension}`;
    throw fileError(
      path,
      what,
      `Known are ${knownExtensions}; plain text becomes JSONL lines such as {"text": "..."}.`,
    );
  }
  if (kind === 'CSV') {
    const { columns, records } = readCsv(path);
    return { kind, columns, records };
  }
  // A list in a file named .jsonl is as clear as can be.
  if (kind === 'JSON' || holdsList(path)) return { kind: 'JSON', columns: null, records: jsonRecords(path) };
  return { kind, columns: null, records: jsonlRecords(path) };
}

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
  test: 'test',
};

const roleOf = (name: string): Role | undefined => roles[basename(name, extname(name)).toLowerCase()];

/** A folder's files by role; a test file serves as validation where there is none. */
function folderFiles(folder: string): DataFiles {
  const names = readdirSync(folder).sort();
  const data = names.filter((name) => extensionOf(name) in kinds || extensionOf(name) === parquet);
  const of = (role: Role): string[] => data.filter((name) => roleOf(name) === role);
  const [train, validation, test] = [of('train'), of('validation'), of('test')];
  if (train.length === 0) {
    throw fileError(
      folder,
      `is a folder without a train file (it holds ${data.slice(0, 8).join(', ') || `no file of ${knownExtensions}`})`,
      'Name the files train.jsonl, valid.jsonl and test.jsonl, or give files instead of the folder.',
    );
  }
  const notes: string[] = [];
  if (test.length > 0) {
    notes.push(
      validation.length > 0
        ? `${folder}: ${test.join(', ')} is left alone, neither trained on nor validated on`
        : `${folder}: ${test.join(', ')} serves as validation, since there is no valid file`,
    );
  }
  const other = data.filter((name) => !roleOf(name));
  if (other.length > 0) notes.push(`${folder}: not read, for no role is in the name: ${other.slice(0, 8).join(', ')}`);
  const full = (list: readonly string[]): string[] => list.map((name) => join(folder, name));
  return { train: full(train), validation: full(validation.length > 0 ? validation : test), notes };
}

/** The files that paths of files and folders stand for. Throws NomoatError where one does not exist. */
export function findDataFiles(paths: readonly string[]): DataFiles {
  const found = paths.map((path): DataFiles => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) throw fileError(path, 'does not exist', 'Check the path.');
    return stat.isDirectory() ? folderFiles(path) : { train: [path], validation: [], notes: [] };
  });
  return {
    train: found.flatMap(({ train }) => train),
    validation: found.flatMap(({ validation }) => validation),
    notes: found.flatMap(({ notes }) => notes),
  };
}
