/** What inspections share in the terminal: tables, percentages, progress. */
import type { InspectProgress } from '../library/inspect.ts';
import { StatusLine } from './status-line.ts';

/** Cells in columns, the first at the left and the others at the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** A share as a percentage with two significant digits where it is small. */
export const percent = (share: number): string =>
  `${Math.abs(share) >= 0.1 ? (100 * share).toFixed(0) : Number((100 * share).toPrecision(2))}%`;

/** Three significant digits. */
export const digits = (value: number): string => String(Number(value.toPrecision(3)));

/** How far a long look is, and Ctrl-C, which ends it. */
interface Pace {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: InspectProgress) => void;
}

/** Computes what is shown, with a line that says how far it is and is gone afterwards. */
export async function paced<T>(compute: (pace: Pace) => Promise<T>): Promise<T> {
  const status = new StatusLine(process.stderr);
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  try {
    return await compute({
      signal: abort.signal,
      onProgress: ({ doing, done, total }) => status.progress(done + 1, total, `${doing} (${done + 1} of ${total})`),
    });
  } finally {
    process.removeListener('SIGINT', stop);
    status.clear();
  }
}
