/** What a merged adapter holds likely of test data, beside those that it was made of and the base. */

import { NomoatError } from '../errors.ts';
import { rowOf } from '../evaluate/likelihood/label-choices.ts';
import { type ExampleLoss, type LossReport, lossReport } from '../evaluate/likelihood/loss.ts';
import type { TestQuestion, TestSet } from '../evaluate/test-set.ts';
import { openModel } from '../library.ts';

/** Rows at once: each sequence holds a whole context. */
const sideBySide = 4;

/** Whose losses. */
export interface MeasuredModel {
  readonly name: string;
  readonly model: string;
  readonly adapter: string | null;
}

async function lossesOf(
  questions: readonly TestQuestion[],
  { adapter, model, name }: MeasuredModel,
  signal: AbortSignal | undefined,
): Promise<ExampleLoss[]> {
  // biome-ignore format: one line
  await using opened = await openModel({ model, sequences: sideBySide, ...(adapter === null ? {} : { adapter }), ...(signal ? { signal } : {}) }); // biome-ignore format: one line
  const scores = await opened.scoreRows(questions.map((question) => rowOf(question, question.expected)), signal ? { signal } : {}); // biome-ignore format: one line
  return scores.map((score, i) => {
    if (score === null) throw new NomoatError({ code: 'unusable-data', part: name, fault: `has no room for example ${i + 1} in its context`, remedy: 'Leave the example out, or shorten it.' }); // biome-ignore format: one line
    return { nats: -score.logProbability, tokens: score.logProbabilities.length, bytes: Buffer.byteLength(questions[i]!.expected) }; // biome-ignore format: one line
  });
}

/** The first model's losses compared with every other's, on the same examples. Rejects with NomoatError. */
export async function mergeLosses(
  test: TestSet,
  models: readonly MeasuredModel[],
  signal: AbortSignal | undefined,
): Promise<LossReport> {
  // biome-ignore format: one line
  const measured: { name: string; losses: ExampleLoss[] }[] = [];
  for (const each of models) measured.push({ name: each.name, losses: await lossesOf(test.questions, each, signal) });
  return lossReport(measured, test)!;
}
