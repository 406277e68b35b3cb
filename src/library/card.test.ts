/** A run's card: what it says without an evaluation, with one, and what it refuses. The hub's own reader: bench/oracles/check_outputs.py. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { labelEvaluation } from '../../test/made-reports.ts';
import { card, tune } from '../index.ts';
import { RunFolder } from '../run/run-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-card-'));
vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
const run = join(folder, 'run');
const evaluation = join(folder, 'evaluation.json');
beforeAll(async () => {
  const data = join(folder, 'train.jsonl');
  writeFileSync(
    data,
    Array.from({ length: 8 }, (_, i) =>
      JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' }),
    ).join('\n'),
  );
  const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
  await tune({ data, model, run, maxSteps: 2, validation: 0.25, verdictShare: 0, threads: 1 }).result;
  const found = await labelEvaluation();
  const doubt = { code: 'x', severity: 'warning', sentence: 'a <b> | c\n---\nlicense: mit', figures: {} };
  writeFileSync(evaluation, JSON.stringify({ ...found, doubts: [...found.doubts, doubt] }));
}, 60_000);
const frontMatter = (readme: string): Record<string, unknown> =>
  parse(/^---\n([\s\S]*?)\n---\n/.exec(readme)![1]!) as Record<string, unknown>;

test('with an evaluation: results that the hub reads, marked as self-reported, and doubts before them', () => {
  const out = join(folder, 'out');
  const given = {
    evaluation,
    out,
    title: 'Banking',
    baseModel: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    license: 'apache-2.0',
    language: ['en'],
    trainingData: ['PolyAI/banking77'],
    testData: 'PolyAI/banking77',
    split: 'test',
  };
  const { evalResults, files, readme, warnings } = card(run, given);
  expect(warnings[0]).toMatch(/2 of the 200 test examples were trained on/);
  expect(readme.indexOf('2 of the 200 test examples were trained on')).toBeLessThan(readme.indexOf('## Evaluation'));
  const fields = frontMatter(readme);
  expect(fields).toMatchObject({
    base_model: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    base_model_relation: 'adapter',
    license: 'apache-2.0',
    language: ['en'],
    datasets: ['PolyAI/banking77'],
    library_name: 'peft',
    pipeline_tag: 'text-generation',
  });
  expect(fields['model-index']).toEqual([
    {
      name: 'Banking',
      results: [
        {
          task: { type: 'text-generation' },
          dataset: { name: 'PolyAI/banking77', type: 'PolyAI/banking77', split: 'test' },
          metrics: [
            {
              type: 'exact_match',
              name: expect.stringMatching(/^exact \(95% interval 0\.76\d to 0\.86\d\)$/),
              value: 0.82,
              verified: false,
            },
          ],
        },
      ],
    },
  ]);
  expect(readme).toContain('a \\<b\\> \\| c --- license: mit');
  expect(readme).toMatch(/\| SmolLM2-135M-Instruct \| exact \| 0\.035 \|/);
  expect(parse(evalResults!)).toEqual([
    {
      dataset: { id: 'PolyAI/banking77', task_id: 'default', split: 'test' },
      value: 0.82,
      date: expect.stringMatching(/^20\d\d-\d\d-\d\d$/),
      notes: expect.stringContaining('self-reported'),
    },
  ]);
  expect(files).toEqual([join(out, 'README.md'), join(out, '.eval_results/banking77.yaml')]);
  expect(readFileSync(files[0]!, 'utf8')).toBe(readme);
  expect(() => card(run, given)).toThrow('exists already');
});

test('without one it says that nobody evaluated it, and states no result; a failed proof stands first', () => {
  const { evalResults, files, readme, warnings } = card(run);
  expect([evalResults, files]).toEqual([null, []]);
  // 6 x parameters x tokens of both steps, far below any threshold.
  const events = new RunFolder(run).events();
  const tokens = events.reduce((sum, event) => sum + (event.type === 'step-end' ? event.tokens : 0), 0);
  const start = events.find((event) => event.type === 'run-start')!;
  const operations = 6 * (start.type === 'run-start' ? start.parameters : 0) * tokens;
  expect(readme).toContain(`about ${operations.toExponential(1).replace('e+', ' x 10^')} floating-point operations`);
  expect(readme).toMatch(/below a third of that threshold \(3\.3 x 10\^22\)\. This is no legal advice\./);
  expect(readme).toContain('Whoever made it has not said what it is for');
  expect(card(run, { intendedUse: 'Sorting letters to a bank.' }).readme).toContain(
    'Sorting letters to a bank. Tell people that they talk to a machine.',
  );
  expect(warnings).toEqual(['Nobody has evaluated this adapter: whether it does what it was trained for is unknown.']);
  expect(frontMatter(readme)).not.toHaveProperty('model-index');
  expect(readme).not.toContain('## Evaluation');
  expect(readme).toMatch(/\| validation loss \(nats per supervised token\) \| \d/);
  expect(readme).not.toContain(folder);
  const path = join(run, 'run.json');
  const record = readFileSync(path, 'utf8');
  writeFileSync(path, record.replace('"state": "done"', '"state": "proof-failed", "verdict": "llama.cpp disagrees"'));
  expect(card(run).warnings[0]).toContain('llama.cpp disagrees');
  writeFileSync(path, record);
});

test('of a run that trained every weight it is the card of a model', async () => {
  const data = join(folder, 'train.jsonl');
  const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
  const full = join(folder, 'full');
  await tune({ data, model, run: full, method: 'full', maxSteps: 1, verdictShare: 0, threads: 1 }).result;
  const tuned = card(full, { license: 'apache-2.0' });
  expect(tuned.warnings[0]).toBe(
    'Nobody has evaluated this model: whether it does what it was trained for is unknown.',
  );
  expect(tuned.readme).toContain('# base, every weight tuned');
  expect(tuned.readme).toMatch(/\| steps \| 1 \|/);
  expect(frontMatter(tuned.readme)).toMatchObject({ library_name: 'gguf', license: 'apache-2.0' });
  expect(frontMatter(card(full, { baseModel: 'org/name' }).readme)).toMatchObject({ base_model: 'org/name' });
}, 120_000);

test('what is no evaluation, no id and no run with an adapter is refused', () => {
  const wrong = join(folder, 'wrong.json');
  writeFileSync(wrong, '{"examples": 3}');
  expect(() => card(run, { evaluation: wrong })).toThrow(/is no evaluation \(models/);
  expect(() => card(run, { testData: 'banking' })).toThrow('banking is no id of the hub');
  expect(() => card(join(folder, 'nowhere'))).toThrow('there is no such run');
  expect(existsSync(join(folder, 'README.md'))).toBe(false);
});
