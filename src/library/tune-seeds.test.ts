import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { evaluate } from './evaluate.ts';
import { resumeTuneSeeds, tuneSeeds } from './tune-seeds.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-seeds-'));
beforeAll(() => void vi.stubEnv('NOMOAT_HOME', join(folder, 'home')));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const data = join(folder, 'pairs.jsonl');
writeFileSync(
  data,
  Array.from(
    { length: 24 },
    (_, i) => `${JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' })}\n`,
  ).join(''),
);
const losses = (run: string): string[] =>
  readFileSync(join(run, 'events.jsonl'), 'utf8').match(/"type":"step-end"[^\n]*?"loss":[^,]*/g)!;

test('repeats differ by their seed alone, go on where they were stopped, and are evaluated together', async () => {
  const run = join(folder, 'repeats');
  const begun: number[] = [];
  const abort = new AbortController();
  const options = { data, model, run, maxSteps: 2, threads: 1, seed: 5, seeds: 2 };
  const onEvent = ({ type }: { type: string }, { seed }: { seed: number }): void => {
    if (type === 'data-ready') begun.push(seed);
    // Between the first and the second, which has begun then.
    if (type === 'data-ready' && seed === 6) abort.abort();
  };
  await expect(tuneSeeds({ ...options, onEvent, signal: abort.signal })).rejects.toMatchObject({ kind: 'interrupted' });
  expect(begun).toEqual([5, 6]);
  const { runs } = await resumeTuneSeeds(run, { onEvent });
  expect(runs.map(({ seed }) => seed)).toEqual([5, 6]);
  // The first was not trained again.
  expect(begun.filter((seed) => seed === 5)).toHaveLength(1);
  const [first, second] = runs.map(
    (each) =>
      JSON.parse(readFileSync(join(each.run, 'run.json'), 'utf8')) as {
        state: string;
        settings: Record<string, unknown>;
      },
  );
  expect([first!.state, second!.state]).toEqual(['done', 'done']);
  const same = ({ run: _, seed: __, ...settings }: Record<string, unknown>) => settings;
  expect(same(second!.settings)).toEqual(same(first!.settings));
  expect(losses(runs[0]!.run)).not.toEqual(losses(runs[1]!.run));
  // All done: nothing is left to do.
  expect((await resumeTuneSeeds(run)).runs).toEqual(runs);

  const { comparisons, findings, models } = await evaluate({ model: run, data, maxTokens: 2, metric: 'exact' });
  expect(models.map(({ name, results }) => [name, results[0]!.seeds?.means.length])).toEqual([
    ['repeats', 2],
    ['base', undefined],
  ]);
  expect(comparisons.map(({ test: made }) => made)).toEqual(['seeds', 'seeds', 'seeds']);
  expect(findings.trainedOn).toBe(24);
  const drawn = await evaluate({ model: run, data, maxTokens: 2, metric: 'exact', samples: 2, limit: 4 });
  expect(drawn.models[0]!.results[0]!.seeds).toMatchObject({
    draws: 2,
    means: [expect.any(Number), expect.any(Number)],
  });
  const macro = await evaluate({ model: run, data, maxTokens: 2, metric: 'macro-f1' });
  expect(macro.models[0]!.results[0]!.seeds!.scores[0]).toHaveLength(24);
});

test('what cannot begin leaves nothing behind', async () => {
  const run = join(folder, 'none');
  await expect(tuneSeeds({ data, model, run, seeds: 0 })).rejects.toMatchObject({ part: '`seeds`' });
  await expect(tuneSeeds({ data, model, run, maxSteps: 1, seeds: 2, confirm: () => false })).rejects.toMatchObject({
    kind: 'interrupted',
  });
  expect(existsSync(run)).toBe(false);
  await expect(resumeTuneSeeds(run)).rejects.toMatchObject({ code: 'run-not-found' });
});
