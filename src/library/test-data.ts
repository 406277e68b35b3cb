/** Test data, and what a run was trained on, as questions with their answers. */
import { existsSync } from 'node:fs';
import { readExamples } from '../dataset/dataset-files.ts';
import { learntExamples } from '../dataset/divide.ts';
import { questionOf } from '../dataset/questions.ts';
import { NomoatError } from '../errors.ts';
import { type TestQuestion, type TestSet, testSetOf } from '../evaluate/test-set.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { listOf } from '../library.ts';
import { RunFolder } from '../run/run-folder.ts';
import { isRun } from '../settings/load.ts';
import type { Example } from '../text/example.ts';

/** Which data, and how it is read. */
export interface TestDataOptions {
  readonly data: string | readonly string[];
  readonly limit?: number | null;
  readonly promptColumn?: string | null;
  readonly completionColumn?: string | null;
}

const invalid = (part: string, fault: string, remedy: string): NomoatError =>
  new NomoatError({ code: 'unusable-data', part, fault, remedy });

/** Examples that end in an answer, as questions. */
const askedIn = (examples: readonly Example[], model: GgufFile): TestQuestion[] =>
  examples.flatMap((example): TestQuestion[] => {
    const question = questionOf(example, model);
    if (question === null || 'beginning' in question || question.expected.trim() === '') return [];
    const { expected } = question;
    return [{ ask: 'messages' in question ? { messages: question.messages } : { prompt: question.prompt }, expected }];
  });

/** The questions of test data; `modelPath` says how a prompt with markup is to be taken. Rejects with NomoatError where there is none. */
export async function readTest(
  { completionColumn = null, data, limit = null, promptColumn = null }: TestDataOptions,
  modelPath: string,
): Promise<TestSet> {
  const paths = listOf(data);
  const { train } = await readExamples(paths, { format: 'auto', promptColumn, completionColumn, textColumn: null });
  const model = openGguf(modelPath);
  try {
    const questions = askedIn(train, model);
    if (questions.length === 0)
      throw invalid(paths.join(', '), 'has no example with an answer to compare with', 'Give prompts with completions, or conversations that end in an answer.'); // biome-ignore format: one line
    const taken = limit === null ? questions : questions.slice(0, limit);
    return testSetOf(taken, train.length - questions.length);
  } finally {
    model.close();
  }
}

/** What the run at `name` was trained on, as questions; null where it is no fine-tuning run, or its data is not there any more. */
export async function learntQuestions(name: string): Promise<readonly TestQuestion[] | null> {
  if (!isRun(name)) return null;
  const { settings } = new RunFolder(name).read();
  if (settings.method === 'pretrain' || ![...settings.data, settings.modelPath].every((path) => existsSync(path))) return null; // biome-ignore format: one line
  const model = openGguf(settings.modelPath);
  try {
    return askedIn(await learntExamples(settings), model);
  } finally {
    model.close();
  }
}
