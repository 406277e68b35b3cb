import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Imported } from '../migrate/imported.ts';
import { chooseLearningRate } from '../settings/defaults-from-data.ts';
import { importOpenAI } from './import-openai.ts';

const root = mkdtempSync(join(tmpdir(), 'nomoat-import-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const base = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');

let folders = 0;
/** A folder with these files. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = join(root, String(++folders));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}
const lines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const one = async (name: string, content: string): Promise<Imported> => {
  const found = await importOpenAI(join(folderWith({ [name]: content }), name));
  expect(found).toHaveLength(1);
  return found[0]!;
};

const question = { role: 'user', content: 'Capital?' };
const answer = { role: 'assistant', content: 'Paris.' };
const chat = { messages: [question, answer] };
const pair = { prompt: 'Capital?', completion: 'Paris.' };
const preference = {
  input: { messages: [question] },
  preferred_output: [answer],
  non_preferred_output: [{ ...answer, content: 'Lyon.' }],
};

test.each<readonly [string, readonly unknown[], string, string]>([
  [
    'chat',
    Array(12).fill(chat),
    'is a data set: 12 examples, conversations as OpenAI, Azure, Together and Fireworks',
    'Jobs take it as it is',
  ],
  [
    'pairs',
    Array(10).fill(pair),
    "prompts and completions, as OpenAI's and Azure's older models and Together take",
    'Jobs take it as it is',
  ],
  [
    'texts',
    Array(10).fill({ text: 'Paris is a city.' }),
    'is a data set of texts, as Together takes them',
    'they refuse it, as OpenAI does. `tune()` reads 10 of its 10 rows.',
  ],
  [
    'preferences',
    Array(10).fill(preference),
    'pairs of answers, as OpenAI, Azure and Together take them',
    'Jobs of the method dpo take it as it is',
  ],
  [
    'weights of questions',
    Array(10).fill({ messages: [{ ...question, weight: 0 }, answer] }),
    'as Fireworks takes them',
    '`tune()` reads 10 of its 10 rows',
  ],
  [
    'thoughts',
    Array(10).fill({ messages: [question, { ...answer, reasoning_content: 'France.' }] }),
    'as Fireworks takes them',
    '`tune()` reads 10 of its 10 rows',
  ],
])('a data set of %s is known by its rows, and what becomes of it is said', async (_, rows, summary, difference) => {
  const found = await one('rows.jsonl', lines(rows));
  expect(found).toMatchObject({ kind: 'data-set', tune: null });
  expect(found.summary).toContain(summary);
  expect(found.differences.join(' ')).toContain(difference);
});

test('faults of a data set have their lines, and those that are not listed are counted', async () => {
  const found = await one('rows.jsonl', lines(Array(200).fill({ messages: [question] })));
  expect(found.faults[0]).toBe('Line 1, key "messages" has no message of the assistant: there is nothing to learn.');
  expect([found.faults.length, found.faultCount]).toEqual([100, 200]);
});

test("a data set is held against the model's template where a model is named", async () => {
  const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
  const calling = { messages: [question, { role: 'assistant', tool_calls: [call] }] };
  const folder = folderWith({ 'rows.jsonl': lines(Array(10).fill(calling)) });
  expect((await importOpenAI(folder))[0]!.faultCount).toBe(0);
  const [found] = await importOpenAI(folder, { model: base });
  expect(found!.faultCount).toBe(10);
  expect(found!.faults[0]).toContain('the template has no place for tool_calls');
});

const job = {
  object: 'fine_tuning.job',
  id: 'ftjob-1',
  model: 'gpt-4o-mini-2024-07-18',
  status: 'succeeded',
  training_file: 'file-abc',
  validation_file: 'file-def',
  seed: 42,
  fine_tuned_model: 'ft:gpt-4o-mini-2024-07-18:org:top ups:9abc',
  hyperparameters: { n_epochs: 2, batch_size: 1, learning_rate_multiplier: 1.8 },
  method: {
    type: 'supervised',
    supervised: { hyperparameters: { n_epochs: 3, batch_size: 'auto', learning_rate_multiplier: 2 } },
  },
};

test("a job becomes tune's options: files that are at hand, the method's own hyperparameters, suffix and seed", async () => {
  const folder = folderWith({ 'job.json': JSON.stringify(job), 'file-abc.jsonl': lines(Array(10).fill(chat)) });
  const found = (await importOpenAI(folder, { model: base })).find(({ kind }) => kind === 'job')!;
  const rate = chooseLearningRate({ architecture: 'llama', method: 'lora', modelWidth: 64 });
  expect(found.summary).toBe('is a fine-tuning job (ftjob-1, succeeded) of gpt-4o-mini-2024-07-18, supervised');
  expect(found.tune).toEqual({
    data: join(folder, 'file-abc.jsonl'),
    validation: 'file-def.jsonl',
    model: base,
    run: 'runs/top-ups',
    seed: 42,
    epochs: 3,
    learningRate: 2 * rate,
  });
  const said = found.differences.join(' ');
  for (const words of [
    'saved as named: file-def.jsonl',
    'Chosen from the data, as auto was: batch size',
    'off on 2027-01-14',
  ])
    expect(said).toContain(words);
});

test.each([
  ['a list of the API', JSON.stringify({ object: 'list', data: [job, job] })],
  ['a list', JSON.stringify([job, job], null, 2)],
])('jobs in %s are all told of', async (_, content) => {
  const found = await importOpenAI(folderWith({ 'jobs.json': content }));
  expect(found.map(({ kind }) => kind)).toEqual(['job', 'job']);
});

test('jobs in lines are all told of, those of an older form too', async () => {
  const { method: _, ...older } = job;
  const found = await importOpenAI(folderWith({ 'jobs.jsonl': lines([older, older, older]) }));
  expect(found.map(({ tune }) => [tune?.epochs, tune?.batchSize])).toEqual(Array(3).fill([2, 1]));
});

test.each([
  [{ method: { type: 'reinforcement' } }, 'The method reinforcement cannot be trained'],
  [{ method: { type: 'dpo', dpo: { hyperparameters: { beta: 3 } } } }, '`method.dpo.hyperparameters.beta`'],
  [
    { method: undefined, hyperparameters: { n_epochs: 99 } },
    '`hyperparameters.n_epochs`: expected auto or a whole number from 1 to 50.',
  ],
  [{ model: 3 }, '`model`: expected string, received number.'],
])('of a job with %j the fault is named', async (more, fault) => {
  const found = await one('job.json', JSON.stringify({ ...job, ...more }));
  expect(found.tune).toBeNull();
  expect(found.faults.join()).toContain(fault);
});

const csv =
  'step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,1.5,0.5,,\n2,0.7,0.6,0.9,0.6\n3,0.4,0.7,1.1,0.5\n';

test.each([
  ['as CSV', csv, 1],
  ['in base64', Buffer.from(csv).toString('base64'), 2],
])('a result file %s gives the course of its losses', async (_, content, differences) => {
  const found = await one('results.csv', content);
  expect(found.summary).toBe(
    'is a result file of a fine-tuning job: 3 steps, training loss 1.5 to 0.4, lowest validation loss 0.9 after step 2',
  );
  expect(found.differences).toHaveLength(differences);
});

test('a cell of a result file that is no number is a fault with its line', async () => {
  const found = await one('results.csv', `${csv}4,oops,,,\n`);
  expect(found.faults).toEqual(['Line 5, column train_loss: oops is no number.']);
});

test('evals of the registry: graders are told apart, and samples are looked for where the registry has them', async () => {
  const yaml =
    'arithmetic:\n  id: arithmetic.dev.v0\narithmetic.dev.v0:\n  class: evals.elsuite.basic.match:Match\n  args:\n    samples_jsonl: arithmetic/samples.jsonl\njudged.dev.v0:\n  class: evals.elsuite.modelgraded.classify:ModelBasedClassify\n  args:\n    samples_jsonl: gone.jsonl\n';
  const sample = { input: [question], ideal: '4' };
  const folder = folderWith({
    'registry/evals/arithmetic.yaml': yaml,
    'registry/data/arithmetic/samples.jsonl': lines([sample, { ...sample, ideal: 4 }]),
  });
  const found = await importOpenAI(folder);
  expect(found.map(({ faults, kind }) => [kind, faults])).toEqual([
    ['eval-samples', ['Line 2 has an ideal that is neither a text nor a list of texts.']],
    ['eval', []],
    ['eval', ['Its samples gone.jsonl are not beside it.']],
  ]);
  expect(found[1]!.differences[0]).toBe('arithmetic.dev.v0 (Match) compares texts and needs no other model.');
  expect(found[2]!.differences[0]).toContain('asks another model to judge');
});

test('evals of the API: a field that its graders name and its items lack is a fault', async () => {
  const check = (field: string) => ({
    type: 'string_check',
    name: 'exact',
    input: '{{ sample.output_text }}',
    operation: 'eq',
    reference: `{{ item.${field} }}`,
  });
  const definition = {
    name: 'capitals',
    data_source_config: { type: 'custom', item_schema: { type: 'object', properties: { ideal: {} } } },
    testing_criteria: [check('ideal'), check('label')],
  };
  const found = await one('eval.json', JSON.stringify(definition));
  expect(found.faults).toEqual(['Its graders name the field label, which its items do not have.']);
  const back = {
    object: 'eval',
    ...definition,
    data_source_config: { type: 'custom', schema: { properties: { item: { properties: { ideal: {}, label: {} } } } } },
  };
  expect((await one('eval.json', JSON.stringify(back))).faults).toEqual([]);
});

test('runs of evals are told of as such', async () => {
  expect(await one('run.json', JSON.stringify({ name: 'r', data_source: { type: 'completions' } }))).toMatchObject({
    kind: 'eval',
    faults: [],
  });
});

test.each<readonly [string, string, string, string]>([
  ['items.jsonl', lines([{ item: { a: 1 } }, { item: 3 }]), 'eval-samples', 'Line 2 has no item that is an object.'],
  [
    'batch.jsonl',
    lines([
      { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: {} },
      { custom_id: 2, body: {} },
    ]),
    'batch-requests',
    'Line 2 lacks custom_id or body.',
  ],
  ['other.json', '{"a": 1}', 'unknown', 'It is of no known format (keys of its first record: a)'],
  ['broken.json', '{"a": ', 'unknown', 'It'],
  ['broken.yaml', 'a: [1', 'unknown', 'is no valid YAML'],
  ['empty.jsonl', '', 'unknown', 'It is empty'],
])('%s is what it is, with its faults', async (name, content, kind, fault) => {
  const found = await one(name, content);
  expect(found.kind).toBe(kind);
  expect(found.faults.join(' ')).toContain(fault);
});

test('checkpoints of a job are told of as a list', async () => {
  const found = await one(
    'checkpoints.json',
    JSON.stringify({ object: 'list', data: [{ object: 'fine_tuning.job.checkpoint' }, {}] }),
  );
  expect(found).toMatchObject({ kind: 'checkpoints', summary: 'lists 2 checkpoints of a fine-tuning job' });
});

test('what does not exist is refused by name', async () => {
  await expect(importOpenAI(join(root, 'gone'))).rejects.toMatchObject({ code: 'data-not-found' });
});
