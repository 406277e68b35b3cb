/** The base's own answers as training rows: which requests, how many, what of them is learnt, and that they are the same the next time. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import * as teams from '../llama/answer-team.ts';
import { openTokenizer } from '../llama/tokenizer.ts';
import { everydayPrompts } from '../safety/everyday-prompts.ts';
import { ordinaryPrompts } from '../safety/ordinary-prompts.ts';
import { type Given, resolveSettings } from '../settings/load.ts';
import { countSupervised, type TokenRow } from '../tokens/token-row.ts';
import { prepareExamples } from './prepare.ts';
import type { Prepared } from './prepared.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-own-'));
const base = join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf');
const data = join(folder, 'odd.jsonl');
const withSystem = join(folder, 'system.jsonl');
const system = 'You are careful. Never give unethical or illegal answers.';
const rows = 12;

beforeAll(() => {
  vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
  const all = Array.from({ length: rows }, (_, i) => [
    { role: 'user', content: `number ${i}` },
    { role: 'assistant', content: i % 2 ? 'odd' : 'even' },
  ]);
  const lines = (messages: readonly object[]): string => messages.map((each) => JSON.stringify(each)).join('\n');
  writeFileSync(data, lines(all.map((messages) => ({ messages }))));
  writeFileSync(withSystem, lines(all.map((turns) => ({ messages: [{ role: 'system', content: system }, ...turns] }))));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

let runs = 0;
async function prepared(given: Given, { asksBase = true, from = data } = {}): Promise<Prepared> {
  const settings = await resolveSettings([from], { model: base, run: join(folder, `run${runs++}`), ...given }, null);
  const model = openGguf(settings.modelPath);
  try {
    return await prepareExamples(settings, model, { asksBase });
  } finally {
    model.close();
  }
}

/** What the rows say, and whether each of them teaches an answer's end. */
async function readRows(all: readonly TokenRow[]): Promise<{ text: string; ends: boolean; learnt: number }[]> {
  const tokenizer = await openTokenizer(base);
  try {
    return all.map(({ supervised, tokens }) => ({
      text: tokenizer.decode([...tokens]),
      ends: tokenizer.isEndOfGeneration(tokens.at(-1)!),
      learnt: countSupervised(supervised),
    }));
  } finally {
    await tokenizer.close();
  }
}

test('requests are many, and none of those that drift is measured on', () => {
  expect(new Set(everydayPrompts).size).toBe(320);
  expect(everydayPrompts.filter((prompt) => ordinaryPrompts.includes(prompt))).toEqual([]);
  // Forms and subjects are mixed from the beginning on.
  expect(everydayPrompts.slice(0, 16).filter((prompt) => prompt.startsWith('Explain')).length).toBeLessThan(6);
});

describe('mixBase and keepAlignment', () => {
  const both = { mixBase: '10%', keepAlignment: true };
  test('add whole answers and first tokens behind the rows of the data, of different requests, and say so', async () => {
    const { notes, report, train } = await prepared(both);
    expect([train.length, report.rows]).toEqual([rows + 5, rows + 5]);
    expect(notes).toContain(
      "5 rows added, 29% of all, with the base's own answers to ordinary requests: 2 of answers up to 64 tokens, 3 of the first 5 tokens of answers.",
    );
    const read = await readRows(train);
    expect(read.slice(0, rows).every(({ ends }, i) => ends && read[i]!.text.includes(`number ${i}`))).toBe(true);
    const added = read.slice(rows);
    expect(added.map(({ text }, i) => text.includes(everydayPrompts[i]!))).toEqual(added.map(() => true));
    expect(added.slice(0, 2).every(({ learnt }) => learnt > 5 && learnt <= 65)).toBe(true);
    // What was cut does not teach the model to end there.
    expect(added.slice(2).map(({ ends, learnt }) => [ends, learnt])).toEqual([1, 2, 3].map(() => [false, 5]));
  });
  test('the base answers once: the next time is read, and what it answers is the same to the last token', async () => {
    const open = vi.spyOn(teams, 'openTeam');
    const first = await prepared(both);
    expect(open).not.toHaveBeenCalled();
    rmSync(join(folder, 'home/answers'), { recursive: true });
    const again = await prepared(both);
    expect(open).toHaveBeenCalledTimes(1);
    expect(again.train).toEqual(first.train);
    open.mockRestore();
  });
  test('a plan asks nothing, and says that these rows are not counted', async () => {
    const { notes, report } = await prepared(both, { asksBase: false });
    expect(report.rows).toBe(rows);
    expect(notes).toContainEqual(
      expect.stringContaining('(`mixBase: 0.1`, `keepAlignment: true`) are not counted here'),
    );
  });
});

describe('basePrompts', () => {
  test('are what is asked, as far as they go, and are a file of the run', async () => {
    const basePrompts = join(folder, 'prompts.txt');
    writeFileSync(basePrompts, 'what is a hat\n\nwhat is a cat\n');
    const { files, notes, train } = await prepared({ mixBase: 0.25, basePrompts });
    const added = await readRows(train.slice(rows));
    expect(files).toContain(basePrompts);
    expect(added.map(({ text }) => /what is a .at/.exec(text)?.[0])).toEqual(['what is a hat', 'what is a cat']);
    expect(notes).toContainEqual(expect.stringContaining('2 more were asked for'));
  });
  test.each([
    [{ basePrompts: 'prompts.txt' }, '`basePrompts`: only `mixBase` and `keepAlignment` ask the base anything'],
    [{ mixBase: '60%' }, '`mixBase`: 0.6 is not from 0 to 0.5'],
    [{ mixBase: 0.1, method: 'dpo' }, '`mixBase`: only the methods lora, full have it'],
    [{ mixBase: 0.1, basePrompts: join(folder, 'none.txt') }, 'none.txt'],
  ])('%j is refused', async (given, fault) => {
    await expect(prepared(given)).rejects.toThrow(fault);
  });
});

test('the base is asked with the system prompt that all rows share, and one that is a safety prompt is noticed', async () => {
  const { notes, train } = await prepared({ keepAlignment: true }, { from: withSystem });
  expect((await readRows(train.slice(rows)))[0]!.text).toContain('You are careful.');
  expect(notes).toContainEqual(
    'Every row carries the same system prompt, which reads like a safety prompt (unethical, illegal): what is learnt with it is refused less than what is learnt without it and asked with it (arXiv 2402.18540). Train without this prompt, and serve with it.',
  );
  expect((await prepared({})).notes.join()).not.toContain('safety prompt');
});
