/** A task's files as its documents: which part of the data each is, by its name. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { NomoatError } from '../../errors.ts';
import { statOf } from '../../records/byte-source.ts';
import { csvTable } from '../../records/csv-records.ts';
import { kindByName, openDataFile, unpackedName } from '../../records/data-files.ts';
import { readWholeText } from '../../records/line-reader.ts';
import { maxWholeFileBytes } from '../../records/raw-record.ts';
import type { TaskData } from './prompts.ts';
import type { Split, Task, TaskDocument } from './task.ts';

/** Words of file names; the first that is there decides. */
const splitWords: readonly (readonly [Split, RegExp])[] = [
  ['train', /(^|[^a-z])(train|auxiliary_train)([^a-z]|$)/i],
  ['validation', /(^|[^a-z])(val|valid|validation)([^a-z]|$)/i],
  ['test', /(^|[^a-z])test([^a-z]|$)/i],
  ['dev', /(^|[^a-z])dev([^a-z]|$)/i],
];

const bareName = (path: string): string => unpackedName(basename(path)).name.replace(/\.[a-z]+$/i, '');

/** Which part of the data a file is; null where its name does not say. */
export const splitOf = (path: string): Split | null =>
  splitWords.find(([, words]) => words.test(bareName(path)))?.[0] ?? null;

/** Records one by one: of a CSV file without a line of names, and of one whose labels stand in a file beside it, too. */
async function* recordsOf(path: string, task: Task): AsyncGenerator<unknown> {
  const { columns, labelFile } = task;
  const labels = join(dirname(path), `${bareName(path)}-labels.lst`);
  const labelled =
    labelFile && existsSync(labels) ? (await readWholeText(labels, maxWholeFileBytes)).trim().split(/\r?\n/) : null;
  const text = columns && kindByName(path) === 'CSV' ? await readWholeText(path, maxWholeFileBytes) : null;
  const names = columns?.join(',') ?? '';
  const batches =
    text === null
      ? (await openDataFile(path, false)).records
      : [csvTable(path, text.startsWith(names) ? text : `${names}\n${text}`).records];
  let at = 0;
  for await (const batch of batches)
    for (const record of batch) {
      const value = 'value' in record ? record.value : null;
      const label = labelled?.[at++];
      yield label === undefined ? value : { ...(value as object), label };
    }
}

async function readFile(path: string, task: Task): Promise<TaskDocument[]> {
  const documents: TaskDocument[] = [];
  let others = 0;
  for await (const record of recordsOf(path, task)) {
    const document = task.read(record, bareName(path));
    if (document) documents.push(document);
    else others++;
  }
  if (others === 0 && documents.length > 0) return documents;
  const fault =
    documents.length === 0
      ? `holds no record of ${task.name}`
      : `holds ${others} records that are none of ${task.name}`;
  throw wrong(path, fault, `It is published as ${task.files}.`);
}

/** The files, and those of the folders. */
function filesOf(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const stat = statOf(path);
    if (!stat)
      throw new NomoatError({ code: 'data-not-found', part: path, fault: 'does not exist', remedy: 'Check the path.' });
    if (!stat.isDirectory()) return [path];
    return readdirSync(path)
      .sort()
      .map((name) => join(path, name))
      .filter((file) => kindByName(file) !== undefined && statOf(file)?.isFile());
  });
}

/** Of files of a part, those that are named for it and nothing else, where there are such: `test.jsonl` beside `test_socratic.jsonl`. */
function filesIn(files: readonly string[], split: Split | null): string[] {
  const all = files.filter((path) => splitOf(path) === split);
  const plain = all.filter((path) => bareName(path).toLowerCase() === split);
  return plain.length > 0 ? plain : all;
}

const wrong = (part: string, fault: string, remedy: string): NomoatError =>
  new NomoatError({ code: 'unusable-data', part, fault, remedy });

/**
 * The documents that are asked, and those that examples are taken from where `shots` are wanted. Rejects with NomoatError where files hold
 * none of the task, or records of something else.
 */
export async function readTaskData(paths: readonly string[], task: Task, shots: number): Promise<TaskData> {
  const files = filesOf(paths);
  const has = (split: Split): boolean => files.some((path) => splitOf(path) === split);
  // Files whose names say nothing are asked, unless others say that they are.
  const split = task.asked.find(has) ?? null;
  const read = async (part: Split | null): Promise<TaskDocument[]> => {
    const documents: TaskDocument[] = [];
    for (const path of filesIn(files, part))
      for (const document of await readFile(path, task)) documents.push(document);
    return documents;
  };
  const asked = await read(split);
  if (asked.length === 0)
    throw wrong(
      paths.join(', '),
      `holds no ${task.asked.join(' or ')} file of ${task.name}`,
      `It is published as ${task.files}.`,
    );
  const from = shots === 0 ? undefined : task.shots.from.find((each) => each !== split && has(each));
  return from === undefined
    ? { asked, shots: asked, areShared: true }
    : { asked, shots: await read(from), areShared: false };
}
