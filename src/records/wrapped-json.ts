/**
 * Records that lie inside one JSON value, by its shape: a list under a key, lists by column, the layouts that pandas
 * writes, the rows of the hub's data server. Promises: every row of what it finds; columns of different lengths are a
 * fault. What a record looks like, it is told. Pure.
 */

export interface Unwrapped {
  readonly records: readonly unknown[];
  /** How they lay there, for people. */
  readonly layout: string;
  readonly notes: readonly string[];
}
export interface UnwrapFault {
  readonly fault: string;
  readonly detail: string;
}
type Found = Unwrapped | UnwrapFault | null;
type IsRecord = (value: unknown) => boolean;
type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.getPrototypeOf(value) === Object.prototype;
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
/** A turn of a conversation: a list of these is one record's, not a list of records. */
export const isTurn = (value: unknown): boolean => isObject(value) && ('role' in value || 'from' in value);

/** Objects around the list of records; nobody wraps deeper. */
const maxWraps = 3;
const shown = 6;

const lengthsFault = (lengths: readonly (readonly [string, number])[]): UnwrapFault => ({
  fault: 'has columns of different lengths',
  detail: lengths
    .slice(0, shown)
    .map(([name, length]) => `${name} ${length}`)
    .join(', '),
});

/** pandas, orient="split": names once, then rows as lists. */
function split(value: Fields): Found {
  const { columns, data } = value;
  if (!isList(columns) || !isList(data) || !columns.every((name) => typeof name === 'string') || !data.every(isList))
    return null;
  const wrong = data.findIndex((row) => (row as unknown[]).length !== columns.length);
  if (wrong >= 0)
    return {
      fault: 'has a row with another number of values than columns',
      detail: `row ${wrong + 1} has ${(data[wrong] as unknown[]).length}, and there are ${columns.length} columns`,
    };
  const records = data.map((row) => Object.fromEntries(columns.map((name, i) => [name, (row as unknown[])[i]])));
  return { records, layout: "in pandas' split layout", notes: [] };
}

/** The hub's data server: {"rows": [{"row_idx": 0, "row": {...}, "truncated_cells": []}]}. */
function serverRows({ rows, num_rows_total: total }: Fields): Found {
  if (!isList(rows) || rows.length === 0 || !rows.every((row) => isObject(row) && isObject(row['row']))) return null;
  const cut = rows.filter(
    (row) => isList((row as Fields)['truncated_cells']) && ((row as Fields)['truncated_cells'] as unknown[]).length > 0,
  );
  if (cut.length > 0)
    return {
      fault: 'has rows whose texts the data server cut off',
      detail: `${cut.length} of ${rows.length}; fetch the data set's files instead`,
    };
  const notes =
    typeof total === 'number' && total > rows.length
      ? [`${rows.length} of the data set's ${total} rows: the server gives a page at a time`]
      : [];
  return { records: rows.map((row) => (row as Fields)['row']), layout: "as the hub's data server gives rows", notes };
}

/** Lists by column: {"prompt": [...], "completion": [...]}. */
function columnar(value: Fields, isRecord: IsRecord): Found {
  const columns = Object.entries(value).filter((entry): entry is [string, readonly unknown[]] => isList(entry[1]));
  if (columns.length === 0 || columns.some(([, list]) => list.some(isTurn))) return null;
  if (!isRecord(Object.fromEntries(columns)) || columns.some(([, list]) => list.some(isRecord))) return null;
  const rows = columns[0]![1].length;
  if (columns.some(([, list]) => list.length !== rows))
    return lengthsFault(columns.map(([name, list]) => [name, list.length]));
  const records = Array.from({ length: rows }, (_, i) =>
    Object.fromEntries(columns.map(([name, list]) => [name, list[i]])),
  );
  const rest = Object.keys(value).filter((key) => !isList(value[key]));
  return {
    records,
    layout: 'in lists by column',
    notes: rest.length > 0 ? [`not read beside the columns: ${rest.slice(0, shown).join(', ')}`] : [],
  };
}

/** pandas as it writes by itself: {"prompt": {"0": ..., "1": ...}, "completion": {...}}. */
function byColumnThenRow(value: Fields, isRecord: IsRecord): Found {
  const columns = Object.entries(value);
  if (columns.length === 0 || !columns.every(([, rows]) => isObject(rows)) || !isRecord(value)) return null;
  const keys = Object.keys(columns[0]![1] as Fields);
  if (columns.some(([, rows]) => Object.keys(rows as Fields).length !== keys.length))
    return lengthsFault(columns.map(([name, rows]) => [name, Object.keys(rows as Fields).length]));
  const lacking = columns.find(([, rows]) => keys.some((key) => !Object.hasOwn(rows as Fields, key)));
  if (lacking)
    return { fault: 'has columns of different rows', detail: `${lacking[0]} lacks some of those of ${columns[0]![0]}` };
  const records = keys.map((key) => Object.fromEntries(columns.map(([name, rows]) => [name, (rows as Fields)[key]])));
  return { records, layout: "in pandas' layout by column and row", notes: [] };
}

/** pandas, orient="index", and whatever else names its records: {"0": {...}, "1": {...}}. */
function byRow(value: Fields, isRecord: IsRecord): Found {
  const records = Object.values(value);
  if (!records.every(isObject) || !records.some(isRecord)) return null;
  return { records, layout: 'in an object with a key for each', notes: [] };
}

const trainNames: readonly string[] = ['train', 'training'];
const heldNames: readonly string[] = ['valid', 'validation', 'val', 'dev', 'eval', 'test'];

/** Lists of records under keys. */
function underKeys(value: Fields, isRecord: IsRecord): Found {
  const lists = Object.entries(value).filter(
    (entry): entry is [string, readonly unknown[]] =>
      isList(entry[1]) && entry[1].some(isObject) && !entry[1].some(isTurn),
  );
  const telling = lists.filter(([, list]) => list.some(isRecord));
  const found = telling.length > 0 ? telling : lists.length === 1 ? lists : [];
  if (found.length === 0) return null;
  const train = found.filter(([name]) => trainNames.includes(name.toLowerCase()));
  const held = found.filter(([name]) => heldNames.includes(name.toLowerCase()));
  const taken =
    train.length > 0 ? train : found.length > held.length ? found.filter((each) => !held.includes(each)) : found;
  const notes = found
    .filter((each) => !taken.includes(each))
    .map(
      ([name, list]) =>
        `the ${list.length} records under "${name}" are left alone; in a file of their own they can be given to \`validation\``,
    );
  const rest = Object.keys(value).filter((key) => !found.some(([name]) => name === key));
  if (rest.length > 0)
    notes.push(
      `not read beside the records: ${rest
        .slice(0, shown)
        .map((key) => key.slice(0, 40))
        .join(', ')}`,
    );
  const names = taken.map(([name]) => `"${name.slice(0, 40)}"`);
  const layout = `in the list${names.length > 1 ? 's' : ''} under ${names.slice(0, shown).join(', ')}`;
  return { records: taken.flatMap(([, list]) => list), layout, notes };
}

/** What people call the object around their records, where other things stand beside it. */
const wrappers =
  /^(data|dataset|records|rows|items|examples|samples|results?|response|body|payload|content|train|training)$/i;

/** The key of a list of records, where there is one. */
const listOfRecords = (value: Fields, isRecord: IsRecord): string | undefined =>
  Object.keys(value).find((key) => isList(value[key]) && value[key].some(isRecord) && !value[key].some(isTurn));

/** The records inside the only value of a file, or null where it is a record itself or nothing is found. */
export function unwrap(value: unknown, isRecord: IsRecord, wraps = 0): Found {
  if (!isObject(value) || wraps === maxWraps) return null;
  const here = split(value) ?? serverRows(value) ?? columnar(value, isRecord) ?? byColumnThenRow(value, isRecord);
  // {"conversations": [{"conversations": [...]}]}: a record only by the key that its records lie under.
  const { [listOfRecords(value, isRecord) ?? '']: _, ...beside } = value;
  if (here || isRecord(beside)) return here;
  const objects = Object.entries(value).filter(([, each]) => isObject(each));
  const [only] = objects;
  // Beside other values an object is part of a record, unless its name says that it wraps some.
  if (only && objects.length === 1 && (Object.keys(value).length === 1 || wrappers.test(only[0]))) {
    const [key, inner] = only;
    const found = unwrap(inner, isRecord, wraps + 1);
    if (found) return 'fault' in found ? found : { ...found, layout: `${found.layout}, under "${key.slice(0, 40)}"` };
  }
  return byRow(value, isRecord) ?? underKeys(value, isRecord);
}
