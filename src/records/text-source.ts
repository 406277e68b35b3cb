/**
 * A file's text as UTF-8 bytes in pieces. Promises: a byte order mark at the beginning is no text; UTF-16 is read where
 * its byte order mark says so, and named where it only looks so; nothing is replaced. Does not check that UTF-8 is
 * valid: who decodes does.
 */
import { openBytes, type Remarks } from './byte-source.ts';
import { headBytes } from './file-kinds.ts';
import { fileError, maxStreamedBytes } from './raw-record.ts';

const utf8Mark = [0xef, 0xbb, 0xbf];
const utf16Marks: readonly (readonly [string, readonly number[]])[] = [
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

const begins = (bytes: Uint8Array, mark: readonly number[]): boolean => mark.every((byte, i) => bytes[i] === byte);

/** Text of ASCII letters in UTF-16 has a zero in every second byte; some text has fewer, other bytes hardly any. */
const zeroShare = 0.3;

function looksLikeUtf16(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, headBytes);
  const zeros = [0, 0];
  head.forEach((byte, i) => {
    if (byte === 0) zeros[i & 1]!++;
  });
  const [even, odd] = zeros as [number, number];
  return head.length >= 4 && Math.max(even, odd) > zeroShare * head.length && Math.min(even, odd) < 0.1 * head.length;
}

/**
 * The file's text as UTF-8. Throws NomoatError where the file cannot be read, unpacked or be text in UTF-8 or UTF-16.
 */
export async function* utf8Chunks(
  path: string,
  remarks: Remarks,
  limit = maxStreamedBytes,
): AsyncGenerator<Uint8Array> {
  let decoder: TextDecoder | null = null;
  let encoding: string | undefined;
  let first = true;
  const decode = (bytes: Uint8Array, last: boolean): Uint8Array => {
    try {
      return Buffer.from(decoder!.decode(bytes, { stream: !last }));
    } catch (error) {
      throw fileError(
        path,
        `is no valid ${encoding!.toUpperCase()}, as its first bytes say`,
        'Save it as UTF-8.',
        error,
      );
    }
  };
  for await (const bytes of openBytes(path, remarks, limit).chunks) {
    if (first) {
      encoding = utf16Marks.find(([, mark]) => begins(bytes, mark))?.[0];
      if (encoding) decoder = new TextDecoder(encoding, { fatal: true });
      else if (looksLikeUtf16(bytes))
        throw fileError(path, 'looks like UTF-16 without a byte order mark', 'Save it as UTF-8.');
    }
    if (decoder) yield decode(bytes, false);
    else yield first && begins(bytes, utf8Mark) ? bytes.subarray(utf8Mark.length) : bytes;
    first = false;
  }
  if (decoder) yield decode(new Uint8Array(0), true);
}
