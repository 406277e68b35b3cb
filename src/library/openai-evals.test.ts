import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { characterRatio, rougeN } from '../evaluate/metrics/overlap.ts';
import { evaluate } from './evaluate.ts';
import { openEvals } from './openai-evals.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-evals-'));
/** What the judge replies to its last message. */
let reply: (content: string, asked: string) => string = () => '';
const limits: number[] = [];
const server = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  request.on('end', () => {
    const { max_tokens: most, messages } = JSON.parse(text) as { max_tokens: number; messages: { content: string }[] };
    limits.push(most);
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ choices: [{ message: { content: reply(messages[0]!.content, messages.at(-1)!.content) } }] }),
    );
  });
});
beforeAll(async () => {
  vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
let files = 0;
const write = (content: string, ending = 'json'): string => {
  const path = join(folder, `${files++}.${ending}`);
  writeFileSync(path, content);
  return path;
};
const lines = (rows: readonly object[]): string =>
  write(rows.map((row) => `${JSON.stringify(row)}\n`).join(''), 'jsonl');
const define = (criteria: readonly object[], more: object = {}): string =>
  write(
    JSON.stringify({ name: 'capitals', data_source_config: { type: 'custom' }, testing_criteria: criteria, ...more }),
  );
const open = (
  evals: readonly string[],
  data: readonly string[] = [],
  judge: Parameters<typeof openEvals>[0]['judge'] = null,
) => openEvals({ evals, data, limit: null, judge });

const check = (operation: string, name = operation) => ({
  type: 'string_check',
  name,
  input: '{{ sample.output_text }}',
  operation,
  reference: '{{ item.ideal }}',
});
const run = {
  data_source: {
    type: 'completions',
    input_messages: {
      type: 'template',
      template: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: { type: 'input_text', text: 'Capital of {{item.country.name}}?' } },
      ],
    },
    source: { type: 'file_content', content: [{ item: { country: { name: 'France' }, ideal: 'Paris' } }] },
    sampling_params: { max_completion_tokens: 7 },
  },
};

describe('what a definition comes to', () => {
  test("an eval and its run: questions of the run's template, graders as metrics", async () => {
    const {
      maxTokens,
      metrics,
      test: questions,
    } = await open([define([check('eq'), check('ne'), check('like'), check('ilike')]), write(JSON.stringify(run))]);
    expect(questions.questions).toMatchObject([
      {
        expected: 'Paris',
        ask: {
          messages: [
            { role: 'system', content: 'Be brief.' },
            { role: 'user', content: 'Capital of France?' },
          ],
        },
      },
    ]);
    expect(maxTokens).toBe(7);
    const scores = (answer: string) => metrics.map((metric) => metric.of(answer, '', questions.questions[0]));
    expect(metrics.map(({ name }) => name)).toEqual(['eq', 'ne', 'like', 'ilike']);
    expect(scores('Paris')).toEqual([1, 0, 1, 1]);
    expect(scores('it is paris')).toEqual([0, 1, 0, 1]);
  });

  test('similarities are those of rouge-score and rapidfuzz, and pass from a threshold on', async () => {
    // rouge_scorer.RougeScorer(['rouge2']) and rapidfuzz.fuzz.ratio say so.
    expect(rougeN('the cat sat on the mat', 'the cat lay on the mat', 2)).toBeCloseTo(0.6, 12);
    expect(rougeN('a b', 'a b', 3)).toBe(0);
    expect(characterRatio('this is a test', 'this is a test!')).toBeCloseTo(0.9655172413793104, 12);
    const alike = (more: object) => ({
      type: 'text_similarity',
      name: 'alike',
      input: '{{sample.output_text}}',
      reference: '{{item.ideal}}',
      evaluation_metric: 'fuzzy_match',
      ...more,
    });
    const { metrics, test: set } = await open(
      [define([alike({}), alike({ pass_threshold: 0.9 })])],
      [lines([{ item: { input: 'Q', ideal: 'this is a test!' } }])],
    );
    expect(metrics.map((metric) => metric.of('this is a test', '', set.questions[0]))).toEqual([28 / 29, 1]);
    expect(metrics.map(({ binary }) => binary)).toEqual([false, true]);
    await expect(open([define([alike({ evaluation_metric: 'meteor' })])])).rejects.toThrow(
      /meteor, which is not computed here.*rouge_l/,
    );
  });

  test("the registry's classes, with samples beside the definition", async () => {
    const samples = lines([{ input: [{ role: 'user', content: '{{ no template }}' }], ideal: ['Paris', 'paris'] }]);
    const registry = (type: string): string =>
      write(
        `caps:\n  id: caps.v0\ncaps.v0:\n  class: evals.elsuite.basic.match:${type}\n  args:\n    samples_jsonl: ${basename(samples)}\n`,
        'yaml',
      );
    for (const [type, answer, score] of [
      ['Match', 'paris, France', 1],
      ['Match', 'It is Paris', 0],
      ['Includes', 'It is Paris', 1],
      ['FuzzyMatch', 'PARIS!', 1],
      ['FuzzyMatch', '', 0],
    ] as const) {
      const { metrics, test: set } = await open([registry(type)]);
      expect(metrics[0]!.of(answer, '', set.questions[0]), `${type} ${answer}`).toBe(score);
      expect(set.questions[0]!.ask).toEqual({ messages: [{ role: 'user', content: '{{ no template }}' }] });
    }
    await expect(open([registry('ModelBasedClassify')])).rejects.toThrow(/code of its own or asks a model/);
  });

  test('code, formulas and graders without their judge are refused with the reason; so is what is not whole', async () => {
    const label = {
      type: 'label_model',
      name: 'tone',
      model: 'gpt-9',
      input: [{ role: 'user', content: '{{sample.output_text}}' }],
      labels: ['good', 'bad'],
      passing_labels: ['good'],
    };
    const data = [lines([{ input: 'Q', ideal: 'A' }])];
    await expect(open([define([{ type: 'python', name: 'mine', source: 'def grade(): ...' }])], data)).rejects.toThrow(
      /mine \(python\), which runs code of its own, which nomoat will not/,
    );
    await expect(open([define([{ type: 'multi', name: 'all' }])], data)).rejects.toThrow(/made of other graders/);
    await expect(open([define([{ type: 'novel', name: 'new' }])], data)).rejects.toThrow(/none that is known/);
    await expect(open([define([label])], data)).rejects.toThrow(/tone \(label_model\), which asks another model/);
    await expect(open([define([{ ...check('eq'), reference: '{{ item.gone }}' }])], data)).rejects.toThrow(
      /names item\.gone, which is not there/,
    );
    await expect(open([define([check('eq')])], [lines([{ question: 'Q', ideal: 'A' }])])).rejects.toThrow(
      /says nothing of what the model is asked/,
    );
    await expect(open([define([check('eq')])])).rejects.toThrow(/has no items/);
    await expect(open([write('{}')])).rejects.toThrow(/is no eval/);
    await expect(open([define([check('eq')]), define([check('eq')])], data)).rejects.toThrow(/has 2 evals/);
    await expect(open([join(folder, 'gone.json')])).rejects.toMatchObject({ code: 'data-not-found' });
  });
});

describe('run', () => {
  const data = () => lines(Array.from({ length: 20 }, (_, i) => ({ item: { input: `Say ${i}`, ideal: String(i) } })));
  const url = (name: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/${name}`;
  const score = {
    type: 'score_model',
    name: 'quality',
    model: 'gpt-9',
    input: [{ role: 'user', content: 'Of {{item.ideal}}: {{sample.output_text}}' }],
    range: [0, 10],
  };
  const label = {
    type: 'label_model',
    name: 'tone',
    model: 'gpt-9',
    input: [{ role: 'user', content: 'Of {{item.ideal}}' }],
    labels: ['good', 'bad'],
    passing_labels: ['good'],
  };
  const options = { model: 'nomoat-mini', maxTokens: 4 };

  test('graders of texts and of models are metrics, the opinion is called one', async () => {
    reply = (content, asked) =>
      asked.includes('labels')
        ? `I thought.\n**${Number(content.slice(3)) % 4 === 0 ? 'Bad' : 'Good'}**.`
        : 'After 3 thoughts: 5';
    const { metrics, models, verdict } = await evaluate({
      ...options,
      evals: [define([check('eq'), label, score])],
      data: data(),
      judge: url('m'),
    });
    expect(metrics.map(({ binary, name }) => [name, binary])).toEqual([
      ['eq', true],
      ['tone, opinion of m', true],
      ['quality, opinion of m', false],
    ]);
    expect(models[0]!.results.map(({ score: found }) => found)).toEqual([0, 0.75, 0.5]);
    expect(verdict.join('\n')).toContain('nomoat-mini');
    expect(Math.min(...limits)).toBeGreaterThan(500);
  });

  test('a judge that answers nonsense is refused, and so is what means nothing beside a definition', async () => {
    reply = () => 'Bananas.';
    await expect(evaluate({ ...options, evals: [define([score])], data: data(), judge: url('n') })).rejects.toThrow(
      /gave no opinion in 5 of 5 replies/,
    );
    const evals = [define([check('eq')])];
    await expect(evaluate({ ...options, evals, data: data(), judge: url('n') })).rejects.toThrow(/asked by no grader/);
    await expect(evaluate({ ...options, evals, data: data(), metric: 'exact' })).rejects.toThrow(
      /`metric`.*is of no use with `evals`/,
    );
  });
});
