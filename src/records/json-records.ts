/**
 * Records of JSONL files and of JSON files that hold a list, one object, or several values one after another. Promises:
 * each record with the line it begins on; one that is no JSON is a fault of its own and spoils no other. Does not know
 * what records mean.
 */
import type { Remarks } from './byte-source.ts';
import { listElements, listUnderKey, topValues } from './json-spans.ts';
import { type Line, readLines, readWholeText } from './line-reader.ts';
import { inBatches, maxRecordBytes, maxWholeFileBytes, parseJson, type RawRecord } from './raw-record.ts';
import { isTurn } from './wrapped-json.ts';

const blank = /^\s*$/;
/** Lines in which a second list is looked for. */
const maxLookedAt = 100;

/** One record a line; lines of white space are none. */
const lineRecords = (lines: readonly Line[]): RawRecord[] =>
  lines.flatMap((line): RawRecord[] => {
    if ('fault' in line) return [line];
    return blank.test(line.text) ? [] : [parseJson(line.line, line.text)];
  });

export async function* jsonlRecords(path: string, remarks: Remarks): AsyncGenerator<readonly RawRecord[]> {
  for await (const lines of readLines(path, remarks)) yield lineRecords(lines);
}

/**
 * Whether the file's first line that is not blank shows it to be JSON that goes over lines: a list, or an object that
 * the line does not end.
 */
export async function goesOverLines(path: string): Promise<boolean> {
  for await (const lines of readLines(path))
    for (const line of lines) {
      if ('fault' in line) return false;
      const text = line.text.trim();
      if (text !== '') return text.startsWith('[') || /^\{\s*(?:"[^"\\]*"\s*:[\s[{]*)?$/.test(text);
    }
  return false;
}

/** Tells the lines of positions that only go up. */
export function lineCounter(text: string): (position: number) => number {
  let line = 1;
  let counted = 0;
  return (position) => {
    for (; counted < position; counted++) {
      const code = text.charCodeAt(counted);
      if (code === 0x0a || (code === 0x0d && text.charCodeAt(counted + 1) !== 0x0a)) line++;
    }
    return line;
  };
}

/** The elements of a list that begins at `open`, each parsed by itself. */
export function* listRecords(text: string, open = text.indexOf('['), whole = true): Generator<RawRecord> {
  const lineAt = lineCounter(text);
  let number = 0;
  for (const found of listElements(text, open, whole)) {
    const record = ++number;
    if ('fault' in found) yield { line: lineAt(found.start), record, fault: found.fault };
    else {
      const line = lineAt(found.start);
      yield found.end - found.start > maxRecordBytes
        ? { line, record, fault: `is longer than ${maxRecordBytes} characters` }
        : { ...parseJson(line, text.slice(found.start, found.end)), record };
    }
  }
}

/** Values one after another, as `jq` prints them over several lines. */
function* valueRecords(text: string): Generator<RawRecord> {
  const lineAt = lineCounter(text);
  for (const { start, end } of topValues(text)) {
    const line = lineAt(start);
    yield end - start > maxRecordBytes
      ? { line, fault: `is longer than ${maxRecordBytes} characters` }
      : parseJson(line, text.slice(start, end));
  }
}

/** An object that is no JSON as a whole: the list inside it, whose elements need not all be broken; else its fault. */
function* brokenObject(text: string, whole: RawRecord, remarks: Remarks): Generator<RawRecord> {
  const inside = listUnderKey(text);
  if (!inside) yield whole;
  else {
    remarks.layout = `in the list under "${inside.key}"`;
    yield* listRecords(text, inside.open, false);
  }
}

/** JSONL whose lines are lists: of the messages of one record each, or of records. Null where the text is one list. */
function listPerLine(text: string): RawRecord[] | null {
  const [first, second] = text.split(/\r\n|\n|\r/, maxLookedAt).filter((line) => !blank.test(line));
  if (!second?.trimStart().startsWith('[') || !('value' in parseJson(1, first!))) return null;
  const lines = text.split(/\r\n|\n|\r/).map((line, i): Line => ({ line: i + 1, text: line }));
  return lineRecords(lines).flatMap((record): RawRecord[] => {
    if (!('value' in record) || !Array.isArray(record.value) || record.value.every(isTurn)) return [record];
    return record.value.map((value: unknown, i) => ({ line: record.line, record: i + 1, value }));
  });
}

function* textRecords(text: string, remarks: Remarks): Generator<RawRecord> {
  const trimmed = text.trimStart();
  if (trimmed.startsWith('[')) {
    yield* listPerLine(text) ?? listRecords(text);
    return;
  }
  if (trimmed === '') return;
  const whole = parseJson(1, text);
  if ('value' in whole) {
    yield whole;
    return;
  }
  const lines = text.split(/\r\n|\n|\r/).map((line, i): Line => ({ line: i + 1, text: line }));
  const first = lines.find((line) => 'text' in line && !blank.test(line.text)) as Extract<Line, { text: string }>;
  const values = topValues(text);
  // JSONL under another name: its first line is a value of its own, or broken in a way that ends with the line.
  if ('value' in parseJson(first.line, first.text) || !trimmed.startsWith('{') || first.text.trimEnd().endsWith('}'))
    yield* lineRecords(lines);
  else if (values.length > 1) yield* valueRecords(text);
  else yield* brokenObject(text, whole, remarks);
}

/** A JSON file: a list of records, one object, or, as some are, several values or JSONL under another name. */
export async function* jsonRecords(path: string, remarks: Remarks): AsyncGenerator<readonly RawRecord[]> {
  yield* inBatches(textRecords(await readWholeText(path, maxWholeFileBytes, remarks), remarks));
}
