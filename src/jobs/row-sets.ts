/**
 * The rows for training and validation, tokenised once and cut at the sequence length that was given or that their lengths suggest.
 */
import { chooseSequenceLength, lengthBound } from '../config/defaults-from-data.ts';
import type { GgufFile } from '../files/gguf/types.ts';
import { readModelConfig } from '../models/config.ts';
import { chatTemplateOf } from '../text/chat-template.ts';
import type { Example } from '../text/example.ts';
import type { EncodeOptions } from '../tokens/encode-example.ts';
import { remedyFor } from '../tokens/remedy.ts';
import { type BuiltRows, cutRows, encodeRows } from '../tokens/rows.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import type { AskedSettings } from './run-settings.ts';

export interface Sets {
  readonly train: BuiltRows;
  /** Null where nothing is held out. */
  readonly held: BuiltRows | null;
  readonly sequenceLength: number;
  /** What was tried on refused rows and helps; null where nothing does. */
  readonly remedy: () => string | null;
  /** Tokens of the longest row, cut ones excepted. */
  readonly longest: number;
}

/** The rows of both sets, cut at the sequence length that was given or, where none was, at the one that their lengths suggest. */
export function buildSets(
  train: readonly Example[],
  validation: readonly Example[],
  settings: Pick<AskedSettings, 'sequenceLength' | 'tooLong' | 'supervise' | 'specialTokens'>,
  model: GgufFile,
  tokenizer: Tokenizer,
): Sets {
  const { contextLength } = readModelConfig(model);
  const options: EncodeOptions = {
    supervise: settings.supervise,
    // As runs from before there was a choice began.
    specialTokens: settings.specialTokens ?? 'control',
    template: () => chatTemplateOf(model),
    tokenizer,
  };
  const encoded = encodeRows(train, options);
  const encodedHeld = validation.length > 0 ? encodeRows(validation, options) : null;
  const cut = (sequenceLength: number): Sets => {
    const rows = cutRows(encoded, { ...options, tooLong: settings.tooLong, sequenceLength });
    const held = encodedHeld && cutRows(encodedHeld, { ...options, tooLong: settings.tooLong, sequenceLength });
    const longest = Math.max(rows.report.lengths.longest, held?.report.lengths.longest ?? 0);
    return { train: rows, held, sequenceLength, longest, remedy: () => remedyFor(train, encoded, options) };
  };
  if (settings.sequenceLength !== null) return cut(Math.min(settings.sequenceLength, contextLength));
  const bound = lengthBound(contextLength, settings.tooLong);
  const sets = cut(bound);
  const lengths = [...sets.train.rows, ...(sets.held?.rows ?? [])].map(({ tokens }) => tokens.length);
  const chosen = Math.min(bound, chooseSequenceLength(lengths, contextLength));
  return chosen < sets.longest ? { ...cut(chosen), longest: sets.longest } : { ...sets, sequenceLength: chosen };
}
