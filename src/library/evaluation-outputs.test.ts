/** What an evaluation leaves behind: the report of a model and of a run, and refusals before time is spent. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { evaluate, tune } from '../index.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-outputs-'));
vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
const data = join(folder, 'test.jsonl');
writeFileSync(
  data,
  Array.from({ length: 24 }, (_, i) =>
    JSON.stringify({ prompt: `is ${i} odd or even <b>`, completion: i % 2 ? 'odd' : 'even' }),
  ).join('\n'),
);
const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const given = { data, threads: 1, maxTokens: 3, metric: 'exact' } as const;

test('a model has a report of its evaluation, which names no folder of this machine', async () => {
  const report = join(folder, 'model.html');
  const [saveSamples, inspectLog] = [join(folder, 'samples'), join(folder, 'logs')];
  await evaluate({ ...given, model, report, saveSamples, inspectLog });
  expect(readdirSync(join(saveSamples, 'base')).map((name) => name.split('_')[0])).toEqual(['results', 'samples']);
  expect(readdirSync(inspectLog)).toHaveLength(1);
  const page = readFileSync(report, 'utf8');
  expect(page).toContain('Evaluation of base');
  expect(page).toContain('nomoat eval base.gguf --data test.jsonl --metric exact --max-tokens 3 --threads 1');
  expect(page).toContain('is 0 odd or even &lt;b&gt;');
  expect(page).not.toContain(folder);
}, 60_000);

test('a run has its own report with the evaluation and what its adapter changed in it', async () => {
  const run = tune({
    data,
    model,
    run: join(folder, 'run'),
    maxSteps: 2,
    validation: 0.25,
    threads: 1,
    safetyShare: 0,
  });
  await run.result;
  const own = readFileSync(join(run.folder, 'report.html'), 'utf8');
  expect(own).toContain('How much each layer changed');
  const report = join(folder, 'run.html');
  const { models } = await evaluate({ ...given, model: run.folder, report });
  expect(models).toHaveLength(2);
  const page = readFileSync(report, 'utf8');
  for (const part of [
    'Fine-tuning base',
    'Planned and actual',
    'How much each layer changed',
    'Side by side',
    'recipe.yaml',
  ])
    expect(page).toContain(part);
  expect(page).not.toContain('Nobody evaluated this run yet');
}, 120_000);

test('what stands in the way is said before anybody is asked', async () => {
  const there = join(folder, 'there.html');
  writeFileSync(there, 'mine');
  await expect(evaluate({ ...given, model, report: there })).rejects.toMatchObject({
    code: 'path-exists',
    part: there,
  });
  expect(readFileSync(there, 'utf8')).toBe('mine');
  const nowhere = join(folder, 'no/where.html');
  await expect(evaluate({ ...given, model, report: nowhere })).rejects.toMatchObject({ kind: 'input', part: nowhere });
  expect(existsSync(join(folder, 'no'))).toBe(false);
});
