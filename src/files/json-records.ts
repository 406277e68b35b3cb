/**
 * Records of JSONL files and of JSON files that hold a list or one object. Promises: each record with the line it begins on; one that is
 * no JSON is a fault of its own and spoils no other. Does not know what records mean.
 */
import { readLines, readWholeText } from './line-reader.ts';
import { maxRecordBytes, maxWholeFileBytes, parseJson, type RawRecord } from './raw-record.ts';

/** One record a line; lines of white space are none. */
export function* jsonlRecords(path: string): Generator<RawRecord> {
  for (const line of readLines(path)) {
    if ('fault' in line) yield line;
    else if (line.text.trim() !== '') yield parseJson(line.line, line.text);
  }
}

/** Whether the first thing in the file that is no white space opens a list. */
export function holdsList(path: string): boolean {
  for (const line of readLines(path)) {
    if ('fault' in line) return false;
    const text = line.text.trimStart();
    if (text !== '') return text.startsWith('[');
  }
  return false;
}

/** The elements of the list in `text`, found by their borders, so that a broken one does not hide the others. */
export function* listRecords(text: string): Generator<RawRecord> {
  const open = text.indexOf('[');
  let line = 1;
  let counted = 0;
  const lineAt = (position: number): number => {
    for (; counted < position; counted++) if (text.charCodeAt(counted) === 0x0a) line++;
    return line;
  };
  const element = (from: number, to: number): RawRecord => {
    const raw = text.slice(from, to);
    const start = from + (raw.length - raw.trimStart().length);
    const at = lineAt(Math.min(start, to));
    return to - start > maxRecordBytes
      ? { line: at, fault: `is longer than ${maxRecordBytes} characters` }
      : parseJson(at, raw);
  };
  let depth = 0;
  let quoted = false;
  let start = open + 1;
  for (let i = open + 1; i < text.length; i++) {
    const char = text[i];
    if (quoted) {
      if (char === '\\') i++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{' || char === '[') depth++;
    else if (depth > 0 && (char === '}' || char === ']')) depth--;
    else if (depth === 0 && (char === ',' || char === ']')) {
      const empty = text.slice(start, i).trim() === '';
      if (char === ',' || !empty || text.slice(open + 1, start).trim() !== '') yield element(start, i);
      start = i + 1;
      if (char === ']') {
        if (text.slice(start).trim() !== '') yield { line: lineAt(start), fault: 'stands after the end of the list' };
        return;
      }
    }
  }
  const rest = text.slice(start);
  yield { line: lineAt(start + rest.length - rest.trimStart().length), fault: 'is cut off: the list has no end' };
}

/** A JSON file: a list of records, one object, or, as some are, JSONL under another name. */
export function* jsonRecords(path: string): Generator<RawRecord> {
  const text = readWholeText(path, maxWholeFileBytes);
  if (text.trimStart().startsWith('[')) {
    let number = 0;
    for (const record of listRecords(text)) yield { ...record, record: ++number };
    return;
  }
  const whole = text.trim() === '' ? null : parseJson(1, text);
  if (whole && 'value' in whole) yield whole;
  else yield* jsonlRecords(path);
}
