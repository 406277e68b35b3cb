/** The safety check at a run's end: there by itself, within its share, in the report, and nothing that a finished run depends on. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { tune } from '../index.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-quick-safety-'));
vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
const data = join(folder, 'train.jsonl');
writeFileSync(
  data,
  Array.from({ length: 24 }, (_, i) =>
    JSON.stringify({ prompt: `is ${i} odd`, completion: i % 2 ? 'yes' : 'no' }),
  ).join('\n'),
);
const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');

test('a run says what it refuses beside its base, in its result and in both languages of its report; a share of 0 turns it off', async () => {
  // Half of the run's time, of a run that takes a few seconds.
  const run = tune({
    data,
    model,
    run: join(folder, 'checked'),
    maxSteps: 40,
    epochs: 40,
    threads: 1,
    safetyShare: 0.5,
    learningRate: 0.01,
  });
  const { report, safety } = await run.result;
  expect(safety!.refusals.map(({ by, kind }) => [kind, by])).toEqual([
    ['harmful', 'likelihood'],
    ['harmless', 'likelihood'],
  ]);
  expect(safety!.refusals[0]!.prompts).toBeGreaterThanOrEqual(10);
  expect(safety!.drift!.divergence).toBeGreaterThan(0);
  const page = readFileSync(report.html, 'utf8');
  for (const said of ['Does it still refuse?', '是否仍会拒绝？']) expect(page).toContain(said);
  const off = tune({ data, model, run: join(folder, 'off'), maxSteps: 1, threads: 1, safetyShare: 0 });
  const kinds: string[] = [];
  for await (const event of off) kinds.push(event.type === 'notice' ? event.code : event.type);
  expect(kinds.filter((kind) => /safety/.test(kind))).toEqual([]);
  expect((await off.result).safety).toBeNull();
}, 120_000);

test('a short run is checked too, on what a comparison needs, and says what that cannot show', async () => {
  const run = tune({ data, model, run: join(folder, 'short'), maxSteps: 1, threads: 1, safetyShare: 1e-9 });
  const { safety, state } = await run.result;
  expect(state).toBe('done');
  expect(safety!.refusals.map(({ kind, prompts }) => [kind, prompts])).toEqual([
    ['harmful', 20],
    ['harmless', 20],
  ]);
  expect(safety!.drift!.prompts).toBe(24);
  expect(safety!.sentences.at(-1)).toMatch(/^These are 40 of 450 requests.*no answer was read.*`check\(\)`/);
}, 60_000);
