/**
 * A pretraining run's data as token rows: plain text, of which every token is learnt. Promises: all counts that the user is shown.
 */

import { stepsOf } from '../batches/order.ts';
import { NomoatError } from '../errors.ts';
import { openTokenizer } from '../llama/tokenizer.ts';
import { documentSeparator } from '../records/text-documents.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { countRefusal } from '../tokens/rows.ts';
import { leakedRows } from '../tokens/same-rows.ts';
import { textRows } from '../tokens/text-rows.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import type { Prepared, Question } from './prepared.ts';
import { type Texts, textFiles } from './read-texts.ts';

/** Words of a held-out text that a model continues, and that the data goes on with. */
const sampleWords = { given: 8, expected: 40 };

function endOfText(tokenizer: Tokenizer): number {
  const [spelt, ...more] = tokenizer.encode(documentSeparator, true);
  if (spelt !== undefined && more.length === 0) return spelt;
  const token = tokenizer.eosToken ?? tokenizer.bosToken;
  if (token !== null) return token;
  throw new NomoatError({
    part: 'the tokenizer',
    fault: `has neither ${documentSeparator} nor an end-of-sequence token`,
    remedy: 'Give another `tokenizer`, or leave it out to train one.',
  });
}

/** Steps over which the learning rate rises where nobody says. A text for a few steps would else be over before it has risen. */
const usualWarmup = (steps: number): number => Math.min(100, Math.ceil(steps / 10));

/** The rows of a pretraining run. */
export async function prepareTexts(settings: RunSettings, texts: Texts): Promise<Prepared> {
  const tokenizer = await openTokenizer(settings.modelPath);
  try {
    const options = { tokenizer, sequenceLength: settings.sequenceLength, endOfText: endOfText(tokenizer) };
    const rows = textRows(texts.train, { ...options, path: settings.data[0]! });
    for (const refusal of texts.refusals) countRefusal(rows.report, refusal);
    const held = textRows(texts.validation, { ...options, path: String(settings.validation) });
    const sources = texts.validation.length > 0 ? texts.validation : texts.train;
    const { steps } = stepsOf(rows.rows.length, settings);
    return {
      settings: { ...settings, warmupSteps: settings.warmupSteps ?? usualWarmup(steps) },
      chosen: null,
      format: 'text',
      files: textFiles(settings),
      notes: [...texts.notes],
      overruled: [],
      prefix: 0,
      systemPrompt: null,
      train: rows.rows,
      validation: held.rows,
      questions: sources.slice(0, 20).flatMap((text) => beginningOf(text) ?? []),
      report: rows.report,
      leaked: leakedRows(rows.rows, held.rows),
      validationReport: held.rows.length > 0 ? held.report : null,
      validationBytes: held.rows.length > 0 ? held.bytes : null,
    };
  } finally {
    await tokenizer.close();
  }
}

function beginningOf(text: string): Question | null {
  const words = text.slice(0, 2000).split(/(?<=\s)/);
  const beginning = words.slice(0, sampleWords.given).join('').trimEnd();
  const expected = words
    .slice(sampleWords.given, sampleWords.given + sampleWords.expected)
    .join('')
    .trim();
  return expected === '' ? null : { beginning, expected };
}
