/**
 * Data files and folders as examples: JSONL, JSON arrays and CSV. Promises: every record is an example or a refusal that names file
 * and line. Knows nothing of tokens.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { NomoatError } from '../errors.ts';
import type { Example, RecordSource } from '../text/example.ts';
import {
  type Columns,
  detectFormat,
  parseRecord,
  type RecordFormat,
  recordFormats,
  renameColumns,
} from '../text/records.ts';

/** A file is read whole; beyond this a laptop's evening would not suffice for it anyway. */
export const maxDataBytes = 1 << 30;
/** Longer lines are no records that a model could be trained on. */
export const maxLineBytes = 16 << 20;

export interface Refusal {
  readonly source: RecordSource;
  readonly reason: string;
}

export interface Dataset {
  readonly train: readonly Example[];
  /** From a folder's own valid, validation or test file; null without one. */
  readonly validation: readonly Example[] | null;
  /** What was found, for people: `messages`, or several joined by commas. */
  readonly format: string;
  readonly files: readonly { readonly path: string; readonly rows: number; readonly format: string }[];
  readonly refusals: readonly Refusal[];
}

export interface ReadOptions {
  readonly format?: 'auto' | 'csv' | RecordFormat;
  readonly promptColumn?: string | null;
  readonly completionColumn?: string | null;
  readonly textColumn?: string | null;
}

interface ReadFile {
  readonly examples: Example[];
  readonly refusals: Refusal[];
  readonly format: string;
}

const dataExtensions = ['.jsonl', '.ndjson', '.json', '.csv'];
const remedy = `Give JSONL, JSON or CSV with the keys of one of ${recordFormats.join(', ')}.`;

function readText(path: string): string {
  let bytes: Buffer;
  try {
    if (statSync(path).size > maxDataBytes) {
      throw new NomoatError({
        part: path,
        fault: `is larger than ${maxDataBytes} bytes`,
        remedy: 'Split it, or sample from it.',
      });
    }
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof NomoatError) throw error;
    throw new NomoatError({
      part: path,
      fault: `cannot be read (${(error as NodeJS.ErrnoException).code})`,
      remedy: 'Check the path.',
      cause: error,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new NomoatError({ part: path, fault: 'is not valid UTF-8', remedy: 'Save it as UTF-8.', cause: error });
  }
}

/** Records with their first lines; a line that is no JSON is a string: the reason. */
function records(path: string, text: string): { line: number; value: unknown; fault?: string }[] {
  const extension = extname(path).toLowerCase();
  if (extension === '.csv') {
    try {
      const rows = parseCsv(text, {
        columns: true,
        bom: true,
        skip_empty_lines: true,
        relax_column_count: false,
        info: true,
      });
      return (rows as unknown as { record: unknown; info: { lines: number } }[]).map(({ record, info }) => ({
        line: info.lines,
        value: record,
      }));
    } catch (error) {
      throw new NomoatError({
        part: path,
        fault: `is no valid CSV (${(error as Error).message})`,
        remedy: 'Check quotes and column counts.',
        cause: error,
      });
    }
  }
  if (extension === '.json' && text.trimStart().startsWith('[')) {
    try {
      return (JSON.parse(text) as unknown[]).map((value, i) => ({ line: i + 1, value }));
    } catch (error) {
      throw new NomoatError({
        part: path,
        fault: `is no valid JSON (${(error as Error).message})`,
        remedy,
        cause: error,
      });
    }
  }
  return text.split('\n').flatMap((raw, i) => {
    const line = raw.trim();
    if (line === '') return [];
    if (line.length > maxLineBytes)
      return [{ line: i + 1, value: null, fault: `is longer than ${maxLineBytes} characters` }];
    try {
      return [{ line: i + 1, value: JSON.parse(line) as unknown }];
    } catch {
      return [{ line: i + 1, value: null, fault: 'is no valid JSON' }];
    }
  });
}

function readFile(path: string, options: ReadOptions): ReadFile {
  if (!dataExtensions.includes(extname(path).toLowerCase())) {
    throw new NomoatError({
      part: path,
      fault: `has the unknown extension "${extname(path)}"`,
      remedy: `${remedy} Parquet can be converted with DuckDB: COPY ... TO 'data.jsonl'.`,
    });
  }
  const columns: Columns = {
    prompt: options.promptColumn ?? null,
    completion: options.completionColumn ?? null,
    text: options.textColumn ?? null,
  };
  const isCsv = extname(path).toLowerCase() === '.csv';
  const all = records(path, readText(path)).map((record) =>
    isCsv && record.value
      ? { ...record, value: renameColumns(record.value as Record<string, unknown>, columns) }
      : record,
  );
  if (all.length === 0) throw new NomoatError({ part: path, fault: 'is empty', remedy });
  const first = all.find(({ fault }) => !fault)?.value;
  const forced = options.format && options.format !== 'auto' && options.format !== 'csv' ? options.format : null;
  const format = forced ?? detectFormat(first);
  if (!format) {
    const keys = first && typeof first === 'object' ? Object.keys(first).slice(0, 8).join(', ') : 'none';
    throw new NomoatError({ part: path, fault: `is of no known format (keys of its first record: ${keys})`, remedy });
  }
  const examples: Example[] = [];
  const refusals: Refusal[] = [];
  for (const { line, value, fault } of all) {
    const source = { file: path, line };
    const parsed = fault ?? parseRecord(format, value, source);
    if (typeof parsed === 'string') refusals.push({ source, reason: parsed });
    else examples.push(parsed);
  }
  return { examples, refusals, format: isCsv ? `csv (${format})` : format };
}

const roleOf = (name: string): 'train' | 'validation' | 'test' | null => {
  const stem = basename(name, extname(name)).toLowerCase();
  if (stem === 'train' || stem === 'training') return 'train';
  if (['valid', 'validation', 'val', 'dev'].includes(stem)) return 'validation';
  return stem === 'test' ? 'test' : null;
};

/** Files of a folder by role; a lone test file serves as validation. */
function folderFiles(path: string): { train: string[]; validation: string[] } {
  const names = readdirSync(path)
    .filter((name) => dataExtensions.includes(extname(name).toLowerCase()))
    .sort();
  const of = (role: string): string[] => names.filter((name) => roleOf(name) === role).map((name) => join(path, name));
  const train = of('train');
  if (train.length === 0) {
    throw new NomoatError({
      part: path,
      fault: 'is a folder without a train file',
      remedy: 'Name the files train.jsonl, valid.jsonl and test.jsonl, or give files.',
    });
  }
  return { train, validation: of('validation').length > 0 ? of('validation') : of('test') };
}

/** Reads files and folders. Throws NomoatError where one cannot be read or is of no known format. */
export function readExamples(paths: readonly string[], options: ReadOptions = {}): Dataset {
  const files: { path: string; rows: number; format: string }[] = [];
  const refusals: Refusal[] = [];
  const read = (list: readonly string[]): Example[] =>
    list.flatMap((path) => {
      const file = readFile(path, options);
      files.push({ path, rows: file.examples.length + file.refusals.length, format: file.format });
      refusals.push(...file.refusals);
      return file.examples;
    });
  const train: string[] = [];
  const validation: string[] = [];
  for (const path of paths) {
    if (existsSync(path) && statSync(path).isDirectory()) {
      const found = folderFiles(path);
      train.push(...found.train);
      validation.push(...found.validation);
    } else train.push(path);
  }
  const trainExamples = read(train);
  const validationExamples = validation.length > 0 ? read(validation) : null;
  if (trainExamples.length === 0) {
    throw new NomoatError({
      part: paths.join(', '),
      fault: `holds no usable record; the first was refused because it ${refusals[0]?.reason}`,
      remedy,
    });
  }
  return {
    train: trainExamples,
    validation: validationExamples,
    format: [...new Set(files.map((file) => file.format))].join(', '),
    files,
    refusals,
  };
}
