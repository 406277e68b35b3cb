/** Test data, and what a run was trained on, as questions with their answers. */
import { existsSync } from 'node:fs';
import { readExamples } from '../dataset/dataset-files.ts';
import { heldOutExamples, learntExamples } from '../dataset/divide.ts';
import { questionOf, testQuestion } from '../dataset/questions.ts';
import { NomoatError } from '../errors.ts';
import { byConversation, byTemplate, clusterKinds } from '../evaluate/group-examples.ts';
import { type Clusters, type TestQuestion, type TestSet, testSetOf } from '../evaluate/test-set.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { listOf } from '../library.ts';
import { RunFolder } from '../run/run-folder.ts';
import { isRun } from '../settings/load.ts';
import { parseModelStack } from '../store/stack.ts';
import type { Example } from '../text/example.ts';

/** Which data, and how it is read. */
export interface TestDataOptions {
  readonly data: string | readonly string[];
  readonly limit?: number | null;
  readonly promptColumn?: string | null;
  readonly completionColumn?: string | null;
  /** See `EvaluateOptions`. */
  readonly cluster?: string | null;
}

const invalid = (part: string, fault: string, remedy: string): NomoatError =>
  new NomoatError({ code: 'unusable-data', part, fault, remedy });

/** An example that ends in an answer, as a question; null for others. */
const askedIn = (example: Example, model: GgufFile): TestQuestion | null => testQuestion(questionOf(example, model));

/** Which examples belong together: by a column, by what they are, or, where nobody says, by their conversation. Throws NomoatError where no example has the column. */
function clustersOf(
  questions: readonly TestQuestion[],
  kept: readonly (string | undefined)[],
  { cluster = null, data }: TestDataOptions,
): Clusters | null {
  const missing = kept.filter((name) => name === undefined).length;
  // An example without a name of its own is one by itself.
  if (cluster !== null && missing < kept.length)
    return { by: `the column "${cluster}"`, names: kept.map((name, i) => name ?? `${i}, which has none`) };
  if (cluster === null || cluster === 'conversation') return byConversation(questions);
  if (cluster === 'template') return byTemplate(questions);
  if (cluster === 'none') return null;
  throw invalid(
    listOf(data).join(', '),
    `has no column "${cluster}" (\`cluster\`)`,
    `Give a column of the data, or one of ${clusterKinds.join(', ')}.`,
  );
}

/** The questions of test data; `modelPath` says how a prompt with markup is to be taken. Rejects with NomoatError where there is none. */
export async function readTest(options: TestDataOptions, modelPath: string): Promise<TestSet> {
  const { cluster = null, completionColumn = null, data, limit = null, promptColumn = null } = options;
  const paths = listOf(data);
  const columns = { promptColumn, completionColumn, textColumn: null, keptColumn: cluster };
  const { train } = await readExamples(paths, { format: 'auto', ...columns });
  const model = openGguf(modelPath);
  try {
    const asked = train.flatMap((example) => {
      const question = askedIn(example, model);
      return question ? [{ question, kept: example.kept }] : [];
    });
    if (asked.length === 0)
      throw invalid(
        paths.join(', '),
        'has no example with an answer to compare with',
        'Give prompts with completions, or conversations that end in an answer.',
      );
    const taken = limit === null ? asked : asked.slice(0, limit);
    const questions = taken.map(({ question }) => question);
    const clusters = clustersOf(
      questions,
      taken.map(({ kept }) => kept),
      options,
    );
    return testSetOf(questions, { skipped: train.length - asked.length, clusters });
  } finally {
    model.close();
  }
}

/** What a run held out, as questions. Rejects with NomoatError where that is nothing, or where its data is not there any more. */
export async function heldOutQuestions(name: string, limit: number): Promise<readonly TestQuestion[]> {
  const { settings } = new RunFolder(name).read();
  const model = openGguf(settings.modelPath);
  try {
    const asked = (await heldOutExamples(settings)).flatMap((example) => askedIn(example, model) ?? []);
    if (asked.length > 0) return asked.slice(0, limit);
    throw invalid(name, 'held out no example with an answer', 'Give `data`: examples that it has not learnt.');
  } finally {
    model.close();
  }
}

/** What a run was trained on, of a stack all of its runs, as questions; null where there is no fine-tuning run, or its data is not there any more. */
export async function learntQuestions(name: string): Promise<readonly TestQuestion[] | null> {
  const stack = parseModelStack(name);
  if (stack === null) return learntByRun(name);
  const learnt: TestQuestion[] = [];
  for (const { path } of [stack.first, ...stack.adapters]) learnt.push(...((await learntByRun(path)) ?? []));
  return learnt.length === 0 ? null : learnt;
}

async function learntByRun(name: string): Promise<readonly TestQuestion[] | null> {
  if (!isRun(name)) return null;
  const { settings } = new RunFolder(name).read();
  if (settings.method === 'pretrain' || ![...settings.data, settings.modelPath].every((path) => existsSync(path)))
    return null;
  const model = openGguf(settings.modelPath);
  try {
    return (await learntExamples(settings)).flatMap((example) => askedIn(example, model) ?? []);
  } finally {
    model.close();
  }
}
