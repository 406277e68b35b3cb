/**
 * Plain text files as documents, gzip and zstd unpacked. Promises: what is read is valid UTF-8 text (or UTF-16 by its
 * byte order mark); anything else is refused with the place of the fault.
 */
import { NomoatError } from '../errors.ts';
import { noRemarks, statOf } from './byte-source.ts';
import { tableKindOf } from './file-kinds.ts';
import { utf8Chunks } from './text-source.ts';

/** Text is held in memory as a whole, and JavaScript's strings end near 512 MB. */
const maxTextBytes = 400 * 2 ** 20;
/** What separates documents in a file, as in GPT-2's training data and TinyStories. */
export const documentSeparator = '<|endoftext|>';

export interface TextFile {
  readonly path: string;
  readonly documents: readonly string[];
}

/** The documents of a text, freed of white space around them, empty ones left out. */
export const documentsOf = (text: string): string[] =>
  text
    .split(documentSeparator)
    .map((document) => document.trim())
    .filter((document) => document !== '');

/** Position of the first byte that is no valid UTF-8. */
function faultAt(bytes: Buffer): number {
  let [low, high] = [0, bytes.length];
  const valid = (end: number): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, end), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (valid(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Reads one file; documents are divided by `<|endoftext|>` and freed of white space around them, empty ones left out.
 */
export async function readTextFile(path: string): Promise<TextFile> {
  const refuse = (fault: string, remedy: string, cause?: unknown): never => {
    throw new NomoatError({ part: path, fault, remedy, cause });
  };
  if (statOf(path)?.isDirectory()) refuse('is a folder', 'Give its text files: FOLDER/*.txt.');
  const bytes = await readTextBytes(path);
  if (bytes.length === 0) refuse('is empty', 'Give a file of text.');
  const zero = bytes.indexOf(0);
  if (zero >= 0) refuse(`is no text: it has a zero byte at ${zero}`, 'Give plain text in UTF-8.');
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const place = faultAt(bytes);
    const line = bytes.subarray(0, place).filter((byte) => byte === 10).length + 1;
    refuse(`is no valid UTF-8 from byte ${place} (line ${line})`, 'Convert it: iconv -f latin1 -t utf-8.', error);
  }
  const kept = documentsOf(text);
  if (kept.length === 0) refuse('has nothing but white space', 'Give a file of text.');
  return { path, documents: kept };
}

/** The file's text as UTF-8, unpacked, of bounded size. */
async function readTextBytes(path: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of utf8Chunks(path, noRemarks())) {
    if (parts.length === 0) refuseTable(path, bytes);
    length += bytes.length;
    if (length > maxTextBytes)
      throw new NomoatError({
        part: path,
        fault: `has more than ${maxTextBytes >> 20} MiB`,
        remedy: 'Divide it into several files.',
      });
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

function refuseTable(path: string, head: Uint8Array): void {
  const kind = tableKindOf(head);
  if (kind)
    throw new NomoatError({
      part: path,
      fault: `is a ${kind} file, no plain text`,
      remedy: 'Write its column of text to a .txt file, documents divided by <|endoftext|>.',
    });
}
