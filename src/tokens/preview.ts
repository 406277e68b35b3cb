/**
 * Token rows for people: every token visible, the supervised ones marked. Pure.
 */
import type { RowsReport } from './rows.ts';
import type { TokenRow } from './token-row.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface PreviewOptions {
  readonly rows: number;
  /** Green background on a terminal; otherwise supervised tokens stand in «». */
  readonly color: boolean;
}

function renderRow(row: TokenRow, tokenizer: Tokenizer, color: boolean): string {
  const mark = (text: string): string => (color ? `\u001b[30;42m${text}\u001b[0m` : `«${text}»`);
  let out = '';
  row.tokens.forEach((token, t) => {
    const text = tokenizer.decode([token]).replaceAll('\n', '⏎\n');
    out += row.supervised[t] ? mark(text) : text;
  });
  return out;
}

/** The first rows and the counts of all. */
export function renderPreview(
  rows: readonly TokenRow[],
  report: RowsReport,
  tokenizer: Tokenizer,
  options: PreviewOptions,
): string {
  const shown = rows.slice(0, options.rows).map((row) => {
    const supervised = row.supervised.reduce((a, b) => a + b, 0);
    return `--- ${row.source.file}:${row.source.line}: ${row.tokens.length} tokens, ${supervised} supervised\n${renderRow(row, tokenizer, options.color)}`;
  });
  const share = report.tokens > 0 ? ((100 * report.supervisedTokens) / report.tokens).toFixed(1) : '0';
  const refusals = Object.entries(report.refusals).map(([reason, count]) => `  ${count} refused: ${reason}`);
  const counts = `${report.rows} rows, ${report.tokens} tokens, ${report.supervisedTokens} supervised (${share}%), ${report.truncatedRows} truncated, ${report.splitRows} split, ${report.refusedRows} refused, ${report.duplicateRows} duplicates`;
  return [...shown, `--- ${counts}`, ...refusals].join('\n');
}
