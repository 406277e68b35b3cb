/**
 * Lines of a text file, streamed. Promises: memory stays within one line of bounded length and one piece of the file; a
 * line that is too long or no UTF-8 is named, not guessed at; byte order marks inside (of files that were joined) are
 * left out with a note. Does not know what lines hold.
 */
import { noRemarks, type Remarks } from './byte-source.ts';
import { fileError, maxRecordBytes } from './raw-record.ts';
import { utf8Chunks } from './text-source.ts';

const [newline, carriageReturn] = [0x0a, 0x0d];
const byteOrderMark = '\ufeff';

export type Line =
  /** `marks`: byte order marks that stood before it, where there were some. */
  | { readonly line: number; readonly text: string; readonly marks?: number }
  | { readonly line: number; readonly fault: string; readonly detail?: string };

/** What to do with text of which only some is UTF-8. */
export const convertRemedy = 'if it is Latin-1: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW';

function decode(line: number, parts: readonly Uint8Array[]): Line {
  try {
    return { line, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts)) };
  } catch {
    return { line, fault: 'is not valid UTF-8', detail: convertRemedy };
  }
}

const marksNote = (path: string, marks: number): string =>
  `${path}: ${marks} byte order ${marks > 1 ? 'marks' : 'mark'} inside the file left out, as joined files have them`;

/** Divides pieces into lines, ended by LF, CR LF or CR. */
class LineSplitter {
  private line = 1;
  private parts: Uint8Array[] = [];
  private length = 0;
  /** A CR ended the last piece: an LF at the beginning of the next one belongs to it. */
  private afterReturn = false;

  *push(bytes: Uint8Array): Generator<Line> {
    if (bytes.length === 0) return;
    let start = this.afterReturn && bytes[0] === newline ? 1 : 0;
    this.afterReturn = bytes[bytes.length - 1] === carriageReturn;
    let [lf, cr] = [bytes.indexOf(newline, start), bytes.indexOf(carriageReturn, start)];
    while (lf >= 0 || cr >= 0) {
      const at = cr < 0 || (lf >= 0 && lf < cr) ? lf : cr;
      this.add(bytes.subarray(start, at));
      yield this.end();
      start = at + (at === cr && lf === cr + 1 ? 2 : 1);
      if (lf >= 0 && lf < start) lf = bytes.indexOf(newline, start);
      if (cr >= 0 && cr < start) cr = bytes.indexOf(carriageReturn, start);
    }
    if (start < bytes.length) this.add(bytes.subarray(start));
  }

  *rest(): Generator<Line> {
    if (this.length > 0) yield this.end();
  }

  private add(bytes: Uint8Array): void {
    this.length += bytes.length;
    // A copy: else one line would hold the whole piece.
    if (this.length <= maxRecordBytes) this.parts.push(bytes.slice());
    else this.parts = [];
  }

  private end(): Line {
    const { line, length, parts } = this;
    [this.parts, this.length] = [[], 0];
    this.line++;
    return length > maxRecordBytes ? { line, fault: `is longer than ${maxRecordBytes} bytes` } : decode(line, parts);
  }
}

/**
 * All lines, empty ones too, without their ends, as many at once as a piece of the file has. Throws NomoatError where
 * it is no text.
 */
export async function* readLines(path: string, remarks: Remarks = noRemarks()): AsyncGenerator<readonly Line[]> {
  const splitter = new LineSplitter();
  let marks = 0;
  const clean = (line: Line): Line => {
    if (!('text' in line) || !line.text.startsWith(byteOrderMark)) return line;
    const text = line.text.replace(/^\ufeff+/, '');
    const own = line.text.length - text.length;
    marks += own;
    return { line: line.line, text, marks: own };
  };
  for await (const bytes of utf8Chunks(path, remarks)) yield [...splitter.push(bytes)].map(clean);
  yield [...splitter.rest()].map(clean);
  if (marks > 0) remarks.notes.push(marksNote(path, marks));
}

/** Text and what is decoded need twice its bytes at once, and JavaScript's strings end at 512 Mi characters. */
const wholeRemedy = 'Convert it to JSONL, which is read line by line.';

/**
 * The whole file as text with line ends as it has them. Throws NomoatError, naming the line, where it is no UTF-8 or
 * too large.
 */
export async function readWholeText(path: string, limit: number, remarks: Remarks = noRemarks()): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of utf8Chunks(path, remarks)) {
    length += bytes.length;
    if (length > limit) throw fileError(path, `has more than ${limit} bytes`, wholeRemedy);
    parts.push(bytes);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
    const clean = text.replace(/(^|[\r\n])\ufeff+/g, '$1');
    if (clean.length < text.length) remarks.notes.push(marksNote(path, text.length - clean.length));
    return clean;
  } catch (error) {
    throw fileError(
      await placeOfFault(path),
      'is not valid UTF-8',
      `Save the file as UTF-8 (${convertRemedy}).`,
      error,
    );
  }
}

/** `file:line` of the first line that is no UTF-8. */
async function placeOfFault(path: string): Promise<string> {
  for await (const lines of readLines(path))
    for (const found of lines) if ('fault' in found && found.fault.includes('UTF-8')) return `${path}:${found.line}`;
  return path;
}
