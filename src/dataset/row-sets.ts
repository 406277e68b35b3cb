/**
 * The rows for training and validation, tokenised once and cut at the sequence length that was given or that their lengths suggest.
 */

import type { GgufFile } from '../formats/gguf/types.ts';
import { readModelConfig } from '../models/config.ts';
import { chooseSequenceLength, lengthBound } from '../settings/defaults-from-data.ts';
import type { AskedSettings } from '../settings/run-settings.ts';
import { assertGoesOn } from '../stop.ts';
import { chatTemplateOf } from '../text/chat-template.ts';
import type { Example } from '../text/example.ts';
import type { EncodeOptions } from '../tokens/encode-example.ts';
import { remedyFor } from '../tokens/remedy.ts';
import { type BuiltRows, cutRows, type EncodedRow, type EncodedRows, encodeEach } from '../tokens/rows.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import { cachedRows, keepRows, rowsKey, worthKeepingSeconds } from './rows-cache.ts';

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

export interface RowSetsOptions {
  readonly train: readonly Example[];
  readonly validation: readonly Example[];
  readonly settings: Pick<AskedSettings, 'sequenceLength' | 'tooLong' | 'supervise' | 'specialTokens'>;
  readonly model: GgufFile;
  readonly tokenizer: Tokenizer;
  /** Told of long work now and then, as a sentence. */
  readonly progress?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Work that others, such as a message to stop, wait for at most, in ms. */
const pauseEvery = 100;
/** Work after which a person wants to know how far it is, and how often, in ms. */
const toldEvery = 2000;

/** All examples as tokens: as they were made before, or made now. Throws NomoatError where it was told to stop. */
async function encodeOnce(
  examples: readonly Example[],
  options: EncodeOptions,
  given: Pick<RowSetsOptions, 'model' | 'progress' | 'signal'>,
): Promise<EncodedRows> {
  const key = rowsKey(examples, { model: given.model, options });
  const before = key === null ? null : cachedRows(key, examples);
  if (before) return before;
  const began = performance.now();
  const made = await encodeAll(examples, options, given);
  if (key !== null && performance.now() - began >= worthKeepingSeconds * 1000) keepRows(key, made);
  return made;
}

/** Makes them, with pauses in which signals are heard. */
async function encodeAll(
  examples: readonly Example[],
  options: EncodeOptions,
  { progress, signal }: Pick<RowSetsOptions, 'progress' | 'signal'>,
): Promise<EncodedRows> {
  const encoded: EncodedRow[] = [];
  const began = performance.now();
  let [paused, told] = [began, began];
  for (const row of encodeEach(examples, options)) {
    encoded.push(row);
    const now = performance.now();
    if (now - paused < pauseEvery) continue;
    await new Promise((resolve) => setImmediate(resolve));
    if (signal) assertGoesOn(signal);
    paused = performance.now();
    if (now - told < toldEvery) continue;
    told = now;
    const left = ((now - began) / 1000 / encoded.length) * (examples.length - encoded.length);
    progress?.(`Preparing rows: ${encoded.length} of ${examples.length}, ${Math.ceil(left)} s left`);
  }
  return encoded;
}

/** The rows of both sets, cut at the sequence length that was given or, where none was, at the one that their lengths suggest. */
export async function buildSets(given: RowSetsOptions): Promise<Sets> {
  const { model, settings, tokenizer, train, validation } = given;
  const { contextLength } = readModelConfig(model);
  const options: EncodeOptions = {
    supervise: settings.supervise,
    // As runs from before there was a choice began.
    specialTokens: settings.specialTokens ?? 'control',
    template: () => chatTemplateOf(model),
    tokenizer,
  };
  const encoded = await encodeOnce(train, options, given);
  const encodedHeld = validation.length > 0 ? await encodeOnce(validation, options, given) : null;
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
