/**
 * A run that is told to stop hears it in every stage before it trains, within two seconds, and leaves a folder that can be resumed or nothing.
 * Models of 0.2 billion weights in blocks of 44 million, so that each stage takes long enough to be met. Stops while a result is proven and
 * sampled are in survive.test.ts, those while it trains in cli.test.ts.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunEvent } from '../../src/events.ts';
import { RunFolder } from '../../src/run/run-folder.ts';
import { type RunHandle, resumeRun, startRun } from '../../src/run/start-run.ts';
import { type Given, resolvePretrainSettings, resolveSettings } from '../../src/settings/load.ts';

const repo = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-stop-'));
const model = join(folder, 'model.gguf');
const [few, many, text] = ['few.jsonl', 'many.jsonl', 'text.txt'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const patience = 240_000;
/** What a run may take to end, and what a machine that tests share may add. */
const seconds = 2 + 1;
beforeAll(() => {
  vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
  const script = join(repo, 'bench/synthetic-model.mjs');
  execFileSync(process.execPath, [script, 'tinyllama-1.1b', model, '--layers', '2'], { stdio: 'ignore' });
  const row = (i: number): string =>
    JSON.stringify({ prompt: `number ${i}, ${'and on '.repeat(20)}`, completion: i % 2 ? 'odd' : 'even' });
  writeFileSync(few, Array.from({ length: 16 }, (_, i) => row(i)).join('\n'));
  writeFileSync(many, Array.from({ length: 60_000 }, (_, i) => row(i)).join('\n'));
  const word = (i: number): string => ((i * 2654435761) % 2 ** 32).toString(36);
  writeFileSync(text, Array.from({ length: 1_500_000 }, (_, i) => word(i)).join(' '));
}, patience);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

interface Stopped {
  readonly events: readonly RunEvent[];
  /** From the word to stop to the end. */
  readonly seconds: number;
  readonly kind: string | null;
}

/** Stops the run once `now` says so of an event or, where none comes, of the time. */
async function stopAt(handle: RunHandle, now: (event: RunEvent | null) => boolean): Promise<Stopped> {
  const events: RunEvent[] = [];
  let asked: number | null = null;
  const stop = (): void => {
    asked ??= performance.now();
    handle.interrupt();
  };
  const looks = setInterval(() => {
    if (asked === null && now(null)) stop();
  }, 20);
  let kind: string | null = null;
  try {
    for await (const event of handle) {
      events.push(event);
      if (asked === null && now(event)) stop();
    }
  } catch (error) {
    kind = (error as { kind?: string }).kind ?? String(error);
  } finally {
    clearInterval(looks);
  }
  expect(asked, 'the stage was met').not.toBeNull();
  return { events, seconds: (performance.now() - asked!) / 1000, kind };
}

const noticed = (pattern: RegExp) => (event: RunEvent | null) =>
  event?.type === 'notice' && pattern.test(event.message);
const tune = async (data: string, run: string, given: Given): Promise<RunHandle> =>
  startRun(await resolveSettings([data], { model, threads: 1, run, ...given }, null));

describe('told to stop', { timeout: patience }, () => {
  test('while rows are made, and while a block is measured: nothing is left', async () => {
    for (const [name, data, stage] of [
      ['rows', many, /^Preparing rows/],
      ['plan', few, /^Measuring a block/],
    ] as const) {
      const run = join(folder, name);
      const stopped = await stopAt(await tune(data, run, { sequenceLength: 512 }), noticed(stage));
      expect(stopped.seconds, name).toBeLessThan(seconds);
      expect(stopped.kind, name).toBe('interrupted');
      expect(existsSync(run), name).toBe(false);
    }
  });

  test('while the int8 base is prepared: the folder goes on', async () => {
    const run = join(folder, 'int8');
    const handle = await tune(few, run, { precision: 'int8', maxSteps: 2, sequenceLength: 512 });
    const stopped = await stopAt(handle, () => existsSync(join(run, 'recipe.yaml')));
    expect(stopped.seconds).toBeLessThan(seconds);
    expect(stopped.events.some(({ type }) => type === 'run-start')).toBe(false);
    expect(new RunFolder(run).holder()).toBeNull();
    const resumed = await stopAt(resumeRun(run), (event) => event?.type === 'step-end');
    expect(resumed.events.find((event) => event.type === 'precision')).toMatchObject({ precision: 'int8' });
    expect(resumed.events.some(({ type }) => type === 'step-end')).toBe(true);
  });

  test('while a vocabulary is trained: nothing is left', async () => {
    const run = join(folder, 'vocabulary');
    const began = performance.now();
    const settings = resolvePretrainSettings([text], { size: 'micro', vocabulary: '16384', threads: '1', run }, null);
    // Reading the text takes a moment, the vocabulary a minute.
    const stopped = await stopAt(startRun(settings), () => performance.now() - began > 4000);
    expect(stopped.seconds).toBeLessThan(seconds);
    expect(stopped.kind).toBe('interrupted');
    expect(existsSync(run)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith('vocabulary'))).toEqual([]);
  });
});
