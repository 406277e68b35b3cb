/** What an evaluation looks into where it is asked to. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { evaluate, tune } from '../index.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-costly-'));
const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const [data, held, run] = ['train.jsonl', 'test.jsonl', 'run'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
beforeAll(async () => {
  vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
  const rows = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, i) =>
      JSON.stringify({ prompt: `Is ${from + i} odd?`, completion: (from + i) % 2 ? 'odd' : 'even' }),
    ).join('\n');
  writeFileSync(data, rows(0, 30));
  writeFileSync(held, rows(30, 52));
  await tune({ data, model, run, maxSteps: 2, threads: 1, safetyShare: 0 }).result;
}, 120_000);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test('examples in the prompt of the base are a baseline, and other wordings a finding', async () => {
  const given = { model: run, data: held, maxTokens: 3, threads: 1 };
  const plain = await evaluate(given);
  expect(plain.baselines.map(({ kind }) => kind)).toEqual(['majority', 'nearest']);
  expect(plain.findings).not.toHaveProperty('sensitivity');
  const { baselines, comparisons, findings } = await evaluate({ ...given, shots: 2, reworded: true });
  expect(baselines[2]).toMatchObject({ kind: 'few-shot', name: 'the base base with 2 examples in the prompt' });
  expect(baselines[2]!.answers).toHaveLength(22);
  expect(comparisons.some(({ second }) => second === baselines[2]!.name)).toBe(true);
  expect(findings.sensitivity).toMatchObject({ examples: 22, score: plain.models[0]!.results[0]!.score });
  expect(findings.sensitivity!.rewordings).toHaveLength(5);
}, 120_000);

test('what was forgotten and what is known by heart is measured beside the base', async () => {
  const canaries = join(folder, 'canaries.txt');
  writeFileSync(canaries, 'the pin of my card is 4711\n\n');
  const { findings } = await evaluate({
    model: run,
    data: held,
    maxTokens: 2,
    threads: 1,
    forgetting: true,
    memorisation: true,
    canaries,
  });
  const { forgetting, memorisation } = findings;
  expect(forgetting).toMatchObject({ texts: 12, questions: 24 });
  expect(forgetting!.before.loss).toBeGreaterThan(0);
  expect(forgetting!.after.loss).not.toBe(forgetting!.before.loss);
  expect(memorisation).toMatchObject({ examples: { learnt: 30, heldOut: 22 }, canaries: [{ among: 64 }] });
  expect(memorisation!.separation).toBeGreaterThan(0);
  // Of the prompts themselves, whose loss was not trained: nothing tells them apart beyond what their numbers do.
  expect(memorisation!.prompts).toMatchObject({ examples: { learnt: 30, heldOut: 22 } });
  expect(memorisation!.prompts!.separation).not.toBe(memorisation!.separation);
  await expect(evaluate({ model, data: held, maxTokens: 2, threads: 1, forgetting: true })).rejects.toMatchObject({
    part: '`forgetting`',
  });
}, 120_000);

test('without training data there are no examples to show', async () => {
  const asked = evaluate({ model, data: held, maxTokens: 2, shots: 3, threads: 1 });
  await expect(asked).rejects.toMatchObject({ code: 'invalid-settings', part: '`shots`' });
}, 60_000);
