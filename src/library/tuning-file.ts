/**
 * A training file by the rules of OpenAI's fine-tuning platform, and by what a model can learn of it. Promises: where
 * nothing is at fault, `tune` of that model refuses none of its rows. Trains nothing, writes nothing.
 */
import { checkTuningLines, type TuningFileCheck } from '../dataset/tuning-file.ts';
import type { TuningFormat } from '../text/tuning-rows.ts';
import { withEncoding } from './row-encoding.ts';

/** How a training file is checked. */
export interface CheckTuningFileOptions {
  /** What its rows have to be; left out, what the first one is. */
  readonly formats?: readonly TuningFormat[];
  /** The model that is tuned: what its chat template refuses and rows that spell its control tokens are faults, too. */
  readonly model?: string;
  /** Chat template instead of the model's own: a file, or a name. */
  readonly chatTemplate?: string;
  /** Stops the reading: then it rejects with NomoatError (interrupted). */
  readonly signal?: AbortSignal;
}

/**
 * Checks a training file (JSONL) as OpenAI's platform did before a job: what is wrong with its rows is in the result,
 * with the lines. Rejects with NomoatError where it cannot be read, and where the model is not found or has no chat
 * template that conversations need.
 */
export async function checkTuningFile(path: string, options: CheckTuningFileOptions = {}): Promise<TuningFileCheck> {
  const { chatTemplate, formats, model, signal } = options;
  const limits = { ...(formats ? { formats } : {}), ...(signal ? { signal } : {}) };
  if (model === undefined) return await checkTuningLines(path, limits);
  return await withEncoding({ model, chatTemplate }, (encoding) => checkTuningLines(path, { ...limits, encoding }));
}
