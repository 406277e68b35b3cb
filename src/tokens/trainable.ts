/** Whether something can be learnt from rows, and stopping too. Pure. */
import { NomoatError } from '../errors.ts';
import type { BuiltRows } from './rows.ts';
import type { TokenFacts } from './tokenizer.ts';

const nothingHelps =
  'Rows are learnt by their answers: a completion, or a message of the role assistant. No change that nomoat knows (another chat template, other places for system prompts, thoughts and tools) makes rows of these.';

interface Learnt {
  readonly tokens: ArrayLike<number>;
  readonly supervised: ArrayLike<number>;
}

/** Whether the row teaches to stop. */
export function stops({ supervised, tokens }: Learnt, tokenizer: TokenFacts): boolean {
  for (let t = 0; t < tokens.length; t++)
    if (supervised[t] === 1 && tokenizer.isEndOfGeneration(tokens[t]!)) return true;
  return false;
}

/** Whether no row does, though there are some. */
export const neverStops = (rows: readonly Learnt[], tokenizer: TokenFacts): boolean =>
  rows.length > 0 && !rows.some((row) => stops(row, tokenizer));

export const endless = 'the end-of-turn token is never supervised, so the model would never learn to stop';
const endlessTemplate = 'The chat template does not end an answer with a token that stops generation of this model.';

/** Refuses data that nothing, or no stopping, can be learnt from. Throws NomoatError. */
export function assertTrainable(
  { rows, report }: BuiltRows,
  tokenizer: TokenFacts,
  /** What was tried on the refused rows and helps (remedy.ts); null where nothing does. */
  remedy: () => string | null = () => null,
): void {
  if (!rows.some(({ supervised }) => supervised.includes(1))) {
    const [reason] = Object.entries(report.refusals).sort((a, b) => b[1] - a[1])[0] ?? ['there are none'];
    throw new NomoatError({
      code: 'nothing-to-learn',
      part: 'the training data',
      fault: `no row has a supervised token (${report.refusedRows} refused, mostly: ${reason})`,
      remedy: /sequence length/.test(reason)
        ? 'Give a longer `sequenceLength`; `preview()` shows the rows.'
        : `${remedy() ?? nothingHelps} \`preview()\` shows the rows.`,
      fields: { refusals: report.refusals },
    });
  }
  if (neverStops(rows, tokenizer)) {
    const tried = report.refusedRows === 0 ? remedy() : null;
    // Ends that were cut off are in the whole rows, for which nothing is tried then.
    const cut = report.truncatedRows > 0 && tried === null;
    throw new NomoatError({
      part: 'the training data',
      fault: endless,
      remedy: cut
        ? "Raise `sequenceLength`, or keep the ends of answers with `tooLong: 'truncate-left'`; see `preview()`."
        : `${endlessTemplate} ${tried ?? 'Look at `preview()`.'}`,
    });
  }
}
