/** Test data as questions with their answers, and whether a run was trained on them. */
import { existsSync } from 'node:fs';
import { readExamples } from '../dataset/dataset-files.ts';
import { questionOf } from '../dataset/questions.ts';
import { NomoatError } from '../errors.ts';
import { type TestQuestion, type TestSet, testSetOf } from '../evaluate/test-set.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { listOf } from '../library.ts';
import { RunFolder } from '../run/run-folder.ts';
import { isRun } from '../settings/load.ts';
import type { Example, Message } from '../text/example.ts';

/** Which data, and how it is read. */
export interface TestDataOptions {
  readonly data: string | readonly string[];
  readonly limit?: number | null;
  readonly promptColumn?: string | null;
  readonly completionColumn?: string | null;
}

const invalid = (part: string, fault: string, remedy: string): NomoatError =>
  new NomoatError({ code: 'unusable-data', part, fault, remedy });

/** The questions of test data; `modelPath` says how a prompt with markup is to be taken. Rejects with NomoatError where there is none. */
export async function readTest(
  { completionColumn = null, data, limit = null, promptColumn = null }: TestDataOptions,
  modelPath: string,
): Promise<TestSet> {
  const paths = listOf(data);
  const { train } = await readExamples(paths, { format: 'auto', promptColumn, completionColumn, textColumn: null });
  const model = openGguf(modelPath);
  try {
    const asked = train.map((example) => questionOf(example, model));
    const questions = asked.flatMap((question): TestQuestion[] => {
      if (question === null || 'beginning' in question || question.expected.trim() === '') return [];
      const { expected } = question;
      return [{ ask: 'messages' in question ? { messages: question.messages } : { prompt: question.prompt }, expected }]; // biome-ignore format: one line
    });
    if (questions.length === 0)
      throw invalid(paths.join(', '), 'has no example with an answer to compare with', 'Give prompts with completions, or conversations that end in an answer.'); // biome-ignore format: one line
    const taken = limit === null ? questions : questions.slice(0, limit);
    return testSetOf(taken, train.length - questions.length);
  } finally {
    model.close();
  }
}

const userTexts = (messages: readonly Message[]): string =>
  JSON.stringify(messages.filter(({ role }) => role === 'user').map(({ content }) => content));

const askedIn = (example: Example): string | null =>
  example.kind === 'chat'
    ? userTexts(example.messages)
    : example.kind === 'completion'
      ? JSON.stringify([example.prompt])
      : null;

/** How many of the questions a run was trained on, where its data is there still. */
export async function trainedOn(name: string, { questions }: TestSet): Promise<number> {
  if (!isRun(name)) return 0;
  const { settings } = new RunFolder(name).read();
  if (settings.method === 'pretrain' || !settings.data.every((path) => existsSync(path))) return 0;
  const { train } = await readExamples(settings.data, settings);
  const seen = new Set(train.map(askedIn));
  return questions.filter(({ ask }) => seen.has('prompt' in ask ? JSON.stringify([ask.prompt]) : userTexts(ask.messages))).length; // biome-ignore format: one line
}
