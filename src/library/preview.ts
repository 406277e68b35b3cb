/**
 * Data as the tokens that would be trained on. Promises: rows are read, rendered, tokenised and cut as a run does; every row that is
 * refused is counted with its reason. Trains nothing, writes nothing.
 */

import { type DataFile, readExamples } from '../dataset/dataset-files.ts';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { listOf, type TuneOptions } from '../library.ts';
import { modelNotes } from '../models/model-notes.ts';
import { resolveChatTemplate } from '../settings/chat-template.ts';
import { resolveOptions } from '../settings/load.ts';
import { resolveModel } from '../store/local-models.ts';
import { withChatTemplate } from '../text/chat-template.ts';
import { type PreviewedRow, previewRow } from '../tokens/preview.ts';
import { countRefusal, type RowsReport } from '../tokens/rows.ts';
import { endless, neverStops } from '../tokens/trainable.ts';

/** Rows that are shown where nobody says how many: enough to see a mistake, few enough to read. */
export const usualRows = 3;

/** What of a run's settings decides its rows. */
export type RowSetting =
  | 'data'
  | 'model'
  | 'format'
  | 'promptColumn'
  | 'completionColumn'
  | 'textColumn'
  | 'sequenceLength'
  | 'tooLong'
  | 'supervise'
  | 'specialTokens'
  | 'chatTemplate';

/** What is looked at: those of a run's options that decide its rows. */
export type PreviewOptions = Pick<TuneOptions, RowSetting> & {
  /** Rows to show (default: 3); all are counted. */
  readonly rows?: number;
  /** Examples to look at, the first of the data (default: all): counts, faults and remedies are of those, which a note says. */
  readonly limit?: number | null;
  /** Told how far the preparation is, in sentences. */
  readonly onProgress?: (message: string) => void;
};

/** The rows of a data set as tokens, with all counts. */
export interface Preview {
  /** How the data was read, such as `messages`. */
  readonly format: string;
  /** What was read. */
  readonly files: readonly DataFile[];
  /** What a person should know of the data and the model, in sentences: what a run says before it begins. */
  readonly notes: readonly string[];
  /** The first rows. */
  readonly rows: readonly PreviewedRow[];
  /** Of all rows, refusals with their reasons among them. */
  readonly counts: RowsReport;
  /** Examples behind the first `limit`, which were not looked at. */
  readonly left: number;
  /** Why a run would refuse the rows that are left; null where it would not. */
  readonly fault: string | null;
  /** What was tried on the refused rows and helps; null where none are, or nothing helps. */
  readonly remedy: string | null;
}

function wholeFrom(least: number, part: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new NomoatError({ part, fault: `${String(value)} is no whole number from ${least}`, remedy: 'Give one.' });
}

/** Reads all of the data, tokenises it, or its first examples (`limit`), and shows its first rows. Rejects with NomoatError. */
export async function preview(given: PreviewOptions): Promise<Preview> {
  const { data, limit, onProgress = () => {}, rows: requested, ...settings } = { ...given };
  const wanted = wholeFrom(0, 'rows', requested ?? usualRows);
  const most = limit == null ? Number.POSITIVE_INFINITY : wholeFrom(1, 'limit', limit);
  const options = resolveOptions(settings);
  const { path } = await resolveModel(options.model);
  // With its engine, which a program that imports the library does not wait for.
  const { openTokenizer } = await import('../llama/tokenizer.ts');
  const { buildSets } = await import('../dataset/row-sets.ts');
  const dataset = await readExamples(listOf(data), options);
  const model = withChatTemplate(openGguf(path), resolveChatTemplate(options.chatTemplate));
  try {
    const tokenizer = await openTokenizer(path);
    try {
      const train = dataset.train.slice(0, most);
      const left = dataset.train.length - train.length;
      const sets = await buildSets({
        train,
        validation: [],
        settings: options,
        model,
        tokenizer,
        progress: onProgress,
      });
      const { report, rows } = sets.train;
      const remedy = sets.remedy();
      for (const refusal of dataset.refusals) countRefusal(report, refusal);
      return {
        format: dataset.format,
        files: dataset.files,
        notes: [
          ...(left > 0 ? [`Only the first ${train.length} of ${train.length + left} examples were looked at.`] : []),
          ...dataset.notes,
          ...modelNotes(model),
        ],
        rows: rows.slice(0, wanted).map((row) => previewRow(row, tokenizer)),
        counts: report,
        left,
        fault: neverStops(rows, tokenizer) ? endless : null,
        remedy,
      };
    } finally {
      await tokenizer.close();
    }
  } finally {
    model.close();
  }
}
