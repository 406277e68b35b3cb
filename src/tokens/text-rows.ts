/**
 * Plain documents as token rows for training on every token. Promises: each token of a document is a target exactly once, and so is the
 * end of each document; a row's first token is given, not learnt: the end-of-text token, or the last one of the row before. Pure.
 */
import { emptyReport, type RowsReport } from './rows.ts';
import type { TokenRow } from './token-row.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Long documents are tokenised in pieces of about this many characters. */
const pieceCharacters = 1 << 18;

/** Cuts after a line break between two other characters, where no token of a GPT-2-like tokenizer crosses. */
export function* tokenizedPieces(document: string): Generator<string> {
  let start = 0;
  while (document.length - start > pieceCharacters) {
    let end = start + pieceCharacters;
    while (end < document.length && !/^\S\n\S$/.test(document.slice(end - 2, end + 1))) end++;
    yield document.slice(start, end);
    start = end;
  }
  yield document.slice(start);
}

export interface TextRowsOptions {
  readonly tokenizer: Pick<Tokenizer, 'encode'>;
  /** Longest row in tokens, the given first one included. */
  readonly sequenceLength: number;
  /** The token that ends (and leads) a document. */
  readonly endOfText: number;
  readonly path: string;
}

/** The rows of `documents`, in order. */
export function textRows(
  documents: readonly string[],
  { tokenizer, sequenceLength, endOfText, path }: TextRowsOptions,
): { rows: TokenRow[]; report: RowsReport; bytes: number } {
  const rows: TokenRow[] = [];
  const report = emptyReport();
  let bytes = 0;
  const encoder = new TextEncoder();
  documents.forEach((document, index) => {
    bytes += encoder.encode(document).length;
    const tokens = [endOfText];
    for (const piece of tokenizedPieces(document))
      for (const token of tokenizer.encode(piece, false)) tokens.push(token);
    tokens.push(endOfText);
    report.examples++;
    const first = rows.length;
    for (let at = 0; at < tokens.length - 1; at += sequenceLength - 1) {
      const part = Int32Array.from(tokens.slice(at, at + sequenceLength));
      const supervised = new Uint8Array(part.length).fill(1);
      supervised[0] = 0;
      rows.push({ tokens: part, supervised, source: { file: path, line: index + 1 } });
      report.tokens += part.length;
      report.supervisedTokens += part.length - 1;
    }
    const parts = rows.length - first;
    if (parts > 1) report.splitRows++;
    report.addedParts += parts - 1;
  });
  report.rows = rows.length;
  return { rows, report, bytes };
}
