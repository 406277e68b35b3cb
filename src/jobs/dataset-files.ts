/**
 * Data files and folders as examples: reads them, finds each file's format and says by what. Promises: every record is an example or a
 * refusal that names file and line; a file of which nothing can be used is an error. Knows nothing of tokens.
 */
import { NomoatError } from '../errors.ts';
import { type FileKind, openDataFile, type RawFile } from '../files/data-files.ts';
import { findDataFiles } from '../files/data-folders.ts';
import { nearestNames } from '../files/nearest-name.ts';
import type { RawRecord } from '../files/raw-record.ts';
import { unwrap } from '../files/wrapped-json.ts';
import { type Example, placeOf, type RecordSource } from '../text/example.ts';
import {
  type Columns,
  describeKeys,
  detectFormat,
  formatList,
  keysOf,
  parseRecord,
  type RecordFormat,
  renameColumns,
  unreadKeys,
} from '../text/records.ts';
import { SeenKeys } from './seen-keys.ts';

export interface Refusal {
  readonly source: RecordSource;
  /** Equal for equal causes. */
  readonly reason: string;
  /** Where in the record, or what exactly. */
  readonly detail?: string | undefined;
}

export interface DataFile {
  readonly path: string;
  /** Examples and refusals together. */
  readonly rows: number;
  readonly format: string;
  /** By what the format was known. */
  readonly why: string;
}

export interface Dataset {
  readonly train: readonly Example[];
  /** From a folder's own valid, validation or test file; null without one. */
  readonly validation: readonly Example[] | null;
  /** What was found, for people: `messages`, or several joined by commas. */
  readonly format: string;
  readonly files: readonly DataFile[];
  readonly refusals: readonly Refusal[];
  /** What else a person should know: files of a folder that were not read, keys that were not. */
  readonly notes: readonly string[];
}

export interface ReadOptions {
  readonly format?: 'auto' | 'csv' | RecordFormat;
  readonly promptColumn?: string | null;
  readonly completionColumn?: string | null;
  readonly textColumn?: string | null;
}

interface Request {
  readonly columns: Columns;
  /** Forced by --format or by the columns. */
  readonly format: RecordFormat | null;
  readonly why: string;
  readonly asCsv: boolean;
}

/** Records in which a format is looked for; the first may be broken ones. */
const detectionRecords = 100;
/** Kinds whose records are rows of named columns. */
const isTable = (kind: FileKind): boolean => kind !== 'JSONL' && kind !== 'JSON';

const settingsError = (fault: string, remedy: string): NomoatError =>
  new NomoatError({ part: 'the columns', fault, remedy });

function requestOf(options: ReadOptions): Request {
  const columns: Columns = {
    prompt: options.promptColumn ?? null,
    completion: options.completionColumn ?? null,
    text: options.textColumn ?? null,
  };
  const asCsv = options.format === 'csv';
  const forced =
    options.format === undefined || options.format === 'auto' || options.format === 'csv' ? null : options.format;
  const pair = [columns.prompt, columns.completion].filter((column) => column !== null).length;
  if (pair === 0 && columns.text === null)
    return { columns, format: forced, why: forced ? 'as --format says' : '', asCsv };
  if (pair === 1)
    throw settingsError(
      'only one of prompt and completion is chosen',
      'Give both --prompt-column and --completion-column.',
    );
  if (pair === 2 && columns.text !== null)
    throw settingsError('a text is chosen besides prompt and completion', 'Give --text-column, or the two others.');
  const format = pair === 2 ? 'prompt-completion' : 'text';
  if (forced && forced !== format)
    throw settingsError(`they are of the format ${format}, and --format is ${forced}`, 'Leave one of them out.');
  return { columns, format, why: 'by the chosen columns', asCsv };
}

function checkColumns(path: string, known: readonly string[], columns: Columns): void {
  for (const [name, column] of Object.entries(columns) as [string, string | null][]) {
    if (column === null || known.includes(column)) continue;
    const [near] = nearestNames(column, known, 1);
    throw new NomoatError({
      part: path,
      fault: `has no column "${column}" (--${name}-column); its columns are ${describeKeys(Object.fromEntries(known.map((key) => [key, 1])))}`,
      remedy: near ? `Did you mean "${near}"?` : 'Give one of its columns.',
    });
  }
}

/** Why the format of a file cannot be told. */
function unknownFormat(path: string, kind: FileKind, record: unknown): NomoatError {
  const keys = describeKeys(record);
  const preference = /\bchosen\b/.test(keys) && /\brejected\b/.test(keys);
  return new NomoatError({
    part: path,
    fault: preference
      ? `holds preference data (${keys}), which cannot be trained on yet`
      : `is of no known format (${isTable(kind) ? 'its columns' : 'keys of its first record'}: ${keys})`,
    remedy: `Known formats and their keys: ${formatList}. Other names are chosen by --prompt-column and --completion-column, or --text-column.`,
    fields: { keys },
  });
}

/** Whether a value has the keys of any format. */
const isRecord = (value: unknown): boolean => detectFormat(value) !== null;

function formatOf(
  path: string,
  raw: RawFile,
  head: readonly RawRecord[],
  request: Request,
): { format: RecordFormat; why: string } {
  if (head.length === 0)
    throw new NomoatError({
      part: path,
      fault: raw.columns?.length ? `has columns (${raw.columns.join(', ').slice(0, 80)}) and no rows` : 'is empty',
      remedy: raw.columns?.length
        ? 'Rows follow the line that names the columns.'
        : `Known formats and their keys: ${formatList}.`,
    });
  if (request.format) return { format: request.format, why: request.why };
  const values = head.flatMap((record) => ('value' in record ? [record.value] : []));
  const telling = values.find(isRecord);
  if (telling === undefined && values.length === 0) {
    const first = head[0] as Extract<RawRecord, { fault: string }>;
    throw new NomoatError({
      part: `${path}:${first.line}`,
      fault: `${first.fault}${first.detail ? ` (${first.detail})` : ''}, and none of the first ${head.length} records is one`,
      remedy: `JSONL holds one JSON object a line. Known formats and their keys: ${formatList}.`,
    });
  }
  const format = detectFormat(telling);
  if (!format) throw unknownFormat(path, raw.kind, values[0]);
  return { format, why: `by ${isTable(raw.kind) ? 'its columns' : 'the keys'} ${keysOf(format).join(' and ')}` };
}

interface FileResult {
  readonly examples: Example[];
  readonly refusals: Refusal[];
  readonly file: DataFile;
  readonly notes: string[];
}

/** The records of a file, renamed, and what its first ones say. */
interface OpenRecords {
  readonly format: RecordFormat;
  readonly why: string;
  readonly batches: AsyncIterable<readonly RawRecord[]>;
}

/** The records inside the only record of a file, where it is none itself. */
function unwrapped(head: readonly RawRecord[], raw: RawFile, columns: Columns): readonly RawRecord[] {
  const [only] = head;
  if (head.length !== 1 || !only || !('value' in only) || isTable(raw.kind)) return head;
  const found = unwrap(only.value, (value) => isRecord(renameColumns(value, columns)));
  if (!found) return head;
  if ('fault' in found) return [{ line: only.line, ...found }];
  raw.remarks.layout = found.layout;
  raw.remarks.notes.push(...found.notes);
  return found.records.map((value, i) => ({ line: only.line, record: i + 1, value }));
}

/** Reads as many records as tell the format, and goes on with all. */
async function openRecords(path: string, raw: RawFile, request: Request): Promise<OpenRecords> {
  const rename = (record: RawRecord): RawRecord =>
    'value' in record ? { ...record, value: renameColumns(record.value, request.columns) } : record;
  const source = raw.records[Symbol.asyncIterator]();
  let head: RawRecord[] = [];
  let ended = false;
  while (head.length < detectionRecords && !ended) {
    const next = await source.next();
    if (next.done) ended = true;
    else head = head.concat(next.value);
  }
  const found = (ended ? unwrapped(head, raw, request.columns) : head).map(rename);
  const { format, why } = formatOf(path, raw, found.slice(0, detectionRecords), request);
  const batches = async function* (): AsyncGenerator<readonly RawRecord[]> {
    yield found;
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value.map(rename);
  };
  return { format, why, batches: batches() };
}

async function readFile(path: string, request: Request): Promise<FileResult> {
  const raw = await openDataFile(path, request.asCsv);
  if (raw.columns && raw.columns.length > 0) checkColumns(path, raw.columns, request.columns);
  const { batches, format, why } = await openRecords(path, raw, request);
  const examples: Example[] = [];
  const refusals: Refusal[] = [];
  const seen = new SeenKeys();
  const formats = new Map<RecordFormat, number>();
  let rows = 0;
  for await (const batch of batches)
    for (const record of batch) {
      rows++;
      const source = { file: path, line: record.line, ...(record.record ? { record: record.record } : {}) };
      if ('fault' in record) {
        refusals.push({ source, reason: record.fault, detail: record.detail });
        continue;
      }
      const own = request.format ? format : formatOfRow(format, record.value);
      const parsed = parseRecord(own, record.value, source);
      if ('kind' in parsed) {
        examples.push(parsed);
        formats.set(own, (formats.get(own) ?? 0) + 1);
      } else refusals.push({ source, ...parsed });
      seen.add(unreadKeys(own, record.value), record.value);
    }
  const named = [...(formats.size > 1 ? formats.keys() : [format])].join(' and ');
  const notes = [
    ...raw.remarks.notes.map((note) => (note.startsWith(path) ? note : `${path}: ${note}`)),
    ...(formats.size > 1 ? [`${path}: rows of several formats, each read as its own: ${counted(formats)}`] : []),
    ...seen.notes(path, rows, format === 'text' && request.format === null),
  ];
  const layout = raw.remarks.layout === null ? '' : `, ${raw.remarks.layout}`;
  return {
    examples,
    refusals,
    file: { path, rows, format: raw.kind === 'CSV' ? `csv (${named})` : named, why: `${why}${layout}` },
    notes,
  };
}

/** A row is of the file's format where it has its keys, else of the one whose keys it has. */
const formatOfRow = (format: RecordFormat, value: unknown): RecordFormat =>
  lacksKeys(format, value) ? (detectFormat(value) ?? format) : format;

const lacksKeys = (format: RecordFormat, value: unknown): boolean =>
  typeof value === 'object' && value !== null && keysOf(format).some((key) => !Object.hasOwn(value, key));

const counted = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([name, count]) => `${name} ${count}`).join(', ');

/** `file:line: reason`, for errors. */
const describe = ({ source, reason, detail }: Refusal): string =>
  `${placeOf(source)} ${reason}${detail ? ` (${detail})` : ''}`;

/** Reads files and folders. Throws NomoatError where one cannot be read, is of no known format, or holds no record that can be used. */
export async function readExamples(paths: readonly string[], options: ReadOptions = {}): Promise<Dataset> {
  const request = requestOf(options);
  const found = findDataFiles(paths);
  const read = async (list: readonly string[]): Promise<FileResult[]> => {
    const results: FileResult[] = [];
    for (const path of list) {
      const result = await readFile(path, request);
      results.push(result);
      if (result.examples.length > 0) continue;
      throw new NomoatError({
        part: path,
        fault: `holds no usable record of the format ${result.file.format} (${result.file.why}); all ${result.file.rows} are refused, the first one: ${describe(result.refusals[0]!)}`,
        remedy: `Known formats and their keys: ${formatList}; --format forces one.`,
      });
    }
    return results;
  };
  const train = await read(found.train);
  const validation = found.validation.length > 0 ? await read(found.validation) : null;
  const all = [...train, ...(validation ?? [])];
  return {
    train: train.flatMap(({ examples }) => examples),
    validation: validation?.flatMap(({ examples }) => examples) ?? null,
    format: [...new Set(all.map(({ file }) => file.format))].join(', '),
    files: all.map(({ file }) => file),
    refusals: all.flatMap(({ refusals }) => refusals),
    notes: [...found.notes, ...all.flatMap(({ notes }) => notes)],
  };
}
