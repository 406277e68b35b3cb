/**
 * Result files of fine-tuning jobs (CSV of metrics by step, OpenAI's and Azure's). Promises: base64, in which OpenAI
 * gave them out at times, is read as what is in it; cells that are no numbers are faults.
 */
import { noRemarks } from '../records/byte-source.ts';
import { type CsvTable, csvTable } from '../records/csv-records.ts';
import { readWholeText } from '../records/line-reader.ts';
import { counted, type Imported, imported } from './imported.ts';

/** A job of ten million steps would have a file of this size. */
const maxBytes = 64 << 20;
/** Faults that are listed. */
const mostFaults = 20;
const base64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;

/** Columns by which it is known. */
const isResult = ({ columns }: CsvTable): boolean => columns.includes('step') && columns.includes('train_loss');

interface Metrics {
  readonly line: number;
  readonly values: Readonly<Record<string, number>>;
}

/** The numbers of each row; an empty cell is none. */
function metricsOf({ records }: CsvTable): { metrics: Metrics[]; faults: string[]; faultCount: number } {
  const metrics: Metrics[] = [];
  const all: string[] = [];
  for (const record of records) {
    if ('fault' in record) {
      all.push(`Line ${record.line} ${record.fault}.`);
      continue;
    }
    const cells = Object.entries(record.value as Readonly<Record<string, string>>).filter(
      ([, cell]) => cell.trim() !== '',
    );
    const wrong = cells.find(([, cell]) => !Number.isFinite(Number(cell)));
    if (wrong) all.push(`Line ${record.line}, column ${wrong[0]}: ${wrong[1].slice(0, 40)} is no number.`);
    else
      metrics.push({
        line: record.line,
        values: Object.fromEntries(cells.map(([name, cell]) => [name, Number(cell)])),
      });
  }
  return { metrics, faults: all.slice(0, mostFaults), faultCount: all.length };
}

const four = (value: number): string => String(Number(value.toPrecision(4)));

function summaryOf(metrics: readonly Metrics[]): string {
  const losses = metrics.flatMap(({ values }) => values.train_loss ?? []);
  const held = metrics.flatMap(({ values }) => {
    const loss = values.full_valid_loss ?? values.valid_loss;
    return loss === undefined ? [] : [{ step: values.step ?? 0, loss }];
  });
  const best = held.reduce((least, each) => (each.loss < least.loss ? each : least), held[0] ?? { step: 0, loss: 0 });
  const course = losses.length > 0 ? `, training loss ${four(losses[0]!)} to ${four(losses.at(-1)!)}` : '';
  const lowest = held.length > 0 ? `, lowest validation loss ${four(best.loss)} after step ${best.step}` : '';
  return `is a result file of a fine-tuning job: ${counted(metrics.length, 'step')}${course}${lowest}`;
}

/** The metrics in the file at `path`; null where it is another table. Throws NomoatError. */
export async function importResultFile(path: string): Promise<Imported | null> {
  const text = await readWholeText(path, maxBytes, noRemarks());
  const packed = base64.test(text) && !text.includes(',');
  const table = csvTable(path, packed ? Buffer.from(text, 'base64').toString('utf8') : text);
  if (!isResult(table)) return null;
  const { faultCount, faults, metrics } = metricsOf(table);
  return imported(path, 'result-file', summaryOf(metrics), {
    faults,
    faultCount,
    differences: [
      "Its losses are of OpenAI's model and tokens: those of a run here are not to be compared with them, but their course is.",
      ...(packed
        ? ['It is in base64, as OpenAI gave such files out at times; a server here gives the CSV itself.']
        : []),
    ],
  });
}
