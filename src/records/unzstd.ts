/**
 * zstd unpacked piece by piece. Promises: data that is cut off is an error whose message says "unexpected EOF". Does
 * not check the checksums that a frame may carry.
 */
import { Decompress } from 'fzstd';

/** Unpacks pieces of a file of one or more frames. */
export function* unzstd(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  let out: Uint8Array[] = [];
  const stream = new Decompress((bytes) => {
    // A copy: the block's memory may be used again.
    if (bytes.length > 0) out.push(bytes.slice());
  });
  for (const bytes of chunks) {
    stream.push(bytes, false);
    yield* out;
    out = [];
  }
  stream.push(new Uint8Array(0), true);
  yield* out;
}

/** Unpacks bytes at once, to at most `limit`. */
export function unzstdWhole(bytes: Uint8Array, limit: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const part of unzstd([bytes])) {
    length += part.length;
    if (length > limit) throw new Error(`zstd data unpacks to more than ${limit} bytes`);
    parts.push(part);
  }
  return Uint8Array.from(Buffer.concat(parts));
}
