/**
 * One data file as examples: finds its format and says by what. Promises: every record is an example or a refusal that
 * names file and line. Knows nothing of folders or tokens.
 */
import { NomoatError } from '../errors.ts';
import { writeJson } from '../formats/exact-json.ts';
import { type FileKind, openDataFile, type RawFile } from '../records/data-files.ts';
import type { RawRecord } from '../records/raw-record.ts';
import { unwrap } from '../records/wrapped-json.ts';
import { isConversation, placeConversation } from '../text/conversation-place.ts';
import type { Example, RecordSource } from '../text/example.ts';
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

import type { Fields } from '../text/refused.ts';
import { nearestNames } from '../words/nearest-name.ts';
import { likelyColumns } from './likely-columns.ts';
import { SeenKeys } from './seen-keys.ts';

export interface Refusal {
  readonly source: RecordSource;
  /** Equal for equal causes. */
  readonly reason: string;
  /** Where in the record, or what exactly. */
  readonly detail?: string | undefined;
}

/** A data file as it was read. */
export interface DataFile {
  /** As it was given or found in a folder. */
  readonly path: string;
  /** Examples and refusals together. */
  readonly rows: number;
  /** Such as `messages`. */
  readonly format: string;
  /** By what the format was known. */
  readonly why: string;
}

export interface Request {
  readonly columns: Columns;
  /** Forced by `format` or by the columns. */
  readonly format: RecordFormat | null;
  readonly why: string;
  readonly asCsv: boolean;
  /** A column that examples keep beside what they are made of. */
  readonly keptColumn?: string | null;
}

/** Records in which a format is looked for; the first may be broken ones. */
const detectionRecords = 100;
/** Kinds whose records are rows of named columns. */
const isTable = (kind: FileKind): boolean => kind !== 'JSONL' && kind !== 'JSON';

function checkColumns(path: string, known: readonly string[], columns: Columns): void {
  for (const [name, column] of Object.entries(columns) as [string, string | null][]) {
    if (column === null || known.includes(column)) continue;
    const [near] = nearestNames(column, known, 1);
    throw new NomoatError({
      code: 'unusable-data',
      part: path,
      fault: `has no column "${column}" (\`${name}Column\`); its columns are ${describeKeys(Object.fromEntries(known.map((key) => [key, 1])))}`,
      remedy: near ? `Did you mean "${near}"?` : 'Give one of its columns.',
    });
  }
}

/** Formats of two keys: a prompt, and its answer. */
const answerFormats: readonly RecordFormat[] = ['prompt-completion', 'alpaca'];

/** Why the format of a file cannot be told. */
function unknownFormat(path: string, kind: FileKind, record: unknown): NomoatError {
  const keys = describeKeys(record);
  const where = `${isTable(kind) ? 'its columns' : 'keys of its first record'}: ${keys}`;
  const isAsked = ([prompt]: readonly string[]): boolean =>
    typeof record === 'object' && record !== null && Object.hasOwn(record, prompt!);
  const unanswered = answerFormats.map(keysOf).find(isAsked);
  if (unanswered)
    return new NomoatError({
      code: 'unusable-data',
      part: path,
      fault: `has "${unanswered[0]}" and no answers in "${unanswered[1]}" (${where})`,
      remedy: `${likelyColumns(record)}\`completionColumn\` names another column of answers.`,
      fields: { keys },
    });
  return new NomoatError({
    part: path,
    fault: `is of no known format (${where})`,
    remedy: `${likelyColumns(record)}Known formats and their keys: ${formatList}. Other names are chosen by \`promptColumn\` and \`completionColumn\`, or \`textColumn\`.`,
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
      code: 'unusable-data',
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
      code: 'unusable-data',
      part: `${path}:${first.line}`,
      fault: `${first.fault}${first.detail ? ` (${first.detail})` : ''}, and none of the first ${head.length} records is one`,
      remedy: `JSONL holds one JSON object a line. Known formats and their keys: ${formatList}.`,
    });
  }
  const format = detectFormat(telling);
  if (!format) throw unknownFormat(path, raw.kind, values[0]);
  return { format, why: `by ${isTable(raw.kind) ? 'its columns' : 'the keys'} ${keysOf(format).join(' and ')}` };
}

export interface FileResult {
  readonly examples: readonly Example[];
  readonly refusals: readonly Refusal[];
  readonly file: DataFile;
  /** Of the file itself. */
  readonly notes: readonly string[];
  /** Rows of each format. */
  readonly formats: ReadonlyMap<RecordFormat, number>;
  readonly unread: SeenKeys;
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

/** A JSON file that is the list of one conversation's messages. */
function oneConversation(head: readonly RawRecord[], raw: RawFile): readonly RawRecord[] {
  const values = head.flatMap((record) => ('value' in record ? [record.value] : []));
  if (raw.kind !== 'JSON' || values.length !== head.length || !isConversation(values)) return head;
  raw.remarks.layout = 'its list is one conversation';
  return [{ line: head[0]!.line, value: { messages: values } }];
}

/** A record of no known format whose conversation stands in another place, as one of messages. */
function placed(value: unknown, { remarks }: RawFile, { format }: Request): unknown {
  if (format !== null || isRecord(value) || likelyColumns(value) !== '') return value;
  const found = placeConversation(value);
  if (!found) return value;
  const note = `conversations are read from ${found.place}`;
  if (!remarks.notes.includes(note)) remarks.notes.push(note);
  return found.record;
}

/** What a record has in a column, as text. */
function keptOf(value: unknown, column: string | null | undefined): { readonly kept?: string } {
  if (!column || typeof value !== 'object' || value === null || !Object.hasOwn(value, column)) return {};
  const found = (value as Fields)[column];
  if (found === null || found === undefined) return {};
  return { kept: typeof found === 'string' ? found : writeJson(found) };
}

/** Reads as many records as tell the format, and goes on with all. */
async function openRecords(
  path: string,
  raw: RawFile,
  request: Request,
  mayBeEmpty: boolean,
): Promise<OpenRecords | null> {
  const rename = (record: RawRecord): RawRecord =>
    'value' in record
      ? {
          ...record,
          ...keptOf(record.value, request.keptColumn),
          value: placed(renameColumns(record.value, request.columns), raw, request),
        }
      : record;
  const source = raw.records[Symbol.asyncIterator]();
  try {
    const { ended, head } = await headRecords(source);
    const found = (ended ? unwrapped(oneConversation(head, raw), raw, request.columns) : head).map(rename);
    if (found.length === 0 && mayBeEmpty) return null;
    const { format, why } = formatOf(path, raw, found.slice(0, detectionRecords), request);
    const batches = async function* (): AsyncGenerator<readonly RawRecord[]> {
      try {
        yield found;
        for (let next = await source.next(); !next.done; next = await source.next()) yield next.value.map(rename);
      } finally {
        await source.return?.();
      }
    };
    return { format, why, batches: batches() };
  } catch (error) {
    // Else the file would stay open, and could not be removed on Windows.
    await source.return?.();
    throw error;
  }
}

/** As many records as tell the format, or all. */
async function headRecords(
  source: AsyncIterator<readonly RawRecord[]>,
): Promise<{ head: readonly RawRecord[]; ended: boolean }> {
  let head: RawRecord[] = [];
  while (head.length < detectionRecords) {
    const next = await source.next();
    if (next.done) return { head, ended: true };
    head = head.concat(next.value);
  }
  return { head, ended: false };
}

/**
 * Reads one file; null where it has no records and need not have any. Throws NomoatError where it cannot be read or is
 * of no known format.
 */
export async function readDataFile(path: string, request: Request, mayBeEmpty = false): Promise<FileResult | null> {
  const raw = await openDataFile(path, request.asCsv);
  if (raw.columns && raw.columns.length > 0) checkColumns(path, raw.columns, request.columns);
  const opened = await openRecords(path, raw, request, mayBeEmpty);
  if (!opened) return null;
  const { batches, format, why } = opened;
  const examples: Example[] = [];
  const refusals: Refusal[] = [];
  const unread = new SeenKeys();
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
        examples.push(record.kept === undefined ? parsed : { ...parsed, kept: record.kept });
        formats.set(own, (formats.get(own) ?? 0) + 1);
      } else refusals.push({ source, ...parsed });
      unread.add(unreadKeys(own, record.value), record.value);
    }
  const named = [...(formats.size > 1 ? formats.keys() : [format])].join(' and ');
  const layout = raw.remarks.layout === null ? '' : `, ${raw.remarks.layout}`;
  return {
    examples,
    refusals,
    file: { path, rows, format: raw.kind === 'CSV' ? `csv (${named})` : named, why: `${why}${layout}` },
    notes: raw.remarks.notes.map((note) => (note.startsWith(path) ? note : `${path}: ${note}`)),
    formats,
    unread,
  };
}

/** A row is of the file's format where it has its keys, else of the one whose keys it has. */
const formatOfRow = (format: RecordFormat, value: unknown): RecordFormat =>
  lacksKeys(format, value) ? (detectFormat(value) ?? format) : format;

const lacksKeys = (format: RecordFormat, value: unknown): boolean =>
  typeof value === 'object' && value !== null && keysOf(format).some((key) => !Object.hasOwn(value, key));
