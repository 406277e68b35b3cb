/**
 * Training files by the rules of OpenAI's fine-tuning platform, which refused a file as a whole where one of its rows
 * would not do. Promises: memory stays within one piece of the file and a bounded list of faults; of a file without
 * faults `tune` refuses no record, and where its model is given no row either.
 */
import { headOf, noRemarks } from '../records/byte-source.ts';
import { goesOverLines } from '../records/json-records.ts';
import { type Line, readLines } from '../records/line-reader.ts';
import { parseJson } from '../records/raw-record.ts';
import { heedStop } from '../stop.ts';
import { specialTokenPattern, spelledTokens } from '../text/platform-tokens.ts';
import type { RowFault } from '../text/tuning-faults.ts';
import { checkTuningRow, recordFormatOf, type TuningFormat, tuningFormatOf, unlearnable } from '../text/tuning-rows.ts';
import { type EncodeOptions, encodeExample } from '../tokens/encode-example.ts';

/** What is wrong with a training file. */
export interface TuningFault {
  /** From 1; null where it is the file as a whole. */
  readonly line: number | null;
  /** A sentence that begins with the place: `Line 12, message 3, key "content" is no text.` */
  readonly message: string;
  /** As OpenAI's jobs have it in their error. */
  readonly code: 'invalid_file_format' | 'invalid_n_examples';
}

/** What a training file holds, and whether it may be trained on. */
export interface TuningFileCheck {
  /** What its rows are; null where none of them says so. */
  readonly format: TuningFormat | null;
  /** Lines that hold a row, those with faults among them. */
  readonly examples: number;
  /** The first faults, in the order of the lines; none where the file may be trained on. */
  readonly faults: readonly TuningFault[];
  /** All faults, also those that are not listed. */
  readonly faultCount: number;
  /** What else is to be known, in sentences. */
  readonly notes: readonly string[];
}

/** How a training file is checked. */
export interface TuningFileOptions {
  /** What its rows have to be; left out, what the first one is. */
  readonly formats?: readonly TuningFormat[];
  /**
   * How the model that is tuned makes tokens of a row: what its template refuses is refused, and so are rows that spell
   * its control tokens.
   */
  readonly encoding?: EncodeOptions;
  /** Stops the reading: then it rejects with NomoatError (interrupted). */
  readonly signal?: AbortSignal;
}

/** Fewer were refused, also of a validation file. */
export const fewestExamples = 10;
/** Faults that are listed one by one: enough to mend a file by, and to see what most of them are. */
const mostFaults = 100;
/** Of one row; further ones mostly follow from the first. */
const mostOfRow = 5;

/** Work that others in the process, such as a server's answers, wait for at most, in ms. */
const pauseEvery = 20;

const noRows = 'holds neither chat messages nor prompt/completion pairs';
const marked = 'begins with a byte order mark, which Azure asks for and OpenAI refused; it is left out';

type Code = TuningFault['code'];
const notWellFormed: Code = 'invalid_file_format';
interface Particulars {
  readonly place?: string;
  readonly code?: Code;
}

/** What is found line by line. */
class Checking {
  format: TuningFormat | null = null;
  examples = 0;
  faultCount = 0;
  readonly faults: TuningFault[] = [];
  readonly notes: string[] = [];
  private readonly options: TuningFileOptions;
  private readonly special: RegExp;
  /** Blank lines since the last row: faults once another follows. */
  private blank: number[] = [];
  private blankLines = 0;

  constructor(options: TuningFileOptions) {
    this.options = options;
    this.special = specialTokenPattern(options.encoding?.tokenizer.controlTexts ?? []);
  }

  /** `fault` goes on behind the place: the file, its line, or `place` in that. */
  refuse(line: number | null, fault: string, { place = '', code = notWellFormed }: Particulars = {}): void {
    this.faultCount++;
    if (this.faults.length >= mostFaults) return;
    const subject = line === null ? 'The file' : `Line ${line}`;
    this.faults.push({ line, message: `${subject}${place === '' ? '' : `, ${place}`} ${fault}.`, code });
  }

  take(line: Line): void {
    if ('text' in line && line.text.trim() === '') {
      this.blankLines++;
      if (this.blank.length < mostFaults) this.blank.push(line.line);
      return;
    }
    this.refuseBlank();
    this.examples++;
    if ('text' in line) this.takeRow(line);
    else this.refuse(line.line, line.detail ? `${line.fault} (${line.detail})` : line.fault);
  }

  private refuseBlank(): void {
    for (const line of this.blank) this.refuse(line, 'is blank');
    this.faultCount += this.blankLines - this.blank.length;
    [this.blank, this.blankLines] = [[], 0];
  }

  private takeRow({ line, marks, text }: Extract<Line, { text: string }>): void {
    if (marks) this.refuse(line, 'begins with a byte order mark');
    const read = parseJson(line, text);
    if ('fault' in read) {
      this.refuse(line, read.detail ? `${read.fault} (${read.detail})` : read.fault);
      return;
    }
    const format = this.formatOf(line, read.value);
    if (format === null) return;
    const faults = this.faultsOf(read.value, format, line);
    for (const { fault, place } of faults.slice(0, mostOfRow)) this.refuse(line, fault, { place });
    this.faultCount += Math.max(0, faults.length - mostOfRow);
  }

  private faultsOf(value: unknown, format: TuningFormat, line: number): readonly RowFault[] {
    const checked = checkTuningRow(value, format, { file: '', line });
    const faults = [...checked.faults, ...spelledTokens(value, this.special)];
    const { encoding } = this.options;
    if (faults.length > 0 || !checked.example || !encoding) return faults;
    const encoded = encodeExample(checked.example, encoding);
    return 'reason' in encoded ? [unlearnable(encoded)] : [];
  }

  /** The file's format, which the first row that has one decides; null where that of this row is refused. */
  private formatOf(line: number, value: unknown): TuningFormat | null {
    const own = tuningFormatOf(value);
    if (this.format !== null) return this.format;
    if (own === null) {
      const list = typeof value !== 'object' || value === null || Array.isArray(value);
      this.refuse(line, list ? 'is no JSON object' : noRows);
      return null;
    }
    const { formats } = this.options;
    // A row of reinforcement is one of chat but for what stands beside its messages, and the other way round.
    const wanted = formats?.find((each) => each === own) ?? formats?.find((each) => twins.has(each) && twins.has(own));
    if (formats && !wanted) this.refuse(null, `is in the format ${own}, and ${formats.join(' or ')} is wanted`);
    this.format = wanted ?? own;
    return this.format;
  }

  end(): TuningFileCheck {
    const { format, examples, notes } = this;
    if (this.blankLines > 0) notes.push(`ends in blank lines (${this.blankLines}), which are left out`);
    if (examples < fewestExamples)
      this.refuse(
        null,
        `has ${examples} ${examples === 1 ? 'example' : 'examples'}, but must have at least ${fewestExamples} examples`,
        { code: 'invalid_n_examples' },
      );
    if (format !== null && !recordFormatOf[format]) notes.push(`holds ${format} rows, which cannot be trained on yet`);
    return { format, examples, faults: this.faults, faultCount: this.faultCount, notes };
  }
}

const twins: ReadonlySet<TuningFormat> = new Set(['chat', 'reinforcement']);

/** What the bytes are, where they are not plain UTF-8 lines; null where they are. */
async function wrongFile(path: string, checking: Checking): Promise<string | null> {
  const { head, packing } = await headOf(path);
  if (packing) return `is compressed (${packing}): the file itself is wanted, as JSONL`;
  const [first, second, third] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return 'is in UTF-16: UTF-8 is wanted';
  if (first === 0xef && second === 0xbb && third === 0xbf) checking.notes.push(marked);
  if (await goesOverLines(path)) return 'is JSON that goes over lines: JSONL is wanted, one object a line';
  return null;
}

/**
 * Checks a training file at `path`. Rejects with NomoatError where it cannot be read or is no text, and where it was
 * told to stop; what is wrong with its rows is in the result.
 */
export async function checkTuningLines(path: string, options: TuningFileOptions = {}): Promise<TuningFileCheck> {
  const checking = new Checking(options);
  const wrong = await wrongFile(path, checking);
  if (wrong !== null) {
    checking.refuse(null, wrong);
    return { format: null, examples: 0, faults: checking.faults, faultCount: 1, notes: checking.notes };
  }
  const { signal = new AbortController().signal } = options;
  await heedStop(signal);
  let paused = performance.now();
  for await (const lines of readLines(path, noRemarks()))
    for (const line of lines) {
      checking.take(line);
      if (performance.now() - paused < pauseEvery) continue;
      await heedStop(signal);
      paused = performance.now();
    }
  return checking.end();
}
