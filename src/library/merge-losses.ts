/** What a merged adapter holds likely of test data, beside those that it was made of and the base. */
import { NomoatError } from '../errors.ts';
import { rowOf } from '../evaluate/likelihood/label-choices.ts';
import { type ExampleLoss, type LossReport, lossReport, lossText } from '../evaluate/likelihood/loss.ts';
import type { TestQuestion, TestSet } from '../evaluate/test-set.ts';
import { openModel } from '../library.ts';
import { readTest } from './test-data.ts';

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
  await using opened = await openModel({
    model,
    sequences: sideBySide,
    ...(adapter === null ? {} : { adapter }),
    ...(signal ? { signal } : {}),
  });
  const scores = await opened.scoreRows(
    questions.map((question) => rowOf(question, question.expected)),
    signal ? { signal } : {},
  );
  return scores.map((score, i) => {
    if (score === null)
      throw new NomoatError({
        code: 'unusable-data',
        part: name,
        fault: `has no room for example ${i + 1} in its context`,
        remedy: 'Leave the example out, or shorten it.',
      });
    return {
      nats: -score.logProbability,
      tokens: score.logProbabilities.length,
      bytes: Buffer.byteLength(questions[i]!.expected),
    };
  });
}

/** The first model's losses compared with every other's, on the same examples. Rejects with NomoatError. */
export async function mergeLosses(
  test: TestSet,
  models: readonly MeasuredModel[],
  signal: AbortSignal | undefined,
): Promise<LossReport> {
  const measured: { name: string; losses: ExampleLoss[] }[] = [];
  for (const each of models) measured.push({ name: each.name, losses: await lossesOf(test.questions, each, signal) });
  return lossReport(measured, test)!;
}

/** The losses on some test data. */
export interface MergeLosses extends LossReport {
  readonly data: string;
  /** The comparisons as sentences. */
  readonly verdict: readonly string[];
}

/** Test data with its name. */
export interface NamedTest {
  readonly data: string;
  readonly test: TestSet;
}

/** All of them, before anything is computed. Rejects with NomoatError. */
export async function readTests(files: readonly string[], basePath: string): Promise<NamedTest[]> {
  const all: NamedTest[] = [];
  for (const data of files) all.push({ data, test: await readTest({ data }, basePath) });
  return all;
}

/** On each of the tests, with the comparisons as sentences. */
export async function lossesOn(
  tests: readonly NamedTest[],
  models: readonly MeasuredModel[],
  signal: AbortSignal | undefined,
): Promise<MergeLosses[]> {
  const losses: MergeLosses[] = [];
  for (const { data, test } of tests) {
    const report = await mergeLosses(test, models, signal);
    losses.push({ data, ...report, verdict: report.comparisons.map(lossText) });
  }
  return losses;
}
