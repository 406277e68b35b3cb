/** What an adapter does to answers: held against what llama.cpp answers and scores. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { madeAdapter, miniPath, writtenAdapter } from '../../test/made-adapters.ts';
import { openModel } from '../library.ts';
import { logitLens } from './logit-lens.ts';
import { tokenChanges } from './token-changes.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-answers-'));
beforeAll(() => void vi.stubEnv('NOMOAT_HOME', join(folder, 'home')));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
const model = miniPath;
const adapter = writtenAdapter(join(folder, 'adapter'), madeAdapter(3, 0.2));
const nothing = writtenAdapter(join(folder, 'nothing'), madeAdapter(3, 0));
const ask = [{ role: 'user', content: 'What is a cat?' }] as const;

test('the lens ends in what the model answers, with the adapter and without', async () => {
  const lens = await logitLens({ adapter, model, prompt: 'What is a cat?', guesses: 2 });
  expect(lens.blocks.map(({ block }) => block)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  const last = lens.blocks.at(-1)!;
  const first = async (with_: string | null): Promise<string> => {
    await using opened = await openModel({ model, adapter: with_ });
    return (await opened.generate(ask, { temperature: 0, maxTokens: 1 })).text;
  };
  expect(last.before.guesses[0]!.text).toBe(await first(null));
  expect(lens.answer.text).toBe(await first(adapter));
  expect(last.after.guesses[0]).toEqual(lens.answer);
  expect(last.after.answer).toBeCloseTo(lens.answer.probability, 6);
  expect(last.before.answer).not.toBeCloseTo(last.after.answer, 4);
  expect(lens.blocks[0]!.before).toEqual(lens.blocks[0]!.after);
  expect(lens.prompt).toContain('What is a cat?');
  const untouched = await logitLens({ adapter: nothing, model, prompt: ask });
  for (const { after, before } of untouched.blocks) expect(after).toEqual(before);
  expect(untouched.blocks[0]!.after.guesses).toHaveLength(3);
});

test('each token of expected answers is scored before and after, as the models score them', async () => {
  const data = join(folder, 'test.jsonl');
  const rows = [
    ['What is a cat?', 'An animal.'],
    ['Say no.', 'no'],
    ['Say yes.', 'yes'],
  ];
  writeFileSync(data, rows.map(([prompt, completion]) => JSON.stringify({ prompt, completion })).join('\n'));
  const told: number[] = [];
  const changes = await tokenChanges({
    adapter,
    model,
    data,
    limit: 2,
    onProgress: ({ done }) => void told.push(done),
  });
  expect(told).toEqual([0, 1, 2, 3]);
  expect(changes.examples.map(({ expected }) => expected)).toEqual(['An animal.', 'no']);
  await using opened = await openModel({ model, adapter });
  const score = await opened.score([...ask, { role: 'assistant', content: 'An animal.' }]);
  const [example] = changes.examples;
  expect(example!.tokens.map(({ text }) => text)).toEqual(score.tokens.map(({ text }) => text));
  expect(example!.after).toBeCloseTo(score.logProbability, 4);
  expect(example!.before).not.toBeCloseTo(example!.after, 2);
  expect(changes.totals.reduce((sum, { count }) => sum + count, 0)).toBe(
    changes.examples.flatMap(({ tokens }) => tokens).length,
  );
  const [same] = (await tokenChanges({ adapter: nothing, model, data, limit: 1 })).examples;
  for (const { after, before } of same!.tokens) expect(after).toBeCloseTo(before, 3);
});

test('an interruption is said', async () => {
  const abort = new AbortController();
  const lens = logitLens({ adapter, model, prompt: 'x', signal: abort.signal, onProgress: () => abort.abort() });
  await expect(lens).rejects.toMatchObject({ kind: 'interrupted' });
});
