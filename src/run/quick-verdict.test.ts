/** The evaluation at a run's end: there where data is held out, within its share, and nothing that a finished run depends on. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import type { RunEvent } from '../events.ts';
import { evaluate, type Run, tune } from '../index.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-verdict-'));
vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
const row = (i: number): string =>
  JSON.stringify({ prompt: `is number ${i} odd or even`, completion: i % 2 ? 'odd' : 'even' });
const rows = (name: string, from: number, to: number): string => {
  const path = join(folder, name);
  writeFileSync(path, Array.from({ length: to - from }, (_, i) => row(from + i)).join('\n'));
  return path;
};
const data = rows('train.jsonl', 0, 40);
// The last one was trained on.
const validation = rows('held-out.jsonl', 39, 64);
const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const started = (name: string, more: object): Run =>
  tune({ data, validation, model, run: join(folder, name), maxSteps: 4, threads: 1, safetyShare: 0, ...more });

async function eventsOf(run: Run, onEvent: (event: RunEvent) => void = () => {}): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run) {
    events.push(event);
    onEvent(event);
  }
  return events;
}

test('held-out examples are asked of the result and of the base, beside those who answer without a model', async () => {
  const run = started('evaluated', { verdictShare: 0.5 });
  const events = await eventsOf(run);
  const { evaluation, folder: path, state } = await run.result;
  expect(state).toBe('done');
  expect(evaluation).toMatchObject({ examples: 25, heldOut: 25, metric: 'exact', trainedOn: 1 });
  expect(evaluation!.scores.map(({ kind }) => kind)).toEqual(['trained', 'base', 'majority', 'nearest']);
  expect(evaluation!.scores[2]).toMatchObject({ score: 13 / 25 });
  expect(evaluation!.comparisons.map((each) => each.with).sort()).toEqual(
    evaluation!.scores
      .slice(1)
      .map(({ name }) => name)
      .sort(),
  );
  expect(evaluation!.sentences.join('\n')).toContain('1 of the 25 test examples were trained on');
  expect(events.at(-2)).toEqual({ type: 'verdict', ...evaluation });
  const { evaluation: whole } = JSON.parse(readFileSync(join(path, 'report.json'), 'utf8'));
  expect(whole).toMatchObject({ examples: 25, verdict: evaluation!.sentences });
  expect(whole.models[0].answers).toHaveLength(25);
  // It was a look at that file: the next one is the second.
  expect(whole.findings.looks).toBe(1);
  expect((await evaluate({ model, data: validation, maxTokens: 2, threads: 1 })).findings.looks).toBe(2);
}, 120_000);

test('a share of 0 turns it off; a share that suffices for nothing is said', async () => {
  const off = started('off', { verdictShare: 0 });
  expect((await eventsOf(off)).filter(({ type }) => type === 'verdict')).toEqual([]);
  expect((await off.result).evaluation).toBeNull();
  const short = started('short', { verdictShare: 1e-6 });
  const notices = (await eventsOf(short)).filter((event) => event.type === 'notice' && event.code === 'no-verdict');
  expect(notices).toMatchObject([
    { message: expect.stringMatching(/^No verdict on the held-out examples: 0\.0 seconds/) },
  ]);
  expect(await short.result).toMatchObject({ state: 'done', evaluation: null });
}, 120_000);

test('who stops the run while it is evaluated has a finished one', async () => {
  const many = rows('many.jsonl', 100, 4000);
  const run = started('stopped', { validation: many, verdictShare: 0.5, validateEvery: 4 });
  let samples = 0;
  const events = await eventsOf(run, (event) => {
    if (event.type === 'sample' && ++samples === 3) run.interrupt();
  });
  expect(events.at(-2)).toMatchObject({
    type: 'notice',
    code: 'no-verdict',
    message: expect.stringContaining('it was stopped'),
  });
  expect(await run.result).toMatchObject({
    state: 'done',
    evaluation: null,
    adapter: expect.stringContaining('adapter'),
  });
}, 120_000);
