/**
 * A file of another platform, by its name and what it holds. Promises: every file is said to be something, or to be
 * unknown; what cannot be read is a fault of its own and spoils no other.
 */
import { extname } from 'node:path';
import type { TuningFileCheck } from '../dataset/tuning-file.ts';
import { NomoatError } from '../errors.ts';
import { parseBounded } from '../formats/bounded-json.ts';
import { readYamlMap } from '../formats/yaml-map.ts';
import { noRemarks } from '../records/byte-source.ts';
import { goesOverLines } from '../records/json-records.ts';
import { readWholeText } from '../records/line-reader.ts';
import { importDataSet, importOther } from './data-set.ts';
import { importEval, importEvalRun, importRegistry, isEval, isEvalRun } from './eval-definition.ts';
import { counted, type Imported, imported } from './imported.ts';
import { importJob, isJob, type Target } from './job-object.ts';
import { checkLines, firstValues, type RowCheck } from './lines.ts';
import { importResultFile } from './result-file.ts';

/** What importing needs of others. */
export interface ImportContext {
  readonly target: Target;
  /** Holds a training file against the rules of jobs. */
  readonly check: (path: string) => Promise<TuningFileCheck>;
}

/** Objects of the API are smaller; larger JSON is data. */
const maxObjectBytes = 16 << 20;
/** Rows by which a file is known. */
const headRows = 100;
/** Jobs in a file: a list of the API has a hundred at most. */
const mostJobs = 1000;

const kindOf = (value: unknown): unknown => (value as { object?: unknown } | null)?.object;

/** What other objects of the API are, by their `object`. */
function importApiObject(path: string, value: unknown, count: number): Imported | null {
  const object = kindOf(value);
  if (object === 'fine_tuning.job.checkpoint')
    return imported(path, 'checkpoints', `lists ${counted(count, 'checkpoint')} of a fine-tuning job`, {
      differences: ['Their models stay at OpenAI: weights cannot be fetched. A job here has checkpoints of its own.'],
    });
  if (object === 'fine_tuning.job.event')
    return imported(path, 'events', `lists ${counted(count, 'event')} of a fine-tuning job`);
  return null;
}

/** The objects in a file of JSON: itself, or what its list holds. */
function objectsIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  const inner = (value as { data?: unknown } | null)?.data;
  return kindOf(value) === 'list' && Array.isArray(inner) ? inner : [value];
}

function importObjects(path: string, objects: readonly unknown[], { target }: ImportContext): Imported[] {
  const [first] = objects;
  if (objects.every(isJob)) return objects.slice(0, mostJobs).map((each) => importJob(path, each, target));
  if (objects.every(isEval)) return objects.map((each) => importEval(path, each));
  if (objects.length > 0 && objects.every(isEvalRun)) return objects.map(() => importEvalRun(path));
  const other = importApiObject(path, first, objects.length);
  return other ? [other] : [];
}

const text = (value: unknown): boolean => typeof value === 'string';
const isSaid = (value: unknown): boolean => text(value) || (Array.isArray(value) && value.length > 0);

const checkSample: RowCheck = ({ ideal, input }) => {
  if (!isSaid(input)) return 'has no input that is a text or a list of messages';
  return ideal === undefined || isSaid(ideal) ? null : 'has an ideal that is neither a text nor a list of texts';
};
const checkItem: RowCheck = ({ item }) =>
  typeof item === 'object' && item !== null && !Array.isArray(item) ? null : 'has no item that is an object';
const checkRequest: RowCheck = ({ body, custom_id: id }) =>
  text(id) && typeof body === 'object' && body !== null ? null : 'lacks custom_id or body';

interface OtherRows {
  readonly keys: readonly string[];
  readonly kind: Imported['kind'];
  readonly noun: string;
  readonly check: RowCheck;
  readonly difference: string;
}

const notRun = '`evaluate()` asks them by their definition, which its `evals` takes.';
/** Rows that are not for tuning, by their keys. */
const otherRows: readonly OtherRows[] = [
  { keys: ['input', 'ideal'], kind: 'eval-samples', noun: 'sample', check: checkSample, difference: notRun },
  { keys: ['item'], kind: 'eval-samples', noun: 'item', check: checkItem, difference: notRun },
  {
    keys: ['custom_id', 'body'],
    kind: 'batch-requests',
    noun: 'request',
    check: checkRequest,
    difference: 'They are asked, not learnt: send each body to a server here.',
  },
];

async function importJsonl(path: string, context: ImportContext): Promise<Imported[]> {
  const head = await firstValues(path, headRows);
  const objects = importObjects(path, head, context);
  if (head.length > 0 && objects.length > 0) {
    const all = head.length < headRows ? head : await firstValues(path, mostJobs);
    return importObjects(path, all, context);
  }
  const has = (key: string): boolean => typeof head[0] === 'object' && head[0] !== null && Object.hasOwn(head[0], key);
  const other = otherRows.find(({ keys }) => keys.every(has));
  if (!other) return [await importDataSet(path, head, context.check)];
  const { rows, ...faults } = await checkLines(path, other.check);
  const what = other.kind === 'batch-requests' ? "of OpenAI's Batch API" : "of an eval of OpenAI's";
  return [
    imported(path, other.kind, `holds ${counted(rows, other.noun)} ${what}`, {
      ...faults,
      differences: [other.difference],
    }),
  ];
}

async function importJson(path: string, context: ImportContext): Promise<Imported[]> {
  const parsed = parseBounded(await readWholeText(path, maxObjectBytes, noRemarks()));
  // Many a file of lines is named so.
  if (typeof parsed === 'string')
    return (await goesOverLines(path)) ? [await importOther(path, null)] : await importJsonl(path, context);
  const found = importObjects(path, objectsIn(parsed.value), context);
  return found.length > 0 ? found : [await importOther(path, null)];
}

async function importYaml(path: string): Promise<Imported[]> {
  const found = importRegistry(
    path,
    readYamlMap(path, 'evals', "A registry file maps names of evals to their class, as OpenAI's do."),
  );
  return found.length > 0 ? found : [imported(path, 'unknown', 'defines no eval of a class')];
}

type Reader = (path: string, context: ImportContext) => Promise<Imported[]>;
const readers: Readonly<Record<string, Reader>> = {
  '.jsonl': importJsonl,
  '.ndjson': importJsonl,
  '.json': importJson,
  '.yaml': importYaml,
  '.yml': importYaml,
  '.csv': async (path) => [(await importResultFile(path)) ?? (await importOther(path, null))],
};

/** Endings of files that are looked at. */
export const importedEndings: readonly string[] = Object.keys(readers);

/** Whether a file by its name is looked at. */
export const isImported = (path: string): boolean => Object.hasOwn(readers, extname(path).toLowerCase());

/** What the file holds: one thing, or each of several. */
export async function importFile(path: string, context: ImportContext): Promise<Imported[]> {
  try {
    return await (readers[extname(path).toLowerCase()] ?? importOtherFile)(path, context);
  } catch (error) {
    if (!(error instanceof NomoatError) || error.kind === 'interrupted') throw error;
    return [
      imported(path, 'unknown', 'cannot be read', { faults: [`${error.part}: ${error.fault}. ${error.remedy}`] }),
    ];
  }
}

/** As `tune` reads it: Parquet, packed files and the like. */
const importOtherFile: Reader = async (path) => [await importOther(path, null)];
