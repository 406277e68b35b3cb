/**
 * Data sets that the studio makes: of marked answers by `collect()`, of whole conversations, of the package's examples. Each is a file in the
 * folder `data-sets` of the runs with what it was made of beside it, and an uploaded file as every other, so that all that follows knows it.
 */
import { createReadStream, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeFileAtomic } from '../../formats/atomic-write.ts';
import { writeProvenance } from '../../library/provenance.ts';
import { provenanceEnding } from '../../records/data-folders.ts';
import type { CollectKind } from '../../settings/collect-settings.ts';
import { sha256OfFile } from '../../store/file-digest.ts';
import { packageRoot } from '../../store/package-root.ts';
import { type ApiError, wrongParameter } from '../api-error.ts';
import type { RouteParts } from '../routes/routes.ts';
import { dataPurpose, type StoredFile } from '../state/file-store.ts';
import { callLibrary } from './call-library.ts';

/** What comes with the package, by the name that a page asks for. */
export const exampleFiles = {
  colours: 'examples/colours.jsonl',
  intents: 'examples/intents/train.jsonl',
} as const;
export type ExampleName = keyof typeof exampleFiles;
export const exampleNames = Object.keys(exampleFiles) as ExampleName[];

export interface MadeData {
  readonly file: StoredFile;
  readonly rows: number;
  /** Absolute path of the data set; null of an example, which stays where it is. */
  readonly path: string | null;
  /** What was left out and why, and what else should be known, in sentences. */
  readonly notes: readonly string[];
}

/** Makes a file one that was uploaded. */
async function upload({ limits, workspace }: RouteParts, path: string, filename: string): Promise<StoredFile> {
  const { files } = workspace.open();
  const arrived = await files.receive(createReadStream(path), limits.fileBytes);
  return files.add(arrived, { filename, purpose: dataPurpose, seconds: null });
}

/** A new path in the folder of data sets: of a name that is taken already the next one. */
function newPath({ workspace }: RouteParts, name: string): string {
  const folder = join(workspace.runs, 'data-sets');
  mkdirSync(folder, { recursive: true });
  const safe = name.replace(/[^\p{L}\p{N}_-]+/gu, '-').replace(/^-+|-+$/g, '') || 'talk';
  for (let n = 1; ; n++) {
    const path = join(folder, `${safe}${n === 1 ? '' : `-${n}`}.jsonl`);
    if (!existsSync(path) && !existsSync(`${path}${provenanceEnding}`)) return path;
  }
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').filter(Boolean);

/** An example of the package. */
export async function exampleData(parts: RouteParts, name: ExampleName): Promise<MadeData> {
  const path = join(packageRoot() ?? '.', exampleFiles[name]);
  const file = await upload(parts, path, `${name}.jsonl`);
  return { file, rows: linesOf(path).length, path: null, notes: [] };
}

export interface MarkedDataOptions {
  /** Ids of chats; null: all, and what programs thought of answers. */
  readonly chats: readonly string[] | null;
  readonly to: CollectKind | null;
  readonly name: string;
}

const nothingSaid = (): ApiError =>
  wrongParameter('chats', 'no_conversation', 'No chat that was chosen has an answer: talk to a model first.');

/** What was thought of answers, as `collect()` makes rows of it. Rejects with NomoatError or ApiError. */
export async function markedData(
  parts: RouteParts,
  { chats, name, to }: MarkedDataOptions,
  signal: AbortSignal,
): Promise<MadeData> {
  const { chats: store, feedback } = parts.workspace.open();
  const ofPrograms = chats === null && existsSync(feedback.path) ? [feedback.path] : [];
  const sources = [...store.filesOf(chats), ...ofPrograms];
  if (sources.length === 0) throw nothingSaid();
  const out = newPath(parts, name);
  const { leftOut, notes, path, rows } = await callLibrary({ name: 'collect', options: { sources, out, to } }, signal);
  const reasons = leftOut.map(({ count, reason }) => `${count} left out: ${reason}.`);
  return { file: await upload(parts, path, basename(path)), rows, path, notes: [...notes, ...reasons] };
}

/** Whole conversations as they were; of their answers the bad ones and those that were cut carry weight 0. */
export async function conversationData(
  parts: RouteParts,
  { chats, name }: Pick<MarkedDataOptions, 'chats' | 'name'>,
): Promise<MadeData> {
  const sources = parts.workspace.open().chats.filesOf(chats);
  if (sources.length === 0) throw nothingSaid();
  const path = newPath(parts, name);
  const read = sources.map((source) => ({ source, lines: linesOf(source) }));
  const lines = read.flatMap((each) => each.lines);
  writeProvenance(path, {
    kind: 'conversations',
    sources: read.map(({ source, lines: { length: conversations } }) => ({
      path: source,
      bytes: statSync(source).size,
      sha256: sha256OfFile(source),
      conversations,
    })),
  });
  writeFileAtomic(path, `${lines.join('\n')}\n`);
  return { file: await upload(parts, path, basename(path)), rows: lines.length, path, notes: [] };
}
