/**
 * Data files and folders as examples. Promises: every record is an example or a refusal that names file and line; a
 * file of which nothing can be used is an error; what else a person should know is a note. Knows nothing of tokens.
 */
import { dirname, join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { findDataFiles } from '../records/data-folders.ts';
import { shardOf } from '../records/shards.ts';
import { type Example, placeOf } from '../text/example.ts';
import { remedyOf } from '../text/record-remedies.ts';
import { type Columns, formatList, type RecordFormat } from '../text/records.ts';
import { type DataFile, type FileResult, type Refusal, type Request, readDataFile } from './read-data-file.ts';
import { SeenKeys } from './seen-keys.ts';

export type { DataFile, Refusal } from './read-data-file.ts';

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
  /** Kept with each example beside what it is made of. */
  readonly keptColumn?: string | null;
}

const settingsError = (fault: string, remedy: string): NomoatError =>
  new NomoatError({ part: 'the columns', fault, remedy });

const requestOf = (options: ReadOptions): Request => ({
  ...formatRequest(options),
  keptColumn: options.keptColumn ?? null,
});

function formatRequest(options: ReadOptions): Request {
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
    return { columns, format: forced, why: forced ? 'as `format` says' : '', asCsv };
  if (pair === 1)
    throw settingsError(
      'only one of prompt and completion is chosen',
      'Give both `promptColumn` and `completionColumn`.',
    );
  if (pair === 2 && columns.text !== null)
    throw settingsError('a text is chosen besides prompt and completion', 'Give `textColumn`, or the two others.');
  const format = pair === 2 ? 'prompt-completion' : 'text';
  if (forced && forced !== format)
    throw settingsError(`they are of the format ${format}, and \`format\` is ${forced}`, 'Leave one of them out.');
  return { columns, format, why: 'by the chosen columns', asCsv };
}

/** `file:line: reason`, for errors. */
const describe = ({ source, reason, detail }: Refusal): string =>
  `${placeOf(source)} ${reason}${detail ? ` (${detail})` : ''}`;

/** What helps against most of the refusals; null where that is another format. */
function helpOf(refusals: readonly Refusal[]): string | null {
  const counts = new Map<string, number>();
  for (const { reason } of refusals) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  return most ? remedyOf(most[0]) : null;
}

/** Parts of one set are one data set, and what is to be said of them is said once. */
const setOf = (path: string): string => {
  const shard = shardOf(path);
  return shard ? join(dirname(path), `${shard.stem}-*-of-${shard.total}`) : path;
};

/** What is to be known of the files, those of a set together. */
function notesOf(results: readonly FileResult[], request: Request): string[] {
  const sets = new Map<string, FileResult[]>();
  for (const result of results)
    sets.set(setOf(result.file.path), [...(sets.get(setOf(result.file.path)) ?? []), result]);
  return [...sets].flatMap(([name, members]) => {
    const rows = members.reduce((sum, { file }) => sum + file.rows, 0);
    const formats = new Map<RecordFormat, number>();
    for (const member of members)
      for (const [format, count] of member.formats) formats.set(format, (formats.get(format) ?? 0) + count);
    const several = [...formats].map(([format, count]) => `${format} ${count}`).join(', ');
    const unread = SeenKeys.merged(members.map((member) => member.unread));
    return [
      ...members.flatMap(({ notes }) => notes),
      ...(formats.size > 1 ? [`${name}: rows of several formats, each read as its own: ${several}`] : []),
      ...unread.notes(name, rows, formats.has('text') && request.format === null),
    ];
  });
}

/** Reads files one by one. A part of a set may be empty where the others are not. */
async function readAll(paths: readonly string[], request: Request): Promise<FileResult[]> {
  const results: FileResult[] = [];
  const members = new Map<string, number>();
  for (const path of paths) members.set(setOf(path), (members.get(setOf(path)) ?? 0) + 1);
  for (const path of paths) {
    const result = await readDataFile(path, request, members.get(setOf(path))! > 1);
    if (result) results.push(result);
    if (!result || result.examples.length > 0) continue;
    throw new NomoatError({
      code: 'unusable-data',
      part: path,
      fault: `holds no usable record of the format ${result.file.format} (${result.file.why}); all ${result.file.rows} are refused, the first one: ${describe(result.refusals[0]!)}`,
      remedy: helpOf(result.refusals) ?? `Known formats and their keys: ${formatList}; \`format\` forces one.`,
    });
  }
  if (results.length > 0) return results;
  throw new NomoatError({
    code: 'unusable-data',
    part: paths[0]!,
    fault: 'is empty, and so are the other parts',
    remedy: 'Fetch the set again.',
  });
}

/**
 * Reads files and folders. Throws NomoatError where one cannot be read, is of no known format, or holds no record that
 * can be used.
 */
export async function readExamples(paths: readonly string[], options: ReadOptions = {}): Promise<Dataset> {
  const request = requestOf(options);
  const found = findDataFiles(paths);
  const train = await readAll(found.train, request);
  const validation = found.validation.length > 0 ? await readAll(found.validation, request) : null;
  const all = [...train, ...(validation ?? [])];
  return {
    train: train.flatMap(({ examples }) => examples),
    validation: validation?.flatMap(({ examples }) => examples) ?? null,
    format: [...new Set(all.map(({ file }) => file.format))].join(', '),
    files: all.map(({ file }) => file),
    refusals: all.flatMap(({ refusals }) => refusals),
    notes: [...found.notes, ...notesOf(all, request)],
  };
}
