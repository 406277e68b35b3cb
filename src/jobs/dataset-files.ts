/**
 * Data files and folders as examples: reads them, finds each file's format and says by what. Promises: every record is an example or a
 * refusal that names file and line; a file of which nothing can be used is an error. Knows nothing of tokens.
 */
import { NomoatError } from '../errors.ts';
import { type FileKind, findDataFiles, openDataFile, type RawFile } from '../files/data-files.ts';
import { nearestNames } from '../files/nearest-name.ts';
import type { RawRecord } from '../files/raw-record.ts';
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
/** Keys that were not read, in a note. */
const shownKeys = 12;

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
      : `is of no known format (${kind === 'CSV' ? 'its columns' : 'keys of its first record'}: ${keys})`,
    remedy: `Known formats and their keys: ${formatList}. Other names are chosen by --prompt-column and --completion-column, or --text-column.`,
    fields: { keys },
  });
}

interface FileResult {
  readonly examples: Example[];
  readonly refusals: Refusal[];
  readonly file: DataFile;
  readonly notes: string[];
}

/** The first records of a file, held to find the format in them, and then an iterator over all. Closes the file in any case. */
function* withHead(
  records: Iterable<RawRecord>,
  look: (head: readonly RawRecord[]) => void,
): Generator<RawRecord, void, void> {
  const head: RawRecord[] = [];
  let looked = false;
  for (const record of records) {
    if (looked) yield record;
    else if (head.push(record) === detectionRecords) {
      look(head);
      looked = true;
      yield* head;
    }
  }
  if (looked) return;
  look(head);
  yield* head;
}

function formatOf(
  path: string,
  raw: RawFile,
  head: readonly RawRecord[],
  request: Request,
): { format: RecordFormat; why: string } {
  if (head.length === 0)
    throw new NomoatError({
      part: path,
      fault: raw.columns?.length ? `has a first line (${raw.columns.join(', ').slice(0, 80)}) and no rows` : 'is empty',
      remedy: raw.columns?.length
        ? 'Rows follow the line that names the columns.'
        : `Known formats and their keys: ${formatList}.`,
    });
  if (request.format) return { format: request.format, why: request.why };
  const values = head.flatMap((record) => ('value' in record ? [record.value] : []));
  const telling = values.find((value) => detectFormat(value) !== null);
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
  return { format, why: `by ${raw.kind === 'CSV' ? 'its columns' : 'the keys'} ${keysOf(format).join(' and ')}` };
}

function readFile(path: string, request: Request): FileResult {
  const raw = openDataFile(path, request.asCsv);
  if (raw.columns && raw.columns.length > 0) checkColumns(path, raw.columns, request.columns);
  let format = 'messages' as RecordFormat;
  let why = '';
  const rename = (record: RawRecord): RawRecord =>
    'value' in record ? { ...record, value: renameColumns(record.value, request.columns) } : record;
  const records = withHead(raw.records, (head) => {
    ({ format, why } = formatOf(path, raw, head.map(rename), request));
  });
  const examples: Example[] = [];
  const refusals: Refusal[] = [];
  const unread = new Set<string>();
  let rows = 0;
  for (const record of records) {
    rows++;
    const source = { file: path, line: record.line, ...(record.record ? { record: record.record } : {}) };
    if ('fault' in record) refusals.push({ source, reason: record.fault, detail: record.detail });
    else {
      const value = renameColumns(record.value, request.columns);
      const parsed = parseRecord(format, value, source);
      if ('kind' in parsed) examples.push(parsed);
      else refusals.push({ source, ...parsed });
      for (const key of unreadKeys(format, value)) unread.add(key);
    }
  }
  const keys = [...unread].slice(0, shownKeys).map((key) => key.slice(0, 40));
  // A text beside another column is often a text with its label.
  const labels = raw.kind === 'CSV' && format === 'text' && request.format === null;
  const hint = labels ? `; to learn to answer with it: --prompt-column text --completion-column ${keys[0]}` : '';
  const notes =
    keys.length > 0 ? [`${path}: not read: ${keys.join(', ')}${unread.size > keys.length ? ', ...' : ''}${hint}`] : [];
  const named = raw.kind === 'CSV' ? `csv (${format})` : format;
  return { examples, refusals, file: { path, rows, format: named, why }, notes };
}

/** `file:line: reason`, for errors. */
const describe = ({ source, reason, detail }: Refusal): string =>
  `${placeOf(source)} ${reason}${detail ? ` (${detail})` : ''}`;

/** Reads files and folders. Throws NomoatError where one cannot be read, is of no known format, or holds no record that can be used. */
export async function readExamples(paths: readonly string[], options: ReadOptions = {}): Promise<Dataset> {
  const request = requestOf(options);
  const found = findDataFiles(paths);
  const read = (list: readonly string[]): FileResult[] =>
    list.map((path) => {
      const result = readFile(path, request);
      if (result.examples.length > 0) return result;
      throw new NomoatError({
        part: path,
        fault: `holds no usable record of the format ${result.file.format} (${result.file.why}); all ${result.file.rows} are refused, the first one: ${describe(result.refusals[0]!)}`,
        remedy: `Known formats and their keys: ${formatList}; --format forces one.`,
      });
    });
  const train = read(found.train);
  const validation = found.validation.length > 0 ? read(found.validation) : null;
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
