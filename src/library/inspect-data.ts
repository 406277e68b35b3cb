/**
 * A look at data before anything is trained on it: what is twice in it, what no model should learn, what hides in it and what stands out.
 * Promises: the same findings for the same rows; no excerpt shows a secret; the files are never changed.
 */
import { existsSync } from 'node:fs';
import type { CheckedRows } from '../data-checks/check-rows.ts';
import { type DataFinding, type FindingKind, findingKindNames, leftOutByDefault } from '../data-checks/finding.ts';
import type { CheckedTokens } from '../data-checks/tokens-of-rows.ts';
import { type DataFile, readExamples } from '../dataset/dataset-files.ts';
import { NomoatError } from '../errors.ts';
import { writeChunksAtomic } from '../formats/atomic-write.ts';
import type { TuneOptions } from '../library.ts';
import { stoppable } from '../stop.ts';
import type { Example, RecordSource } from '../text/example.ts';
import type { EncodeOptions } from '../tokens/encode-example.ts';
import { nearestNames } from '../words/nearest-name.ts';
import type { InspectProgress } from './inspect.ts';
import { withEncoding } from './row-encoding.ts';

/** What is looked at, and what is done about it. */
export interface InspectDataOptions
  extends Pick<TuneOptions, 'format' | 'promptColumn' | 'completionColumn' | 'textColumn'> {
  /** Files and folders, of every format that `tune` reads. */
  readonly data: string | readonly string[];
  /** The model that shall learn them: rows are tokenised as training would; default: none. */
  readonly model?: string | null;
  /** Chat template instead of the model's own: a file, or a name. */
  readonly chatTemplate?: string | null;
  /** A new JSONL file with the rows that are left when those of `leaveOut` are gone. */
  readonly writeClean?: string | null;
  /** Kinds of findings whose rows `writeClean` leaves out; default: exact duplicates, empty rows, secrets, personal data, hidden characters. */
  readonly leaveOut?: readonly FindingKind[];
  /** Stops it: then it rejects with NomoatError (interrupted), and nothing is written. */
  readonly signal?: AbortSignal;
  /** Told how far it is. */
  readonly onProgress?: (progress: InspectProgress) => void;
}

/** How many findings of a kind there are, and how many rows they name. */
export interface KindCount {
  readonly kind: FindingKind;
  readonly findings: number;
  /** Each counted once. */
  readonly rows: number;
}

/** A row that a cleaned file lacks. */
export interface LeftOutRow {
  readonly row: RecordSource;
  readonly kinds: readonly FindingKind[];
}

/** What was written beside the data. */
export interface WrittenClean {
  readonly path: string;
  /** In the new file. */
  readonly rows: number;
  readonly leftOut: readonly LeftOutRow[];
}

/** What data is, and what was found in it. */
export interface DataInspection extends CheckedRows {
  readonly format: string;
  readonly files: readonly DataFile[];
  /** Rows that could be read. */
  readonly rows: number;
  /** What else a person should know, in sentences. */
  readonly notes: readonly string[];
  /** The most severe kinds first. */
  readonly counts: readonly KindCount[];
  /** Of rows as the model's tokens; null where no model is named. */
  readonly tokens: Omit<CheckedTokens, 'findings'> | null;
  /** Null where nothing was to be written. */
  readonly written: WrittenClean | null;
}

function leaveOutOf({ leaveOut, writeClean }: InspectDataOptions): readonly FindingKind[] {
  if (!leaveOut || leaveOut.length === 0) return leftOutByDefault;
  const unknown = leaveOut.find((kind) => !findingKindNames.includes(kind));
  const fault = (fault: string, remedy: string): NomoatError =>
    new NomoatError({ code: 'invalid-settings', part: '`leaveOut`', fault, remedy });
  if (unknown !== undefined) {
    const [near] = nearestNames(String(unknown), findingKindNames, 1);
    throw fault(
      `${String(unknown)} is no kind of finding${near ? ` (did you mean ${near}?)` : ''}`,
      `Those are ${findingKindNames.join(', ')}.`,
    );
  }
  if (!writeClean) throw fault('does nothing without `writeClean`', 'Name the file that is to be written.');
  return leaveOut;
}

function assertNew(path: string | null | undefined): void {
  if (!path) return;
  const fault = (fault: string, remedy: string): NomoatError =>
    new NomoatError({ code: 'invalid-settings', part: path, fault, remedy });
  if (!/\.(?:jsonl|ndjson)$/i.test(path))
    throw fault('is not named as JSONL, which is what is written', 'Name it .jsonl.');
  if (existsSync(path)) throw fault('exists already', 'Name a new file.');
}

/** What is found of the rows, and of their tokens where a model's encoding is there. */
async function checkedOf(
  examples: readonly Example[],
  encoding: EncodeOptions | null,
  { onProgress, signal }: InspectDataOptions,
): Promise<{ readonly checked: CheckedRows; readonly tokens: CheckedTokens | null }> {
  const { checkTokens } = await import('../data-checks/tokens-of-rows.ts');
  const { checkRows } = await import('../data-checks/check-rows.ts');
  const told = (doing: string, done: number, total: number): void => onProgress?.({ doing, done: done - 1, total });
  const pace = { signal, onProgress: (done: number, total: number) => told('rows tokenised', done, total) };
  const tokens = encoding && (await checkTokens(examples, encoding, pace));
  const tokenizer = encoding?.tokenizer ?? null;
  return { tokens, checked: await checkRows(examples, { tokenizer, signal, onProgress: told }) };
}

function countsOf(findings: readonly DataFinding[]): KindCount[] {
  const counts = new Map<FindingKind, { findings: number; rows: Set<string> }>();
  for (const { kind, rows } of findings) {
    const known = counts.get(kind) ?? { findings: 0, rows: new Set() };
    known.findings++;
    for (const row of rows) known.rows.add(JSON.stringify(row));
    counts.set(kind, known);
  }
  return [...counts].map(([kind, { findings, rows }]) => ({ kind, findings, rows: rows.size }));
}

/** Reads and checks data. Rejects with NomoatError where it cannot be read, a setting is wrong, or `signal` says so. */
export async function inspectData(options: InspectDataOptions): Promise<DataInspection> {
  const { chatTemplate, data, model = null, signal, writeClean } = options;
  const kinds = leaveOutOf(options);
  assertNew(writeClean);
  return await stoppable('inspecting data', signal, async () => {
    const dataset = await readExamples(typeof data === 'string' ? [data] : [...data], options);
    if (writeClean && dataset.validation)
      throw new NomoatError({
        part: '`writeClean`',
        fault: 'the folder holds data for training and for validation, which would become one file',
        remedy: 'Clean its files one by one.',
      });
    const examples = [...dataset.train, ...(dataset.validation ?? [])];
    const check = (encoding: EncodeOptions | null) => checkedOf(examples, encoding, options);
    const { checked, tokens } = await (model === null ? check(null) : withEncoding({ model, chatTemplate }, check));
    const refused = dataset.refusals.map(({ detail, reason, source }): DataFinding => {
      return { kind: 'unusable', severity: 'warning', rule: reason, rows: [source], excerpt: detail ?? '' };
    });
    const findings = [...checked.findings, ...refused, ...(tokens?.findings ?? [])];
    const result = {
      ...checked,
      findings,
      format: dataset.format,
      files: dataset.files,
      rows: examples.length,
      notes: dataset.notes,
      counts: countsOf(findings),
      tokens: tokens ? { lengths: tokens.lengths, notices: tokens.notices } : null,
    };
    if (!writeClean) return { ...result, written: null };
    const { namedRows } = await import('../data-checks/check-rows.ts');
    const leftOut = namedRows(findings, kinds);
    return { ...result, written: await write(writeClean, examples, leftOut) };
  });
}

async function write(path: string, examples: readonly Example[], named: readonly LeftOutRow[]): Promise<WrittenClean> {
  const keys = new Set(named.map(({ row }) => JSON.stringify(row)));
  const kept = examples.filter(({ source }) => !keys.has(JSON.stringify(source)));
  if (kept.length === 0)
    throw new NomoatError({
      code: 'unusable-data',
      part: path,
      fault: 'no row would be left',
      remedy: 'Leave out fewer kinds with `leaveOut`.',
    });
  const { cleanLines } = await import('../data-checks/clean-lines.ts');
  const lines = await cleanLines(kept);
  writeChunksAtomic(
    path,
    lines.map((line) => `${line}\n`),
  );
  return { path, rows: lines.length, leftOut: named };
}
