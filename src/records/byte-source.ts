/**
 * The bytes of a data file in pieces, unpacked where they are gzip or zstd by their own first bytes. Promises: memory
 * stays within a few pieces; what a file unpacks to is bounded; a packed file that is cut off or damaged is named. Does
 * not know what the bytes mean.
 */
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { NomoatError } from '../errors.ts';
import { sizeText } from '../words/size-text.ts';
import { headBytes, type Packing, packingOf, refuseForeign } from './file-kinds.ts';
import { fileError, maxStreamedBytes } from './raw-record.ts';
import { unzstd } from './unzstd.ts';

const chunkBytes = 1 << 20;
/** zstd unpacks a block of 128 KiB at once, and a small piece may hold many of them. */
const zstdChunkBytes = 64 << 10;

/** What a person should know of a file, gathered while it is read. */
export interface Remarks {
  readonly notes: string[];
  /** How its records lie in it, where that is unusual. */
  layout: string | null;
}

export const noRemarks = (): Remarks => ({ notes: [], layout: null });

/** What a path stands for; undefined where there is nothing. Throws NomoatError. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw cannotOpen(path, error);
  }
}

const cannotOpen = (path: string, error: unknown): NomoatError =>
  fileError(
    path,
    `cannot be opened (${(error as NodeJS.ErrnoException).code})`,
    'Check the path and its permissions.',
    error,
  );

function openFile(path: string): number {
  const stat = statOf(path);
  if (!stat) throw fileError(path, 'does not exist', 'Check the path and its permissions.');
  // Asked before it is opened: to open a pipe that nobody writes to takes for ever.
  if (!stat.isFile()) throw fileError(path, 'is no regular file', 'Give a file of records.');
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw cannotOpen(path, error);
  }
}

function read(path: string, file: number, buffer: Uint8Array, position: number | null): number {
  try {
    return readSync(file, buffer, 0, buffer.length, position);
  } catch (error) {
    throw fileError(path, `cannot be read (${(error as NodeJS.ErrnoException).code})`, 'Check the disk.', error);
  }
}

/** Opens a regular file of bounded size; the caller closes it. */
export function openBounded(path: string): { file: number; size: number } {
  const file = openFile(path);
  try {
    const { size } = fstatSync(file);
    if (size > maxStreamedBytes)
      throw fileError(path, `has ${size} bytes, more than ${maxStreamedBytes}`, 'Split it, or take a sample of it.');
    return { file, size };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** Some bytes of an open file. Throws where the file ends before them. */
export function readAt(path: string, file: number, start: number, end: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(end - start);
  for (let done = 0; done < bytes.length; ) {
    const count = read(path, file, bytes.subarray(done), start + done);
    if (count === 0) throw fileError(path, 'became shorter while it was read', 'Try again once it is written.');
    done += count;
  }
  return bytes;
}

/** The file as it lies on the disk; each piece is one's own. */
function* storedChunks(path: string, maxBytes: number): Generator<Uint8Array> {
  const { file, size } = openBounded(path);
  try {
    // What is appended meanwhile is left out, as the size that was checked says.
    for (let left = size; left > 0; ) {
      const buffer = new Uint8Array(Math.min(maxBytes, left));
      const bytes = buffer.subarray(0, read(path, file, buffer, null));
      if (bytes.length === 0) return;
      left -= bytes.length;
      yield bytes;
    }
  } finally {
    closeSync(file);
  }
}

async function* gunzip(path: string, remarks: Remarks): AsyncGenerator<Uint8Array> {
  const source = Readable.from(storedChunks(path, chunkBytes));
  const unpacked = createGunzip();
  source.on('error', (error) => unpacked.destroy(error));
  source.pipe(unpacked);
  let stored = 0;
  source.on('data', (bytes: Uint8Array) => {
    stored += bytes.length;
  });
  try {
    for await (const bytes of unpacked) yield bytes as Uint8Array;
    const rest = stored - unpacked.bytesWritten;
    if (rest > 0) remarks.notes.push(`${path}: ${rest} bytes after the end of its gzip data are left out`);
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}

type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
const unpackers: Readonly<Record<Packing, (path: string, remarks: Remarks) => Pieces>> = {
  gzip: gunzip,
  zstd: (path) => unzstd(storedChunks(path, zstdChunkBytes)),
};

/** The error for whatever an unpacker throws. */
function unpackError(path: string, packing: Packing, error: unknown): NomoatError {
  if (error instanceof NomoatError) return error;
  const said = error instanceof Error ? error.message : String(error);
  const cut = /unexpected e(nd|of)/i.test(said);
  return fileError(
    path,
    cut ? `is cut off: its ${packing} data has no end` : `is damaged: its ${packing} data cannot be unpacked (${said})`,
    'Fetch or pack it again.',
    error,
  );
}

async function* unpack(path: string, packing: Packing, limit: number, remarks: Remarks): AsyncGenerator<Uint8Array> {
  let total = 0;
  try {
    for await (const bytes of unpackers[packing](path, remarks)) {
      total += bytes.length;
      if (total > limit)
        throw fileError(path, `unpacks to more than ${sizeText(limit)}`, 'Split it, or take a sample of it.');
      if (bytes.length > 0) yield bytes;
    }
  } catch (error) {
    throw unpackError(path, packing, error);
  }
}

/** The same pieces, the first of them long enough to know the file by, as far as the file is. */
async function* withLongHead(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | null = new Uint8Array(0);
  for await (const bytes of chunks) {
    if (!head) yield bytes;
    else {
      head = head.length === 0 ? bytes : Buffer.concat([head, bytes]);
      if (head.length < headBytes) continue;
      yield head;
      head = null;
    }
  }
  if (head && head.length > 0) yield head;
}

export interface Opened {
  readonly packing: Packing | null;
  /** The first piece holds `headBytes` or the whole file. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

async function* stored(path: string): AsyncGenerator<Uint8Array> {
  yield* storedChunks(path, chunkBytes);
}

/** How the file is packed, by its first bytes. */
function packingOfFile(path: string): Packing | null {
  const { file, size } = openBounded(path);
  try {
    return packingOf(readAt(path, file, 0, Math.min(size, headBytes)));
  } finally {
    closeSync(file);
  }
}

/** Opens a file whose content, unpacked, is at most `limit` bytes. Throws NomoatError, and so may reading. */
export function openBytes(path: string, remarks: Remarks, limit = maxStreamedBytes): Opened {
  const packing = packingOfFile(path);
  const chunks = packing === null ? stored(path) : unpack(path, packing, limit, remarks);
  const checked = async function* (): AsyncGenerator<Uint8Array> {
    let first = true;
    for await (const bytes of withLongHead(chunks)) {
      if (first) {
        const twice = packing !== null && packingOf(bytes);
        if (twice) throw fileError(path, `is packed twice (${packing}, then ${twice})`, 'Unpack it once.');
        refuseForeign(path, bytes);
      }
      first = false;
      yield bytes;
    }
  };
  return { packing, chunks: checked() };
}

/** The first bytes of a file, unpacked. */
export async function headOf(path: string): Promise<{ packing: Packing | null; head: Uint8Array }> {
  const { packing, chunks } = openBytes(path, noRemarks());
  for await (const bytes of chunks) return { packing, head: bytes };
  return { packing, head: new Uint8Array(0) };
}

/** All bytes of a file, unpacked; more than `limit` are refused with `remedy`. */
export async function readAllBytes(path: string, limit: number, remedy: string, remarks: Remarks): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of openBytes(path, remarks).chunks) {
    length += bytes.length;
    if (length > limit) throw fileError(path, `has more than ${limit} bytes`, remedy);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}
