/**
 * What people thought of answers as a data set: saved conversations in which answers are marked (`/good`, `/bad`, `/better` of a chat) become rows
 * to learn from. Promises: every mark is in a row or counted with the reason why not; the sources are never changed and no file is overwritten;
 * beside the data set stands what each row was made of.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type CollectedRow,
  collectRows,
  countMarks,
  type FoundMark,
  type MarkCounts,
} from '../dataset/collect-rows.ts';
import { NomoatError } from '../errors.ts';
import { writeFileAtomic } from '../formats/atomic-write.ts';
import { writeJson } from '../formats/exact-json.ts';
import { statOf } from '../records/byte-source.ts';
import { kindByName, openDataFile } from '../records/data-files.ts';
import { provenanceEnding } from '../records/data-folders.ts';
import type { RawRecord } from '../records/raw-record.ts';
import { type CollectKind, collectSettings } from '../settings/collect-settings.ts';
import { parseSettings } from '../settings/parse-settings.ts';
import { heedSignal, stoppable } from '../stop.ts';
import { sha256OfFile } from '../store/file-digest.ts';
import { placeOf, type RecordSource } from '../text/example.ts';
import { markedAnswers } from '../text/feedback.ts';
import { RecordRefused } from '../text/refused.ts';
import { assertGiven } from '../words/given.ts';
import { withValues } from '../words/program-words.ts';
import { writeProvenance } from './provenance.ts';

/** How marks become a data set. */
export interface CollectOptions {
  /** The new file: JSONL. Where its rows come from is in a file of this name with `.provenance.json` behind it. */
  readonly out: string;
  /**
   * `dpo`: pairs (`prompt`, `chosen`, `rejected`) of bad answers and better ones. `kto`: answers with a `label`. `sft`: good and better answers as
   * `messages`. Default: what the marks are best for.
   */
  readonly to?: CollectKind | null;
  /** Stops it: then it rejects with NomoatError (interrupted), and nothing is written. */
  readonly signal?: AbortSignal;
}

/** What no row was made of, by its reason. */
export interface LeftOutMarks {
  readonly reason: string;
  readonly count: number;
  /** The first of them, as FILE:LINE. */
  readonly first: string;
}

/** A file of conversations that was read. */
export interface CollectedSource {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly conversations: number;
  readonly marks: MarkCounts;
}

/** A data set that was written. */
export interface CollectedData {
  readonly path: string;
  /** The file that says what it was made of. */
  readonly provenance: string;
  readonly kind: CollectKind;
  readonly rows: number;
  readonly sources: readonly CollectedSource[];
  /** Of all sources. */
  readonly marks: MarkCounts;
  /** Answers that nobody marked. */
  readonly unmarked: number;
  readonly leftOut: readonly LeftOutMarks[];
  /** What else a person should know, in sentences. */
  readonly notes: readonly string[];
}

const fault = (part: string, fault: string, remedy: string): NomoatError =>
  new NomoatError({ code: 'invalid-settings', part, fault, remedy });

function assertNew(out: string): void {
  if (!/\.(?:jsonl|ndjson)$/i.test(out))
    throw fault(out, 'is not named as JSONL, which is what is written', 'Name it .jsonl.');
  for (const path of [out, `${out}${provenanceEnding}`])
    if (existsSync(path)) throw fault(path, 'exists already', 'Name a new file.');
}

/** The files that are meant: of a folder the JSONL files in it, each file once. */
function filesOf(sources: readonly string[]): string[] {
  const found = sources.flatMap((source) => {
    assertGiven('a source', source);
    const stat = statOf(source);
    if (!stat)
      throw new NomoatError({
        code: 'data-not-found',
        part: source,
        fault: 'does not exist',
        remedy: 'Check the path.',
      });
    if (!stat.isDirectory()) return [source];
    const names = readdirSync(source).filter((name) => !name.startsWith('.') && kindByName(name) === 'JSONL');
    if (names.length === 0)
      throw new NomoatError({
        code: 'data-not-found',
        part: source,
        fault: 'holds no JSONL file',
        remedy: 'Give the files or the folder in which conversations were saved.',
      });
    return names.sort().map((name) => join(source, name));
  });
  const seen = new Set<string>();
  return found.filter((path) => !seen.has(resolve(path)) && seen.add(resolve(path)));
}

/** Marks as they are found, with all that is counted on the way. */
class Collection {
  readonly marks: FoundMark[] = [];
  unmarked = 0;
  private readonly reasons = new Map<string, { count: number; first: string }>();

  readonly leaveOut = (reason: string, source: RecordSource): void => {
    const known = this.reasons.get(reason);
    if (known) known.count++;
    else this.reasons.set(reason, { count: 1, first: placeOf(source) });
  };

  get leftOut(): LeftOutMarks[] {
    return [...this.reasons].map(([reason, { count, first }]) => ({ reason, count, first }));
  }

  /** Whether the record is a conversation. */
  add(raw: RawRecord, file: string): boolean {
    const source = { file, line: raw.line, ...(raw.record === undefined ? {} : { record: raw.record }) };
    try {
      if ('fault' in raw) throw new RecordRefused(raw.fault, raw.detail);
      const { marked, unmarked } = markedAnswers(raw.value);
      this.unmarked += unmarked;
      for (const mark of marked) this.marks.push({ ...mark, source });
      return true;
    } catch (error) {
      if (!(error instanceof RecordRefused)) throw error;
      this.leaveOut(error.reason, source);
      return false;
    }
  }
}

async function readSource(path: string, into: Collection, signal: AbortSignal | undefined): Promise<CollectedSource> {
  const sha256 = sha256OfFile(path);
  const before = into.marks.length;
  let conversations = 0;
  for await (const batch of (await openDataFile(path, false)).records) {
    await heedSignal('collecting', signal);
    for (const raw of batch) if (into.add(raw, path)) conversations++;
  }
  return { path, bytes: statSync(path).size, sha256, conversations, marks: countMarks(into.marks.slice(before)) };
}

const countsInWords = ({ bad, better, good }: MarkCounts): string =>
  `${good} good, ${bad} bad and ${better} bad with a better answer`;

/** Why there is nothing to write. */
function nothing(asked: CollectKind | null, { leftOut, marks, unmarked }: Collection): NomoatError {
  const counts = countMarks(marks);
  const reasons = leftOut.map(({ count, first, reason }) => `${reason} (${count}, first ${first})`);
  const part = 'the conversations';
  if (marks.length === 0)
    return new NomoatError({
      code: 'unusable-data',
      part,
      fault: `hold no mark of an answer${unmarked > 0 ? ` (${unmarked} without one)` : ''}${reasons.length > 0 ? `; left out: ${reasons.join('; ')}` : ''}`,
      remedy: 'In a chat, /good, /bad and /better TEXT mark the last answer, and /save writes the marks down.',
    });
  return new NomoatError({
    code: 'unusable-data',
    part,
    fault: `hold ${countsInWords(counts)}, of which ${asked ? withValues({ to: asked }) : 'nothing'} ${asked ? 'makes no row' : 'can be learnt'}${reasons.length > 0 ? `: ${reasons.join('; ')}` : ''}`,
    remedy:
      asked === null || counts.good + counts.better === 0
        ? 'Mark good answers too, or say with /better TEXT what would have been right.'
        : 'Leave `to` out: then it is what the marks are best for.',
  });
}

/** Sentences on a data set that training would refuse, or that says less than it seems to. */
function notesOf(kind: CollectKind, rows: readonly CollectedRow[]): string[] {
  const labels = new Set(rows.map(({ row }) => row.label));
  if (kind !== 'kto' || labels.size > 1) return [];
  return [
    labels.has(true)
      ? `All answers are good: ${withValues({ method: 'kto' })} wants bad ones too, and ${withValues({ to: 'sft' })} makes rows that are learnt without.`
      : `All answers are bad: ${withValues({ method: 'kto' })} wants good ones too.`,
  ];
}

/** For each row the place of its mark, with the number of its source. */
const placesOf = (sources: readonly CollectedSource[], rows: readonly CollectedRow[]): object[] =>
  rows.map(({ from }) => ({
    source: sources.findIndex(({ path }) => path === from.source.file),
    line: from.source.line,
    ...(from.source.record === undefined ? {} : { record: from.source.record }),
    message: from.message,
  }));

/**
 * Reads conversations as a chat saves them (files, or folders of them), and logs with a label beside their messages, and writes what was thought of
 * their answers as a data set. Rejects with NomoatError where a source cannot be read, nothing can be learnt, the file exists, or `signal` says so.
 */
export async function collect(sources: string | readonly string[], options: CollectOptions): Promise<CollectedData> {
  const { signal, ...given } = options;
  const { out, to } = parseSettings(collectSettings, { given }, { command: 'collect' });
  assertNew(out);
  const files = filesOf([sources].flat());
  return await stoppable('collecting', signal, async () => {
    const found = new Collection();
    const read: CollectedSource[] = [];
    for (const path of files) read.push(await readSource(path, found, signal));
    const { kind, rows } = collectRows(found.marks, to, found.leaveOut);
    if (kind === null || rows.length === 0) throw nothing(to, found);
    const { leftOut, unmarked } = found;
    const data = { kind, rows: rows.length, marks: countMarks(found.marks), unmarked, leftOut, sources: read };
    const lines = rows.map(({ row }) => `${writeJson(row)}\n`).join('');
    const provenance = writeProvenance(out, { ...data, madeOf: placesOf(read, rows) });
    writeFileAtomic(out, lines);
    return { ...data, path: out, provenance, notes: notesOf(kind, rows) };
  });
}
