/**
 * What a data file is by its first bytes, whatever its name says. Promises: what is plainly no data is refused with
 * what to do with it. Pure, but for the errors.
 */
import { fileError } from './raw-record.ts';

/** What is unpacked on the way. */
export type Packing = 'gzip' | 'zstd';
/** What is read as a table, not as text. */
export type TableKind = 'Parquet' | 'Arrow';

interface Kind {
  readonly magic: readonly number[];
  /** Where the magic stands; 0 where it is not said. */
  readonly at?: number;
  readonly name: string;
  readonly remedy: string;
}

const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')];

const packings: Readonly<Record<Packing, readonly number[]>> = {
  gzip: [0x1f, 0x8b],
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
};
/**
 * zstd allows frames that are to be skipped before the first one with data; pzstd writes them. The low half of the
 * first byte is free.
 */
const skippableZstd = [0x2a, 0x4d, 0x18];

const unpack = 'Unpack it and give the data files in it.';
/** What no reader here takes. */
const foreign: readonly Kind[] = [
  { magic: ascii('PK\x03\x04'), name: 'a zip or spreadsheet file', remedy: 'Unpack it, or export it as CSV.' },
  { magic: ascii('GGUF'), name: 'a GGUF model, no data', remedy: 'Give it to `model`.' },
  { magic: ascii('ustar'), at: 257, name: 'a tar archive', remedy: unpack },
  { magic: ascii('BZh'), name: 'compressed with bzip2', remedy: 'Unpack it with bunzip2.' },
  { magic: [0xfd, ...ascii('7zXZ')], name: 'compressed with xz', remedy: 'Unpack it with unxz.' },
  { magic: [0x04, 0x22, 0x4d, 0x18], name: 'compressed with lz4', remedy: 'Unpack it with unlz4.' },
  { magic: ascii('7z\xbc\xaf\x27\x1c'), name: 'a 7-Zip archive', remedy: unpack },
  { magic: ascii('Rar!'), name: 'a RAR archive', remedy: unpack },
  { magic: ascii('SQLite format 3'), name: 'an SQLite data base', remedy: 'Export a table as CSV.' },
  { magic: [0xd0, 0xcf, 0x11, 0xe0], name: 'an old Office document', remedy: 'Export it as CSV.' },
  { magic: ascii('%PDF'), name: 'a PDF document', remedy: 'Give its text, as UTF-8.' },
  { magic: ascii('\x89HDF'), name: 'an HDF5 file', remedy: 'Convert it to JSONL or Parquet.' },
  { magic: ascii('\x93NUMPY'), name: 'a NumPy array', remedy: 'Convert it to JSONL or Parquet.' },
  { magic: ascii('Obj\x01'), name: 'an Avro file', remedy: 'Convert it to JSONL or Parquet.' },
  { magic: ascii('ORC'), name: 'an ORC file', remedy: 'Convert it to JSONL or Parquet.' },
  { magic: ascii('FEA1'), name: 'a Feather file of version 1', remedy: 'Save it again: version 2 is an Arrow file.' },
  { magic: [0x80, 0x04, 0x95], name: "Python's pickle", remedy: 'Write it as JSONL; a pickle can run any program.' },
  {
    magic: ascii('version https://git-lfs'),
    name: 'a pointer to a file in Git LFS',
    remedy: 'Fetch it: git lfs pull.',
  },
  {
    magic: ascii('<!DOCTYPE html'),
    name: 'a web page',
    remedy: 'Download the file itself (hub: "resolve", not "blob").',
  },
  { magic: ascii('<html'), name: 'a web page', remedy: 'Download the file itself (hub: "resolve", not "blob").' },
  { magic: [0xff, 0xfe, 0, 0], name: 'in UTF-32', remedy: 'Save it as UTF-8.' },
  { magic: [0, 0, 0xfe, 0xff], name: 'in UTF-32', remedy: 'Save it as UTF-8.' },
];
/** As many bytes as the table looks at. */
export const headBytes = 512;

const startsWith = (head: Uint8Array, magic: readonly number[], at = 0): boolean =>
  magic.every((byte, i) => head[at + i] === byte);

export function packingOf(head: Uint8Array): Packing | null {
  if (startsWith(head, packings.gzip)) return 'gzip';
  const skippable = (head[0]! & 0xf0) === 0x50 && startsWith(head, skippableZstd, 1);
  return startsWith(head, packings.zstd) || skippable ? 'zstd' : null;
}

/** Arrow's stream format begins with a mark and the length of a message, its file format with a magic. */
export function tableKindOf(head: Uint8Array): TableKind | null {
  if (startsWith(head, ascii('PAR1')) || startsWith(head, ascii('PARE'))) return 'Parquet';
  const stream = startsWith(head, [0xff, 0xff, 0xff, 0xff]) && head.length > 8;
  return stream || startsWith(head, ascii('ARROW1')) ? 'Arrow' : null;
}

/** Throws where the first bytes say that the file is none that can be read. */
export function refuseForeign(path: string, head: Uint8Array): void {
  const found = foreign.find(({ magic, at }) => startsWith(head, magic, at));
  if (found) throw fileError(path, `is ${found.name}`, found.remedy);
}
