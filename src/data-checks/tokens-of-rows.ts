/** Rows as a model's tokens: how many, which rows training refuses, and which the tokenizer hardly knows. Pure. */
import type { Example } from '../text/example.ts';
import type { EncodeOptions } from '../tokens/encode-example.ts';
import { encodeEach } from '../tokens/rows.ts';
import { rowOf, wholeOf } from './data-row.ts';
import type { DataFinding } from './finding.ts';
import { type Lengths, lengthsOf } from './row-shapes.ts';

/** So many times the tokens a character of the middle row, in a text long enough to tell: another script, or bytes. */
const hardlyKnown = { times: 3, tokens: 50 };
/** Rows between two looks at the signal. */
const rowsAtOnce = 100;

/** What a model's tokens say of rows. */
export interface CheckedTokens {
  /** Of rows, the template's tokens included. */
  readonly lengths: Lengths;
  readonly findings: readonly DataFinding[];
  /** Remarks that training makes, with the number of rows. */
  readonly notices: Readonly<Record<string, number>>;
}

/** Tokenises rows as training would. Throws NomoatError where the model lacks the chat template that they need. */
export async function checkTokens(
  examples: readonly Example[],
  options: EncodeOptions,
  pace: { readonly signal?: AbortSignal | undefined; readonly onProgress?: (done: number, total: number) => void } = {},
): Promise<CheckedTokens> {
  const findings: DataFinding[] = [];
  const notices: Record<string, number> = {};
  const counted: { place: number; tokens: number; characters: number }[] = [];
  let place = 0;
  for (const { encoded, source } of encodeEach(examples, options)) {
    if ('reason' in encoded)
      findings.push({ kind: 'unusable', severity: 'warning', rule: encoded.reason, rows: [source], excerpt: '' });
    else {
      for (const note of encoded.notes) notices[note] = (notices[note] ?? 0) + 1;
      const tokens = Math.max(...encoded.sequences.map((each) => each.tokens.length));
      counted.push({ place, tokens, characters: wholeOf(rowOf(examples[place]!)).length });
    }
    place++;
    if (place % rowsAtOnce !== 0) continue;
    pace.signal?.throwIfAborted();
    pace.onProgress?.(place, examples.length);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const median = lengthsOf(counted.map(({ characters, tokens }) => tokens / (characters + 1))).median;
  for (const { characters, place, tokens } of counted)
    if (tokens >= hardlyKnown.tokens && tokens / (characters + 1) > hardlyKnown.times * median)
      findings.push({
        kind: 'many-tokens',
        severity: 'note',
        rule: `${tokens} tokens for ${characters} characters`,
        rows: [examples[place]!.source],
        excerpt: '',
      });
  return { lengths: lengthsOf(counted.map(({ tokens }) => tokens)), findings, notices };
}
