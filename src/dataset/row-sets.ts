/**
 * The rows for training and validation, tokenised once and cut at the sequence length that was given or that their lengths suggest.
 */

import type { GgufFile } from '../formats/gguf/types.ts';
import { readModelConfig } from '../models/config.ts';
import { chooseSequenceLength, lengthBound } from '../settings/defaults-from-data.ts';
import type { RequestedSettings } from '../settings/run-settings.ts';
import { assertGoesOn } from '../stop.ts';
import { chatTemplateOf } from '../text/chat-template.ts';
import type { Example } from '../text/example.ts';
import type { EncodeOptions } from '../tokens/encode-example.ts';
import { remedyFor } from '../tokens/remedy.ts';
import { type BuiltRows, cutRows, type EncodedRow, type EncodedRows, encodeEach } from '../tokens/rows.ts';
import { rowLength } from '../tokens/token-row.ts';
import type { TokenFacts, Tokenizer } from '../tokens/tokenizer.ts';
import { stops } from '../tokens/trainable.ts';
import { cachedRows, type KeptRows, keepRows, rowsKey, worthKeepingSeconds } from './rows-cache.ts';

export interface Sets {
  readonly train: BuiltRows;
  /** Null where nothing is held out. */
  readonly held: BuiltRows | null;
  readonly sequenceLength: number;
  /** What was tried on refused rows and helps; null where nothing does. */
  readonly remedy: () => string | null;
  /** Tokens of the longest row, cut ones excepted. */
  readonly longest: number;
  /** What else is to be known of the tokens. */
  readonly facts: TokenFacts;
}

/** A tokenizer that is opened where it is needed. */
export interface LateTokenizer {
  readonly open: () => Promise<Tokenizer>;
}

export interface RowSetsOptions {
  readonly train: readonly Example[];
  readonly validation: readonly Example[];
  readonly settings: Pick<RequestedSettings, 'sequenceLength' | 'tooLong' | 'supervise' | 'specialTokens'>;
  readonly model: GgufFile;
  /** Rows that were made before need none. */
  readonly tokenizer: Tokenizer | LateTokenizer;
  /** Told of long work now and then, as a sentence. */
  readonly progress?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Work that others, such as a message to stop, wait for at most, in ms. */
const pauseEvery = 100;
/** Work after which a person wants to know how far it is, and how often, in ms. */
const progressEvery = 2000;

/** How rows are made, but for the tokenizer. */
type Making = Omit<EncodeOptions, 'tokenizer'>;

/** A set's rows as they were made before; null where they were not. */
interface Found {
  readonly examples: readonly Example[];
  readonly key: string | null;
  readonly kept: KeptRows | null;
}

function find(examples: readonly Example[], model: GgufFile, options: Making): Found {
  const key = rowsKey(examples, { model, options });
  return { examples, key, kept: key === null ? null : cachedRows(key, examples) };
}

/** Whether nothing more will be asked of the tokenizer: what helps refused rows, and rows that never stop, is tried with it. */
const suffices = ({ kept }: Found): boolean =>
  kept !== null &&
  kept.rows.every(({ encoded }) => !('reason' in encoded)) &&
  kept.rows.some(({ encoded }) => !('reason' in encoded) && encoded.sequences.some((row) => stops(row, kept.facts)));

/** A set's rows as they were made before, or made now. Throws NomoatError where it was told to stop. */
const encodeOnce = async (
  { examples, kept }: Found,
  options: EncodeOptions,
  pace: Pick<RowSetsOptions, 'progress' | 'signal'>,
): Promise<EncodedRows> => kept?.rows ?? encodeAll(examples, options, pace);

/** Keeps rows that were made now for the next time. */
function keepNew({ kept, key }: Found, rows: EncodedRows, facts: TokenFacts): void {
  if (kept === null && key !== null) keepRows(key, { rows, facts });
}

/** Makes them, with pauses in which signals are heard. */
async function encodeAll(
  examples: readonly Example[],
  options: EncodeOptions,
  { progress, signal }: Pick<RowSetsOptions, 'progress' | 'signal'>,
): Promise<EncodedRows> {
  const encoded: EncodedRow[] = [];
  const began = performance.now();
  let [paused, reported] = [began, began];
  for (const row of encodeEach(examples, options)) {
    encoded.push(row);
    const now = performance.now();
    if (now - paused < pauseEvery) continue;
    await new Promise((resolve) => setImmediate(resolve));
    if (signal) assertGoesOn(signal);
    paused = performance.now();
    if (now - reported < progressEvery) continue;
    reported = now;
    const left = ((now - began) / 1000 / encoded.length) * (examples.length - encoded.length);
    progress?.(`Preparing rows: ${encoded.length} of ${examples.length}, ${Math.ceil(left)} s left`);
  }
  return encoded;
}

interface EncodedSets {
  readonly train: EncodedRows;
  /** Null where nothing is held out. */
  readonly held: EncodedRows | null;
  readonly facts: TokenFacts;
  readonly remedy: () => string | null;
}

async function encodeSets(given: RowSetsOptions, options: Making): Promise<EncodedSets> {
  const { model, tokenizer, train, validation } = given;
  const found = find(train, model, options);
  const foundHeld = validation.length > 0 ? find(validation, model, options) : null;
  if (suffices(found) && (foundHeld === null || foundHeld.kept))
    return {
      train: found.kept!.rows,
      held: foundHeld?.kept?.rows ?? null,
      facts: found.kept!.facts,
      remedy: () => null,
    };
  const began = performance.now();
  const facts = 'open' in tokenizer ? await tokenizer.open() : tokenizer;
  const whole = { ...options, tokenizer: facts };
  const encoded = await encodeOnce(found, whole, given);
  const held = foundHeld && (await encodeOnce(foundHeld, whole, given));
  // Both or neither: one set that is missing opens the tokenizer again, which may take longer than its rows.
  if (performance.now() - began >= worthKeepingSeconds * 1000) {
    keepNew(found, encoded, facts);
    if (foundHeld && held) keepNew(foundHeld, held, facts);
  }
  return { train: encoded, held, facts, remedy: () => remedyFor(train, encoded, whole) };
}

/** The answers of an example, each an example of its own. */
const answersOf = ({ label: _, rejected, weight: _weight, ...chosen }: Example): Example[] =>
  rejected ? [chosen, { ...rejected, source: chosen.source }] : [chosen];

/** The rows of the examples' answers as those of the examples. */
function together(examples: readonly Example[], answers: EncodedRows): EncodedRow[] {
  let at = 0;
  return examples.map(({ label, rejected, weight }) => {
    const row = answers[at++]!;
    const other = rejected ? { rejected: answers[at++]!.encoded } : {};
    return {
      ...row,
      ...other,
      ...(label === undefined ? {} : { label }),
      ...(weight === undefined ? {} : { weight }),
    };
  });
}

/** The rows of both sets, cut at the sequence length that was given or, where none was, at the one that their lengths suggest. */
export async function buildSets(given: RowSetsOptions): Promise<Sets> {
  const { model, settings } = given;
  const { contextLength } = readModelConfig(model);
  const options: Making = {
    supervise: settings.supervise,
    // As runs from before there was a choice began.
    specialTokens: settings.specialTokens ?? 'control',
    template: () => chatTemplateOf(model),
  };
  const { train, validation } = given;
  const apart = { ...given, train: train.flatMap(answersOf), validation: validation.flatMap(answersOf) };
  const sets = await encodeSets(apart, options);
  const encoded = { train: together(train, sets.train), held: sets.held && together(validation, sets.held) };
  const { facts, remedy } = sets;
  const cut = (sequenceLength: number): Sets => {
    const how = { tokenizer: facts, tooLong: settings.tooLong, sequenceLength };
    const rows = cutRows(encoded.train, how);
    const held = encoded.held && cutRows(encoded.held, how);
    const longest = Math.max(rows.report.lengths.longest, held?.report.lengths.longest ?? 0);
    return { train: rows, held, sequenceLength, longest, remedy, facts };
  };
  if (settings.sequenceLength !== null) return cut(Math.min(settings.sequenceLength, contextLength));
  const bound = lengthBound(contextLength, settings.tooLong);
  const whole = cut(bound);
  const lengths = [...whole.train.rows, ...(whole.held?.rows ?? [])].map(rowLength);
  const chosen = Math.min(bound, chooseSequenceLength(lengths, contextLength));
  return chosen < whole.longest ? { ...cut(chosen), longest: whole.longest } : { ...whole, sequenceLength: chosen };
}
