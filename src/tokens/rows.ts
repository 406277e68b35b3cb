/**
 * Examples as token rows with their loss mask, and the account of what became of them. Promises: every example is a row, several rows,
 * or a counted refusal, and every token is in a row or counted as cut. Knows the tokenizer only as an interface. Pure.
 */
import { NomoatError } from '../errors.ts';
import type { ChatTemplate } from '../text/chat-template.ts';
import type { Example, RecordSource } from '../text/example.ts';
import { cutRow, minSequenceLength, type Part } from './cut.ts';
import { type EncodeOptions, encodeExample } from './encode-example.ts';
import type { CompactSequence, CutOptions, EncodedAnswer, EncodedRow } from './encoded-row.ts';
import { makePair } from './pairs.ts';
import { SameRows } from './same-rows.ts';
import type { Sequence } from './sequence.ts';
import { countSupervised, rowLength, type TokenRow } from './token-row.ts';

export type { CutOptions, EncodedRow } from './encoded-row.ts';

export type RowsOptions = EncodeOptions & CutOptions;

/** rows + refusedRows = examples + unrolledRows + addedParts. */
export interface RowsReport {
  /** Records that could be read as examples. */
  examples: number;
  /** Rows kept. */
  rows: number;
  /** Of the kept rows. */
  tokens: number;
  /** Of those, the learnt ones. */
  supervisedTokens: number;
  /** Rows that were cut to the sequence length. */
  truncatedRows: number;
  /** Rows that were split; `addedParts` more rows came of them. */
  splitRows: number;
  /** Rows that splitting added. */
  addedParts: number;
  /** Rows added because the template rewrites earlier turns, so that answers of one conversation need renderings of their own. */
  unrolledRows: number;
  /** Prompt/completion examples without a chat template around them, because the model has none. */
  rawCompletions: number;
  /** Rows that cannot be used. */
  refusedRows: number;
  /** Refused rows by reason. */
  refusals: Record<string, number>;
  /** The first refused rows with their reasons. */
  refused: { source: RecordSource; reason: string }[];
  /** What a person should know of rows that are kept, each sentence with the number of examples. */
  notices: Record<string, number>;
  /** Kept rows equal to an earlier one. */
  duplicateRows: number;
  /** Tokens of kept rows that were too long and are in none of their parts (parts without a target among them). */
  cutTokens: number;
  /** Of those, the learnt ones. */
  cutSupervisedTokens: number;
  /** Tokens put in front of parts to lead them: tokens = those of the whole rows - cutTokens + leadTokens. */
  leadTokens: number;
  /** Tokens of the kept rows: shortest, middle and longest. */
  lengths: { shortest: number; median: number; longest: number };
}

/** Refused rows listed one by one; the rest are counted by reason. */
const maxListedRefusals = 20;
/** Reasons counted apart: templates may put contents into theirs, and thousands of lines would tell nothing. */
const maxReasons = 40;
const otherReasons = 'for other reasons';
const otherNotices = 'further remarks of their own';

export const emptyReport = (): RowsReport => ({
  examples: 0,
  rows: 0,
  tokens: 0,
  supervisedTokens: 0,
  truncatedRows: 0,
  splitRows: 0,
  addedParts: 0,
  unrolledRows: 0,
  rawCompletions: 0,
  refusedRows: 0,
  refusals: {},
  refused: [],
  notices: {},
  duplicateRows: 0,
  cutTokens: 0,
  cutSupervisedTokens: 0,
  leadTokens: 0,
  lengths: { shortest: 0, median: 0, longest: 0 },
});

/** Counts a row that cannot be used, and lists it if it is one of the first. */
export function countRefusal(
  report: RowsReport,
  { detail, reason, source }: { source: RecordSource; reason: string; detail?: string | undefined },
): void {
  const { refusals, refused } = report;
  report.refusedRows++;
  const key = reason in refusals || Object.keys(refusals).length < maxReasons ? reason : otherReasons;
  refusals[key] = (refusals[key] ?? 0) + 1;
  if (refused.length < maxListedRefusals) refused.push({ source, reason: detail ? `${reason} (${detail})` : reason });
}

/** All examples of a set as tokens, whole: rows of any sequence length are cut from them. */
export type EncodedRows = readonly EncodedRow[];

/**
 * Tokenises examples one by one. Throws NomoatError where the model lacks the template that conversations need, never for one example's
 * sake.
 */
export function* encodeEach(examples: readonly Example[], options: EncodeOptions): Generator<EncodedRow> {
  let template: ChatTemplate | null = null;
  const once: EncodeOptions = {
    ...options,
    template: () => {
      template ??= options.template();
      return template;
    },
  };
  for (const example of examples) {
    const { source, weight } = example;
    const encoded = encodeExample(example, once);
    if ('reason' in encoded) yield { source, encoded };
    else {
      const sequences = encoded.sequences.map(compact);
      yield { source, encoded: { ...encoded, sequences }, ...(weight === undefined ? {} : { weight }) };
    }
  }
}

const compact = ({ supervised, tokens, weights }: Sequence): CompactSequence => ({
  tokens: Int32Array.from(tokens),
  supervised: Uint8Array.from(supervised),
  ...(weights ? { weights: Float32Array.from(weights) } : {}),
});

/** Weights of a row's tokens; none where all are 1. */
function weightsOf({ tokens, weights }: Sequence, record: number): { weights?: Float32Array } {
  const all = Float32Array.from(tokens, (_, t) => record * (weights?.[t] ?? 1));
  return all.every((weight) => weight === 1) ? {} : { weights: all };
}

/** Counts an example of which a person should know something. */
export function countNotice({ notices }: RowsReport, note: string): void {
  const key = note in notices || Object.keys(notices).length < maxReasons ? note : otherNotices;
  notices[key] = (notices[key] ?? 0) + 1;
}

class RowsBuilder {
  readonly rows: TokenRow[] = [];
  readonly report = emptyReport();
  private readonly options: CutOptions;
  private readonly seen = new SameRows();

  constructor(options: CutOptions) {
    this.options = options;
  }

  add(row: EncodedRow): void {
    const { encoded, rejected, source } = row;
    const { report } = this;
    report.examples++;
    if (rejected) {
      this.addPair(encoded, rejected, row);
      return;
    }
    if ('reason' in encoded) {
      this.refuse(source, encoded.reason, encoded.detail);
      return;
    }
    report.unrolledRows += encoded.sequences.length - 1;
    if (encoded.raw) report.rawCompletions++;
    for (const note of encoded.notes) countNotice(report, note);
    for (const sequence of encoded.sequences) this.addSequence(sequence, row);
  }

  /** Two answers, which are kept or refused together. */
  private addPair(chosen: EncodedAnswer, rejected: EncodedAnswer, { source, weight }: EncodedRow): void {
    const { report } = this;
    const made = makePair(chosen, rejected, this.options);
    if ('reason' in made) {
      this.refuse(source, made.reason, made.detail);
      return;
    }
    if (!('reason' in chosen)) {
      if (chosen.raw) report.rawCompletions++;
      for (const note of chosen.notes) countNotice(report, note);
    }
    const { cutTokens, cutSupervisedTokens, ...row } = made;
    if (cutTokens > 0) report.truncatedRows++;
    report.cutTokens += cutTokens;
    report.cutSupervisedTokens += cutSupervisedTokens;
    this.keep({ ...row, ...(weight === undefined ? {} : { weight }), source });
  }

  private addSequence({ supervised, tokens, weights }: CompactSequence, row: EncodedRow): void {
    const { report } = this;
    const { source, label, weight = 1 } = row;
    const { sequenceLength, tooLong } = this.options;
    const sequence = {
      tokens: Array.from(tokens),
      supervised: Array.from(supervised),
      ...(weights ? { weights: Array.from(weights) } : {}),
    };
    const parts = this.cut(sequence);
    if (typeof parts === 'string') {
      this.refuse(source, parts);
      return;
    }
    for (const part of parts)
      this.keep({
        tokens: Int32Array.from(part.tokens),
        supervised: Uint8Array.from(part.supervised),
        ...weightsOf(part, weight),
        ...(label === undefined ? {} : { label, weight }),
        source,
      });
    if (sequence.tokens.length <= sequenceLength) return;
    report[tooLong === 'split' ? 'splitRows' : 'truncatedRows']++;
    report.addedParts += parts.length - 1;
    report.cutTokens += sequence.tokens.length;
    report.cutSupervisedTokens += countSupervised(sequence.supervised);
    for (const { tokens: kept, supervised: learnt, leadTokens } of parts) {
      report.leadTokens += leadTokens;
      report.cutTokens -= kept.length - leadTokens;
      report.cutSupervisedTokens -= countSupervised(learnt);
    }
  }

  /** The parts that hold targets, or why there are none. */
  private cut(sequence: Sequence): Part[] | string {
    const { sequenceLength, tooLong, tokenizer } = this.options;
    if (countSupervised(sequence.supervised) === 0) return 'has no supervised token';
    const parts = cutRow(sequence, sequenceLength, tooLong, tokenizer.addsBos ? tokenizer.bosToken : null);
    if (!parts) return `is longer than the sequence length of ${sequenceLength} tokens`;
    const kept = parts.filter(({ supervised }) => countSupervised(supervised) > 0);
    return kept.length > 0 ? kept : 'has no supervised token left within the sequence length';
  }

  private keep(row: TokenRow): void {
    if (this.seen.has(row)) this.report.duplicateRows++;
    else this.seen.add(row);
    this.rows.push(row);
    this.report.rows++;
    for (const { supervised, tokens } of row.rejected ? [row, row.rejected] : [row]) {
      this.report.tokens += tokens.length;
      this.report.supervisedTokens += countSupervised(supervised);
    }
  }

  private refuse(source: RecordSource, reason: string, detail?: string): void {
    countRefusal(this.report, { source, reason, detail });
  }
}

/** Tokenises all examples and cuts them. Every one of them is a row, several rows, or a counted refusal. Throws as encodeEach does. */
export const buildRows = (examples: readonly Example[], options: RowsOptions): BuiltRows =>
  cutRows([...encodeEach(examples, options)], options);

export interface BuiltRows {
  readonly rows: TokenRow[];
  readonly report: RowsReport;
}

/** Rows of at most `sequenceLength` tokens. */
export function cutRows(encoded: EncodedRows, options: CutOptions): BuiltRows {
  if (!Number.isSafeInteger(options.sequenceLength) || options.sequenceLength < minSequenceLength) {
    throw new NomoatError({
      part: '`sequenceLength`',
      fault: `is ${options.sequenceLength}`,
      remedy: `Give a whole number from ${minSequenceLength}.`,
    });
  }
  const builder = new RowsBuilder(options);
  for (const row of encoded) builder.add(row);
  const { rows, report } = builder;
  const sorted = Int32Array.from(rows, rowLength).sort();
  if (sorted.length > 0)
    report.lengths = { shortest: sorted[0]!, median: sorted[sorted.length >> 1]!, longest: sorted.at(-1)! };
  return { rows, report };
}
