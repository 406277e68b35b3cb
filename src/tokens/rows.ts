/**
 * Examples as token rows with their loss mask, every loss counted. Promises: the pieces of a conversation, tokenised one by one,
 * are the tokens of the whole, or the row is refused. Knows the tokenizer only as an interface. Pure.
 */
import { NomoatError } from '../errors.ts';
import type { ChatTemplate, Piece } from '../text/chat-template.ts';
import type { Example, RecordSource } from '../text/example.ts';
import type { TokenRow } from './token-row.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface RowsOptions {
  /** Gives the model's template; called for conversations only, and may throw where there is none. */
  readonly template: () => ChatTemplate;
  readonly tokenizer: Tokenizer;
  readonly sequenceLength: number;
  readonly tooLong: 'truncate-left' | 'truncate-right' | 'split' | 'refuse';
  readonly supervise: 'answers' | 'all';
}

export interface RowsReport {
  /** Rows kept. */
  rows: number;
  tokens: number;
  supervisedTokens: number;
  truncatedRows: number;
  /** Rows that became several. */
  splitRows: number;
  refusedRows: number;
  refusals: Record<string, number>;
  /** The first refused rows with their reasons. */
  refused: { source: RecordSource; reason: string }[];
  /** Kept rows equal to an earlier one. */
  duplicateRows: number;
}

/** Refused rows listed one by one; the rest are counted by reason. */
const maxListedRefusals = 20;

function encodePieces(
  pieces: readonly Piece[],
  tokenizer: Tokenizer,
  whole: string,
): { tokens: number[]; supervised: number[] } | string {
  const tokens: number[] = [];
  const supervised: number[] = [];
  for (const piece of pieces) {
    const ids = tokenizer.encode(piece.text, true);
    // What follows the end-of-turn token belongs to the template, not to the answer.
    const end = piece.supervised ? ids.findLastIndex((id) => tokenizer.isEndOfGeneration(id)) : -1;
    const count = piece.supervised ? (end < 0 ? ids.length : end + 1) : 0;
    tokens.push(...ids);
    supervised.push(...ids.map((_, i) => Number(i < count)));
  }
  const together = tokenizer.encode(whole, true);
  if (together.length !== tokens.length || together.some((id, i) => id !== tokens[i])) {
    return 'its pieces do not tokenise to the tokens of the whole';
  }
  return { tokens, supervised };
}

function piecesOf(example: Example, options: RowsOptions): Piece[] {
  if (example.kind === 'text') return [{ text: example.text, supervised: true }];
  if (example.kind === 'chat') return options.template().split(example.messages, example.tools);
  return options.template().split([
    { role: 'user', content: example.prompt },
    { role: 'assistant', content: example.completion },
  ]);
}

/** One example as tokens, or the reason why not. */
function tokenise(example: Example, options: RowsOptions): { tokens: number[]; supervised: number[] } | string {
  const { tokenizer } = options;
  let pieces: Piece[];
  try {
    pieces = piecesOf(example, options);
  } catch (error) {
    if (error instanceof NomoatError && error.part !== 'the chat template' && !error.part.startsWith('message '))
      throw error;
    return error instanceof NomoatError ? `${error.part}: ${error.fault}` : String(error);
  }
  const row = encodePieces(pieces, tokenizer, pieces.map(({ text }) => text).join(''));
  if (typeof row === 'string') return row;
  const { tokens, supervised } = row;
  if (example.kind === 'text' && tokenizer.eosToken !== null) {
    tokens.push(tokenizer.eosToken);
    supervised.push(1);
  } else if (example.kind !== 'text') {
    // Nothing is learnt from what follows the last answer.
    const length = supervised.lastIndexOf(1) + 1;
    tokens.length = length;
    supervised.length = length;
  }
  if (tokenizer.addsBos && tokenizer.bosToken !== null && tokens[0] !== tokenizer.bosToken) {
    tokens.unshift(tokenizer.bosToken);
    supervised.unshift(0);
  }
  if (options.supervise === 'all') supervised.fill(1);
  if (supervised.length > 0) supervised[0] = 0;
  return { tokens, supervised };
}

/** The parts [start, end) of a row that is too long, or null to refuse it. */
const cuts: Readonly<Record<RowsOptions['tooLong'], (length: number, limit: number) => [number, number][] | null>> = {
  'truncate-right': (_, limit) => [[0, limit]],
  'truncate-left': (length, limit) => [[length - limit, length]],
  split: (length, limit) =>
    Array.from({ length: Math.ceil(length / limit) }, (_, i) => [i * limit, Math.min(length, (i + 1) * limit)]),
  refuse: () => null,
};

/** Tokenises all examples. Every one of them is a row, several rows, or a counted refusal. */
export function buildRows(
  examples: readonly Example[],
  options: RowsOptions,
): { rows: TokenRow[]; report: RowsReport } {
  const rows: TokenRow[] = [];
  const report: RowsReport = {
    rows: 0,
    tokens: 0,
    supervisedTokens: 0,
    truncatedRows: 0,
    splitRows: 0,
    refusedRows: 0,
    refusals: {},
    refused: [],
    duplicateRows: 0,
  };
  const seen = new Set<string>();
  const refuse = (source: RecordSource, reason: string): void => {
    report.refusedRows++;
    report.refusals[reason] = (report.refusals[reason] ?? 0) + 1;
    if (report.refused.length < maxListedRefusals) report.refused.push({ source, reason });
  };
  const keep = (tokens: number[], supervised: number[], source: RecordSource): boolean => {
    const mask = Uint8Array.from(supervised);
    if (mask.length > 0) mask[0] = 0;
    const count = mask.reduce((a, b) => a + b, 0);
    if (count === 0) return false;
    const key = tokens.join();
    if (seen.has(key)) report.duplicateRows++;
    seen.add(key);
    rows.push({ tokens: Int32Array.from(tokens), supervised: mask, source });
    report.rows++;
    report.tokens += tokens.length;
    report.supervisedTokens += count;
    return true;
  };
  for (const example of examples) {
    const row = tokenise(example, options);
    if (typeof row === 'string') {
      refuse(example.source, row);
      continue;
    }
    const { tokens, supervised } = row;
    const long = tokens.length > options.sequenceLength;
    const parts = long
      ? cuts[options.tooLong](tokens.length, options.sequenceLength)
      : [[0, tokens.length] as [number, number]];
    if (!parts) {
      refuse(example.source, `is longer than the sequence length of ${options.sequenceLength} tokens`);
      continue;
    }
    const kept = parts.filter(([start, end]) =>
      keep(tokens.slice(start, end), supervised.slice(start, end), example.source),
    );
    if (kept.length === 0)
      refuse(
        example.source,
        long ? 'has no supervised token left within the sequence length' : 'has no supervised token',
      );
    else if (long && options.tooLong === 'split') report.splitRows++;
    else if (long) report.truncatedRows++;
  }
  return { rows, report };
}

/** Refuses data that nothing, or no stopping, can be learnt from. */
export function assertTrainable(rows: readonly TokenRow[], report: RowsReport, tokenizer: Tokenizer): void {
  if (rows.length === 0) {
    const [reason] = Object.entries(report.refusals).sort((a, b) => b[1] - a[1])[0] ?? ['there are none'];
    throw new NomoatError({
      part: 'the training data',
      fault: `no row has a supervised token (${report.refusedRows} refused, mostly: ${reason})`,
      remedy: 'Look at `nomoat preview`; a longer --sequence-length or `--supervise all` may be what you want.',
    });
  }
  if (
    !rows.some(({ tokens, supervised }) =>
      tokens.some((token, t) => supervised[t] && tokenizer.isEndOfGeneration(token)),
    )
  ) {
    throw new NomoatError({
      part: 'the training data',
      fault: 'the end-of-turn token is never supervised, so the model would never learn to stop',
      remedy:
        'Look at `nomoat preview`; truncate from the left (--too-long truncate-left) to keep the ends of answers.',
    });
  }
}

/** Training rows whose tokens also stand in the validation set. */
export function leakedRows(train: readonly TokenRow[], validation: readonly TokenRow[]): number {
  const held = new Set(validation.map(({ tokens }) => tokens.join()));
  return train.filter(({ tokens }) => held.has(tokens.join())).length;
}
