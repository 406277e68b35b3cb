/**
 * Records of CSV files (RFC 4180, with comma, semicolon, tab or bar) by the names in their first line. Promises: each
 * record with the line it begins on; a record with too few or too many fields, with NUL bytes or with the column names
 * once more is a fault of its own; broken quotes, after which nothing can be trusted, are an error that names the line.
 * Does not know what columns mean.
 */
import { type CsvError, parse } from 'csv-parse/sync';
import type { Remarks } from './byte-source.ts';
import { readWholeText } from './line-reader.ts';
import { fileError, maxRecordBytes, maxWholeFileBytes, type RawRecord } from './raw-record.ts';

const delimiters = [',', ';', '\t', '|'] as const;
/** Excel's own first line, which says by what the fields are divided. */
const separatorLine = /^"?sep=(.)"?(\r\n|\r|\n|$)/i;

export interface CsvTable {
  readonly columns: readonly string[];
  readonly delimiter: string;
  readonly records: readonly RawRecord[];
}

interface CsvRow {
  readonly record: readonly string[];
  /** Lines up to its end, as the parser counts them. */
  readonly lines: number;
}

/** The delimiter that the first line has most of, quoted text aside. */
function delimiterOf(text: string): string {
  const end = text.search(/[\r\n]/);
  const header = (end < 0 ? text : text.slice(0, end)).replace(/"[^"]*"/g, '');
  const counts = delimiters.map((delimiter) => header.split(delimiter).length);
  return delimiters[counts.indexOf(Math.max(...counts))]!;
}

function parseRows(path: string, text: string, delimiter: string): CsvRow[] {
  const rows: CsvRow[] = [];
  try {
    parse(text, {
      delimiter,
      skip_empty_lines: true,
      relax_column_count: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      max_record_size: maxRecordBytes,
      // Without column names to the parser, a record is the list of its fields. Nothing is kept by the parser itself.
      on_record: (record, { lines }) => {
        rows.push({ record: record as string[], lines });
        return null;
      },
    });
    return rows;
  } catch (error) {
    const { lines } = error as CsvError & { lines?: number };
    throw fileError(
      lines ? `${path}:${lines}` : path,
      `is no valid CSV (${(error as Error).message})`,
      'Fields with quotes, delimiters or line ends must stand in quotes, and quotes inside them be doubled.',
      error,
    );
  }
}

function checkColumns(path: string, columns: readonly string[]): void {
  const twice = columns.find((name, i) => name !== '' && columns.indexOf(name) !== i);
  if (twice !== undefined)
    throw fileError(path, `has two columns named "${twice}"`, 'Give every column a name of its own in the first line.');
}

/** How often CR LF stands in the fields of a record. */
const pairs = (row: Pick<CsvRow, 'record'> | undefined): number =>
  (row?.record ?? []).reduce((sum, field) => sum + field.split('\r\n').length - 1, 0);

/** One record, or why it is none. */
function recordOf(columns: readonly string[], record: readonly string[], line: number): RawRecord {
  if (record.length !== columns.length) {
    const detail = `${record.length}, and the first line ${columns.length}`;
    return { line, fault: 'has another number of fields than the first line', detail };
  }
  if (record.some((field) => field.includes('\0'))) return { line, fault: 'holds NUL bytes' };
  if (columns.length > 1 && record.every((field, i) => field.trim() === columns[i]))
    return { line, fault: 'has the names of the columns once more', detail: 'as files have that were joined' };
  // Not by assignment: a column may be named __proto__.
  return { line, value: Object.fromEntries(columns.map((name, i) => [name, record[i]])) };
}

/** Reads a whole CSV file. Throws NomoatError. A file without records has none. */
export const readCsv = async (path: string, remarks: Remarks): Promise<CsvTable> =>
  csvTable(path, await readWholeText(path, maxWholeFileBytes, remarks));

/** The table in a text of the file at `path`. Throws NomoatError. */
export function csvTable(path: string, whole: string): CsvTable {
  const [said, separator, lineEnd] = separatorLine.exec(whole) ?? ['', undefined, ''];
  // Its line stays, empty, so that lines keep their numbers.
  const text = said === '' ? whole : whole.slice(said.length - (lineEnd ?? '').length);
  const delimiter = separator ?? delimiterOf(text.trimStart());
  const [header, ...rows] = parseRows(path, text, delimiter);
  const columns = (header?.record ?? []).map((name) => name.trim());
  checkColumns(path, columns);
  // The parser counts lines to a record's end, and CR LF inside quotes as two.
  let counted = pairs(header);
  const records = rows.map(({ record, lines }): RawRecord => {
    const inner = record.reduce((sum, field) => sum + (field.match(/\r\n|\r|\n/g)?.length ?? 0), 0);
    counted += pairs({ record });
    return recordOf(columns, record, lines - counted - inner);
  });
  return { columns, delimiter, records };
}
