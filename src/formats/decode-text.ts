/**
 * Bytes that are no file, such as standard input, as text. Promises: what is returned is what was written; a byte order mark is left
 * out, UTF-16 with its mark is read, and bytes that are no text are refused by name instead of being replaced.
 */
import { NomoatError } from '../errors.ts';

/** Longest first: UTF-32's little-endian mark begins with that of UTF-16. */
const marks: readonly { readonly bytes: readonly number[]; readonly encoding: string }[] = [
  { bytes: [0xff, 0xfe, 0x00, 0x00], encoding: 'UTF-32' },
  { bytes: [0x00, 0x00, 0xfe, 0xff], encoding: 'UTF-32' },
  { bytes: [0xef, 0xbb, 0xbf], encoding: 'UTF-8' },
  { bytes: [0xff, 0xfe], encoding: 'UTF-16LE' },
  { bytes: [0xfe, 0xff], encoding: 'UTF-16BE' },
];
/** What Node stands in for bytes that are no UTF-8. */
export const replacement = '\ufffd';

/** Text of `bytes`. Throws NomoatError, which names `part`. */
export function decodeText(part: string, bytes: Uint8Array): string {
  const mark = marks.find((known) => known.bytes.every((byte, i) => bytes[i] === byte));
  const encoding = mark?.encoding ?? 'UTF-8';
  if (encoding === 'UTF-32') throw textError(part, 'is in UTF-32');
  const text = bytes.subarray(mark?.bytes.length ?? 0);
  if (encoding === 'UTF-8' && text.includes(0))
    throw textError(part, `holds a NUL byte (byte ${text.indexOf(0) + 1}): it is binary, or UTF-16 without its mark`);
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(text);
  } catch (cause) {
    throw textError(part, `is not valid ${encoding}${encoding === 'UTF-8' ? whereOf(text) : ''}`, cause);
  }
}

/** A text that Node decoded, such as an argument of the command line. Throws NomoatError where that replaced something. */
export function assertDecoded(part: string, text: string): void {
  const at = text.indexOf(replacement);
  if (at < 0) return;
  throw new NomoatError({
    part,
    fault: `holds U+FFFD (character ${at + 1}), which stands for bytes that are not valid UTF-8`,
    remedy: 'Set the terminal to UTF-8, or pipe the text in, which may hold that character.',
  });
}

/** The line of the first byte that is not valid. */
function whereOf(bytes: Uint8Array): string {
  let line = 1;
  for (let start = 0; start <= bytes.length; line++) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, end));
    } catch {
      return ` (line ${line})`;
    }
    start = end + 1;
  }
  return '';
}

const textError = (part: string, fault: string, cause?: unknown): NomoatError =>
  new NomoatError({
    part,
    fault,
    remedy: 'Give it as UTF-8, for example through `iconv -f ENCODING -t UTF-8`.',
    ...(cause === undefined ? {} : { cause }),
  });
