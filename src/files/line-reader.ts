/**
 * Lines of a UTF-8 file, streamed. Promises: memory stays within one line of bounded length; a line that is too long or no UTF-8 is
 * named, not guessed at; what is plainly not text is refused by name. Does not know what lines hold.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { NomoatError } from '../errors.ts';
import { fileError, maxRecordBytes, maxStreamedBytes } from './raw-record.ts';

const chunkBytes = 1 << 20;
const newline = 0x0a;

export type Line =
  | { readonly line: number; readonly text: string }
  | { readonly line: number; readonly fault: string; readonly detail?: string };

/** What a file's first bytes say that it is, where it is no text. */
const foreign: readonly { readonly magic: readonly number[]; readonly name: string; readonly remedy: string }[] = [
  {
    magic: [0x50, 0x41, 0x52, 0x31],
    name: 'a Parquet file, which nomoat does not read',
    remedy: `Convert it: duckdb -c "COPY (FROM 'data.parquet') TO 'data.jsonl'".`,
  },
  { magic: [0x1f, 0x8b], name: 'compressed with gzip', remedy: 'Unpack it with gunzip.' },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], name: 'compressed with zstd', remedy: 'Unpack it with unzstd.' },
  { magic: [0x50, 0x4b, 0x03, 0x04], name: 'a zip or spreadsheet file', remedy: 'Unpack it, or export it as CSV.' },
  { magic: [0x47, 0x47, 0x55, 0x46], name: 'a GGUF model, no data', remedy: 'Give it to --model.' },
  { magic: [0xff, 0xfe], name: 'in UTF-16', remedy: 'Save it as UTF-8.' },
  { magic: [0xfe, 0xff], name: 'in UTF-16', remedy: 'Save it as UTF-8.' },
];
const byteOrderMark = [0xef, 0xbb, 0xbf];

const startsWith = (bytes: Uint8Array, magic: readonly number[]): boolean =>
  magic.every((byte, i) => bytes[i] === byte);

/** What a Parquet file is told, also where only its name says so. */
export const parquetError = (path: string): NomoatError =>
  fileError(path, `is ${foreign[0]!.name}`, foreign[0]!.remedy);

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const fault = code === 'ENOENT' ? 'does not exist' : `cannot be opened (${code})`;
    throw fileError(path, fault, 'Check the path and its permissions.', error);
  }
}

/** The file's bytes in chunks; each is valid until the next is asked for. A byte order mark is left out. */
function* chunks(path: string): Generator<Uint8Array> {
  const file = open(path);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw fileError(path, 'is no regular file', 'Give a file of records.');
    if (stat.size > maxStreamedBytes)
      throw fileError(
        path,
        `has ${stat.size} bytes, more than ${maxStreamedBytes}`,
        'Split it, or take a sample of it.',
      );
    const buffer = new Uint8Array(chunkBytes);
    for (let first = true; ; first = false) {
      const bytes = buffer.subarray(0, readSync(file, buffer, 0, chunkBytes, null));
      if (bytes.length === 0) return;
      const kind = first ? foreign.find(({ magic }) => startsWith(bytes, magic)) : undefined;
      if (kind) throw fileError(path, `is ${kind.name}`, kind.remedy);
      yield first && startsWith(bytes, byteOrderMark) ? bytes.subarray(byteOrderMark.length) : bytes;
    }
  } finally {
    closeSync(file);
  }
}

function decode(line: number, parts: readonly Uint8Array[]): Line {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
    return { line, text: text.endsWith('\r') ? text.slice(0, -1) : text };
  } catch {
    return { line, fault: 'is not valid UTF-8' };
  }
}

/** All lines, empty ones too, without their ends (LF or CRLF). Throws NomoatError where the file cannot be read as text. */
export function* readLines(path: string): Generator<Line> {
  let line = 1;
  let parts: Uint8Array[] = [];
  let length = 0;
  const add = (bytes: Uint8Array): void => {
    length += bytes.length;
    // A copy: the chunk's memory is used again.
    if (length <= maxRecordBytes) parts.push(bytes.slice());
    else parts = [];
  };
  const end = (): Line => {
    const done: Line =
      length > maxRecordBytes ? { line, fault: `is longer than ${maxRecordBytes} bytes` } : decode(line, parts);
    [parts, length] = [[], 0];
    line++;
    return done;
  };
  for (const bytes of chunks(path)) {
    let start = 0;
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, start)) {
      add(bytes.subarray(start, at));
      yield end();
      start = at + 1;
    }
    if (start < bytes.length) add(bytes.subarray(start));
  }
  if (length > 0) yield end();
}

/** The whole file as text with LF or CRLF as it has them. Throws NomoatError, naming the line, where it is no UTF-8 or too large. */
export function readWholeText(path: string, limit: number): string {
  const parts: Buffer[] = [];
  let length = 0;
  for (const bytes of chunks(path)) {
    length += bytes.length;
    if (length > limit)
      throw fileError(path, `has more than ${limit} bytes`, 'Convert it to JSONL, which is read line by line.');
    parts.push(Buffer.from(bytes));
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
  } catch (error) {
    for (const found of readLines(path))
      if ('fault' in found) throw fileError(`${path}:${found.line}`, found.fault, 'Save the file as UTF-8.', error);
    throw fileError(path, 'is not valid UTF-8', 'Save the file as UTF-8.', error);
  }
}
