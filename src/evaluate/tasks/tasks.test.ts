/** Prompts and scores of standard tasks, held against lm-evaluation-harness: bench/oracles/make_task_cases.py wrote the fixture. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { TaskName } from '../../settings/task-names.ts';
import { cutAt } from './answer-until.ts';
import { withShots } from './prompts.ts';
import { readTaskData } from './read-task.ts';
import { scoreTask } from './score-task.ts';
import { taskOf } from './table.ts';
import type { TaskDocument } from './task.ts';

const fixtures = join(import.meta.dirname, '../../../test/fixtures/tasks');
interface Result {
  readonly doc: number;
  readonly logs?: readonly number[];
  readonly answer?: string;
  readonly scores: Readonly<Record<string, number>>;
}
interface Case {
  readonly task: string;
  readonly shots: number;
  readonly requests: readonly (readonly [string, string | null][])[];
  readonly results: readonly Result[];
}
const cases = JSON.parse(readFileSync(join(fixtures, 'cases.json'), 'utf8')) as Record<TaskName, Case[]>;
const folder = mkdtempSync(join(tmpdir(), 'nomoat-tasks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As the harness has them; of TruthfulQA, whose two tasks are one here, the part of each. */
function requestsOf({ question }: TaskDocument, of: string): [string, string | null][] {
  if (question.kind === 'text') return [[question.prompt, null]];
  const all = question.options.map(({ continuation, prompt }): [string, string] => [prompt, continuation]);
  return of === 'truthfulqa_mc1'
    ? all.slice(0, question.among)
    : of === 'truthfulqa_mc2'
      ? all.slice(question.among)
      : all;
}

describe.each(Object.keys(cases) as TaskName[])('%s', (name) => {
  const task = taskOf(name);

  test.each(cases[name])(
    'asks what the harness asks: $task with $shots examples',
    async ({ requests, shots, task: of }) => {
      const documents = withShots(task, await readTaskData([join(fixtures, name)], task, shots), shots);
      expect(documents.map((document) => requestsOf(document, of))).toEqual(requests);
    },
  );

  test('scores as the harness scores', async () => {
    const { asked } = await readTaskData([join(fixtures, name)], task, 0);
    for (const { results, task: of } of cases[name])
      for (const { answer, doc, logs = [], scores } of results) {
        const { question } = asked[doc]!;
        const before =
          of === 'truthfulqa_mc2' && question.kind === 'choice' ? new Array<number>(question.among!).fill(-1) : [];
        const own =
          question.kind === 'text'
            ? await question.score(answer!)
            : question.score([...before, ...logs, ...(of === 'truthfulqa_mc1' ? [-1] : [])]);
        const wanted = of.startsWith('truthfulqa_') ? { [of.slice('truthfulqa_'.length)]: scores['acc']! } : scores;
        for (const [metric, score] of Object.entries(wanted))
          expect(own[metric], `${of} ${doc} ${answer ?? ''} ${metric}`).toBeCloseTo(score, 10);
      }
  });
});

// What stands in a row is as its task has it.
// biome-ignore lint/suspicious/noExplicitAny: rows of seven layouts
type Row = Record<string, any>;
/** Files of their authors, which the hub's rows were made from. */
const layouts: readonly [TaskName, string, (rows: Row[]) => Record<string, string>][] = [
  ['arc_easy', 'test', (rows) => ({ 'ARC-Easy-Test.jsonl': lines(rows.map(({ answerKey, choices, question }) => ({ question: { stem: question, choices: choices.text.map((text: string, i: number) => ({ text, label: choices.label[i] })) }, answerKey }))) })],
  ['hellaswag', 'validation', (rows) => ({ 'hellaswag_val.jsonl': lines(rows.map((row) => ({ ...row, label: Number(row['label']) }))) })],
  ['piqa', 'validation', (rows) => ({ 'valid.jsonl': lines(rows.map(({ label, ...row }) => row)), 'valid-labels.lst': rows.map(({ label }) => `${label}\n`).join('') })],
  ['winogrande', 'validation', (rows) => ({ 'dev.jsonl': lines(rows) })],
  ['mmlu', 'test', (rows) => ({ 'abstract_algebra_test.csv': rows.map(({ answer, choices, question }) => `${[question, ...(choices as string[]), 'ABCD'[answer]].map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(',')}\n`).join('') })],
  ['truthfulqa', 'validation', (rows) => ({ 'mc_task.json': JSON.stringify(rows.map((row) => ({ question: row['question'], mc1_targets: mapped(row['mc1_targets']), mc2_targets: mapped(row['mc2_targets']) }))) })],
]; // biome-ignore format: a table
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const mapped = ({ choices, labels }: { choices: string[]; labels: number[] }) =>
  Object.fromEntries(choices.map((choice, i) => [choice, labels[i]]));

test.each(layouts)('%s as its authors publish it is the same', async (name, part, written) => {
  const rows = readFileSync(join(fixtures, name, `${part}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  for (const [file, content] of Object.entries(written(rows))) writeFileSync(join(place, file), content);
  const task = taskOf(name);
  const [own, hub] = await Promise.all(
    [place, join(fixtures, name)].map(async (path) => withShots(task, await readTaskData([path], task, 0), 0)),
  );
  expect(own!.map((each) => [requestsOf(each, name), each.question.kind === 'choice' && each.question.right])).toEqual(
    hub!.map((each) => [requestsOf(each, name), each.question.kind === 'choice' && each.question.right]),
  );
});

describe('files', () => {
  const gsm8k = taskOf('gsm8k');

  test('of the part that is asked; those named for it alone win, and others are no examples', async () => {
    const place = join(folder, 'gsm8k');
    mkdirSync(place);
    const row = (question: string) => ({ question, answer: '#### 1' });
    for (const [file, question] of [
      ['test', 'asked'],
      ['test_socratic', 'other'],
      ['train', 'example'],
      ['train_socratic', 'other'],
    ])
      writeFileSync(join(place, `${file}.jsonl`), lines([row(question!)]));
    const { asked, shots } = await readTaskData([place], gsm8k, 1);
    expect([asked, shots].map((all) => all.map(({ shot }) => shot))).toEqual([
      ['Question: asked\nAnswer: #### 1'],
      ['Question: example\nAnswer: #### 1'],
    ]);
    expect(() => withShots(gsm8k, { asked, shots, areShared: false }, 2)).toThrow(
      /has 1 examples for its prompts, not 2/,
    );
  });

  test('of something else are refused, and so are records of something else and a missing file', async () => {
    const other = join(folder, 'other.jsonl');
    writeFileSync(
      other,
      lines([
        { question: 'q', answer: '#### 1' },
        { prompt: 'p', completion: 'c' },
      ]),
    );
    await expect(readTaskData([other], gsm8k, 0)).rejects.toThrow(
      /holds 1 records that are none of gsm8k.*published as openai\/grade-school-math/,
    );
    await expect(readTaskData([other], taskOf('piqa'), 0)).rejects.toThrow(/holds no record of piqa/);
    await expect(readTaskData([join(folder, 'none.jsonl')], gsm8k, 0)).rejects.toThrow(/does not exist/);
  });
});

test('an answer ends before the first of what ends it', () => {
  expect(cutAt(' 5\nQuestion: and</s> more', ['</s>', 'Question:'])).toBe(' 5\n');
});

test('what does not fit the context is an error, never a wrong answer', async () => {
  const task = taskOf('piqa');
  const { asked } = await readTaskData([join(fixtures, 'piqa')], task, 0);
  const score = { logProbability: -1, logProbabilities: [-1], mostLikely: false };
  const asker = (fits: boolean) => ({
    score: (rows: readonly unknown[]) =>
      Promise.resolve(rows.map((_, i) => (fits || i > 2 ? { ...score, logProbability: -i } : null))),
    answer: () => Promise.resolve([]),
  });
  const { answers, given } = await scoreTask(task, asked, asker(true));
  // The first is likelier each time.
  expect(given![0]!.scores['acc']).toEqual(asked.map((_, i) => Number(i % 2 === 0)));
  expect(answers).toHaveLength(asked.length);
  await expect(scoreTask(task, asked, asker(false))).rejects.toThrow(/3 prompts that do not fit the context/);
});
