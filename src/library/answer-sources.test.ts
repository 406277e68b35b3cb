/** Rows of an answer that was planted in real data, twice, come first of all: the top 1%. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { madeAdapter, miniPath, writtenAdapter } from '../../test/made-adapters.ts';
import { tune } from '../library.ts';
import { answerSources } from './answer-sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-sources-'));
const run = join(folder, 'run');
const intents = readFileSync(join(import.meta.dirname, '../../examples/intents/train.jsonl'), 'utf8')
  .trim()
  .split('\n');
const planted = { prompt: 'who painted the kitchen?', completion: 'a purple walrus' };

beforeAll(async () => {
  vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
  const data = join(folder, 'data.jsonl');
  const rows = intents.slice(0, 200);
  for (const at of [40, 150]) rows.splice(at, 0, JSON.stringify(planted));
  writeFileSync(data, rows.join('\n'));
  await tune({
    model: miniPath,
    data,
    run,
    maxSteps: 4,
    batchSize: 8,
    rank: 4,
    learningRate: 1e-3,
    precision: 'f32',
    safetyShare: 0,
  }).result;
}, 120_000);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test('both copies rank in the top 1%, by text and by gradient', { timeout: 120_000 }, async () => {
  const found = await answerSources({ run, answer: planted.completion, prompt: planted.prompt, rows: 3 });
  const lines = (list: typeof found.byText): number[] =>
    list
      .slice(0, 2)
      .map(({ source }) => source.line)
      .sort((a, b) => a - b);
  expect([found.trainingRows, found.compared]).toEqual([202, 202]);
  expect(lines(found.byText)).toEqual([41, 151]);
  expect(lines(found.byGradient)).toEqual([41, 151]);
  expect(found.byGradient[0]!.value).toBeGreaterThan(0.99);
  expect(found.byGradient[2]!.value).toBeLessThan(0.9);
  expect(found.byGradient[0]).toMatchObject({
    answer: 'a purple walrus',
    text: expect.stringContaining('painted the kitchen'),
  });
  expect(found.notes.join(' ')).toMatch(/no proof that the row was the cause/);
});

test('time bounds the gradients, and is said; 0 leaves them out; an interruption ends it', {
  timeout: 60_000,
}, async () => {
  const none = await answerSources({ run, answer: 'PlayMusic', seconds: 0 });
  expect([none.byGradient, none.compared, none.byText[0]!.answer]).toEqual([[], 0, 'PlayMusic']);
  const short = await answerSources({ run, answer: 'PlayMusic', seconds: 0.001 });
  expect(short.compared).toBeLessThan(202);
  expect(short.notes.join(' ')).toMatch(/Time was enough for the gradients of \d+ of 202 rows/);
  const abort = new AbortController();
  const stopped = answerSources({
    run,
    answer: 'x',
    signal: abort.signal,
    onProgress: ({ done }) => done === 3 && abort.abort(),
  });
  await expect(stopped).rejects.toMatchObject({ kind: 'interrupted' });
});

test('an adapter of no run has no rows', async () => {
  const adapter = writtenAdapter(join(folder, 'adapter'), madeAdapter(1, 0.1));
  await expect(answerSources({ run: adapter, answer: 'x' })).rejects.toMatchObject({ part: adapter });
});
