/**
 * A data file as raw records: what it holds by its first bytes and, of text, by its name. Promises: compressed files
 * are read as what is in them. Does not know what records mean; text/records.ts does.
 */
import { basename, extname } from 'node:path';
import { headOf, noRemarks, type Remarks } from './byte-source.ts';
import { readCsv } from './csv-records.ts';
import { type TableKind, tableKindOf } from './file-kinds.ts';
import { goesOverLines, jsonlRecords, jsonRecords } from './json-records.ts';
import { fileError, inBatches, type RecordBatches } from './raw-record.ts';

export type FileKind = 'JSONL' | 'JSON' | 'CSV' | TableKind;

/** What a file's name says. */
const kinds: Readonly<Record<string, FileKind>> = {
  '.jsonl': 'JSONL',
  '.ndjson': 'JSONL',
  '.json': 'JSON',
  '.csv': 'CSV',
  '.tsv': 'CSV',
  '.parquet': 'Parquet',
  '.arrow': 'Arrow',
  '.feather': 'Arrow',
};
const packed: readonly string[] = ['.gz', '.gzip', '.zst', '.zstd'];
export const knownExtensions = `${Object.keys(kinds).join(', ')}, each also with .gz or .zst`;

/** The name without the ending of a compressor, and whether it had one. */
export function unpackedName(path: string): { name: string; isPacked: boolean } {
  const name = basename(path);
  const ending = extname(name).toLowerCase();
  return packed.includes(ending) ? { name: name.slice(0, -ending.length), isPacked: true } : { name, isPacked: false };
}

/** What the name says that a file holds, if it says so. */
export const kindByName = (path: string): FileKind | undefined => kinds[extname(unpackedName(path).name).toLowerCase()];

export interface RawFile {
  readonly kind: FileKind;
  /** Names of the columns, of tables and CSV only. */
  readonly columns: readonly string[] | null;
  /** Streamed where the kind allows. */
  readonly records: RecordBatches;
  /** Complete once the records are read. */
  readonly remarks: Remarks;
}

/** What a text begins with that is none of its beginning white space. */
const firstSign = (head: Uint8Array): string =>
  Buffer.from(head)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()[0] ?? '';

function textKind(path: string, asCsv: boolean, isPacked: boolean, head: Uint8Array): FileKind {
  if (asCsv) return 'CSV';
  const named = kindByName(path);
  if (named === 'Parquet' || named === 'Arrow') {
    const empty = head.length === 0;
    throw fileError(path, empty ? 'is empty' : `is no ${named} file, whatever its name says`, 'Fetch it again.');
  }
  if (named) return named;
  // A packed file is often named for what packed it alone.
  const byContent = ({ '{': 'JSONL', '[': 'JSON' } as const)[firstSign(head)];
  if (isPacked && byContent) return byContent;
  const extension = extname(unpackedName(path).name).toLowerCase();
  throw fileError(
    path,
    extension === '' ? 'has no extension that says what it is' : `has the unknown extension ${extension}`,
    `Known are ${knownExtensions}; plain text becomes JSONL lines such as {"text": "..."}.`,
  );
}

/** Opens a file of records. `asCsv` reads text as CSV whatever its name. Throws NomoatError, reading may too. */
export async function openDataFile(path: string, asCsv: boolean): Promise<RawFile> {
  const remarks = noRemarks();
  const { packing, head } = await headOf(path);
  const table = tableKindOf(head);
  // Their readers are loaded where they are needed: one of them reserves gigabytes of addresses for WebAssembly.
  if (table === 'Parquet') {
    const { parquetRecords } = await import('./parquet-records.ts');
    return { kind: table, remarks, ...(await parquetRecords(path, packing, remarks)) };
  }
  if (table === 'Arrow') {
    const { arrowRecords } = await import('./arrow-records.ts');
    return { kind: table, remarks, ...(await arrowRecords(path, remarks)) };
  }
  const kind = textKind(path, asCsv, packing !== null, head);
  if (kind === 'CSV') {
    const { columns, records } = await readCsv(path, remarks);
    return { kind, columns, records: inBatches(records), remarks };
  }
  // A list in a file named .jsonl is as clear as can be.
  if (kind === 'JSON' || (await goesOverLines(path)))
    return { kind: 'JSON', columns: null, records: jsonRecords(path, remarks), remarks };
  return { kind, columns: null, records: jsonlRecords(path, remarks), remarks };
}
