/**
 * LZ4 frames unpacked, as Arrow packs its buffers (pandas' to_feather does by itself). Promises: takes no more memory
 * than twice what the frame unpacks to, and that is bounded; data that leads out of itself is an error. Does not check
 * checksums. Spec: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md.
 */

const magic = 0x184d2204;
/** The flags' bits: each block with a checksum, the size of the content, the number of a dictionary. */
const flag = { blockChecksum: 0x10, contentSize: 0x08, dictionary: 0x01 } as const;
/** A block's length has this bit where its bytes lie as they are. */
const stored = 0x80000000;
const minMatch = 4;

class Output {
  private bytes = new Uint8Array(1 << 16);
  length = 0;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed > this.limit) throw new Error(`LZ4 data unpacks to more than ${this.limit} bytes`);
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  literals(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Bytes from `distance` before the end, which may run into those that they write. */
  match(distance: number, count: number): void {
    if (distance === 0 || distance > this.length) throw new Error('LZ4 data points before its beginning');
    this.reserve(count);
    for (let i = 0; i < count; i++, this.length++) this.bytes[this.length] = this.bytes[this.length - distance]!;
  }

  done(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** One block; it may repeat what blocks before it wrote. */
function unpackBlock(block: Uint8Array, out: Output): void {
  let at = 0;
  const byte = (): number => {
    const value = block[at++];
    if (value === undefined) throw new Error('LZ4 data is cut off');
    return value;
  };
  const longer = (length: number): number => {
    let total = length;
    if (length === 15) for (let more = 255; more === 255; total += more) more = byte();
    return total;
  };
  while (at < block.length) {
    const token = byte();
    const literals = longer(token >> 4);
    if (at + literals > block.length) throw new Error('LZ4 data is cut off');
    out.literals(block.subarray(at, at + literals));
    at += literals;
    // The last sequence has literals alone.
    if (at === block.length) return;
    const distance = byte() | (byte() << 8);
    out.match(distance, longer(token & 15) + minMatch);
  }
}

/** Unpacks one frame, to at most `limit` bytes. */
export function unlz4(frame: Uint8Array, limit: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== magic) throw new Error('LZ4 data has another beginning');
  const flags = view.getUint8(4);
  // Flags, block size and a checksum of the header; between them what the flags say.
  let at = 4 + 2 + (flags & flag.contentSize ? 8 : 0) + (flags & flag.dictionary ? 4 : 0) + 1;
  const out = new Output(limit);
  for (;;) {
    const length = view.getUint32(at, true);
    at += 4;
    if (length === 0) return out.done();
    const size = length % stored;
    if (at + size > frame.length) throw new Error('LZ4 data is cut off');
    const block = frame.subarray(at, at + size);
    if (length >= stored) out.literals(block);
    else unpackBlock(block, out);
    at += size + (flags & flag.blockChecksum ? 4 : 0);
  }
}
