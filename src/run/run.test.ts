/** A run as a program holds it: many readers, a result, and faults that arrive wherever one listens. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { NomoatError } from '../errors.ts';
import { EventHistory } from '../event-history.ts';
import type { RunEvent } from '../events.ts';
import { pretrain, resumeTune, tune } from '../library.ts';
import { followRun } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const data = join(folder, 'data.jsonl');
const row = (i: number): string => JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' });
writeFileSync(data, Array.from({ length: 8 }, (_, i) => row(i)).join('\n'));
const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const options = { data, model, threads: 1 };

async function typesOf(events: AsyncIterable<RunEvent>): Promise<string[]> {
  const types: string[] = [];
  for await (const { type } of events) types.push(type);
  return types;
}

test('a history gives every reader everything, then its ending', async () => {
  const history = new EventHistory<number>();
  const read = async (least: number): Promise<number[]> => {
    const seen: number[] = [];
    for await (const value of history) {
      seen.push(value);
      if (seen.length >= least) break;
    }
    return seen;
  };
  const [early, leaver] = [read(9), read(1)];
  history.push(1);
  expect(await leaver).toEqual([1]);
  history.push(2);
  history.end();
  history.push(3);
  expect(await early).toEqual([1, 2]);
  expect(await read(9)).toEqual([1, 2]);
  const failing = new EventHistory<number>();
  failing.push(1);
  failing.end(new Error('no more'));
  for (let reader = 0; reader < 2; reader++)
    await expect(async () => {
      for await (const value of failing) expect(value).toBe(1);
    }).rejects.toThrow('no more');
});

test('two readers, one that leaves, a late one and the result agree', { timeout: 120_000 }, async () => {
  const run = tune({ ...options, run: join(folder, 'whole'), maxSteps: 3, validation: 0.25 });
  expect(run).not.toHaveProperty('then');
  const leaves = (async () => {
    for await (const event of run) if (event.type === 'step-end') return event.step;
    return -1;
  })();
  const [first, second] = await Promise.all([typesOf(run), typesOf(await run)]);
  expect(await leaves).toBe(0);
  expect(first.at(-1)).toBe('run-end');
  expect(first.filter((type) => type === 'step-end')).toHaveLength(3);
  expect(second).toEqual(first);
  expect(await typesOf(run)).toEqual(first);
  const result = await run.result;
  expect(result).toMatchObject({ folder: join(folder, 'whole'), state: 'done', steps: 3, model: null, verdict: null });
  expect(result.adapter).toBe(join(run.folder, 'adapter'));
  expect(result.validation.before).toBeGreaterThan(0);
  expect(result.validation.after).toBeLessThanOrEqual(result.validation.before!);
  expect(result.parity).toMatchObject({ passed: true });
  expect(existsSync(result.report.html) && existsSync(result.report.json)).toBe(true);
  const again = resumeTune(run.folder);
  await expect(again.result).rejects.toThrow('this run is done');
});

test('what is wrong with the options is on the stream and in the result, and nothing is thrown or unhandled', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  const wrong = [
    tune({ ...options, rank: -1 }),
    tune({ ...options, model: 'no-such-model' }),
    tune(undefined as never),
    pretrain({ data: join(folder, 'nothing.txt') }),
    resumeTune(join(folder, 'no-run')),
    resumeTune(undefined as never),
  ];
  for (const run of wrong) {
    const events: RunEvent[] = [];
    await expect(async () => {
      for await (const event of run) events.push(event);
    }).rejects.toThrow(NomoatError);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ type: 'error', kind: 'input' });
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(unhandled).not.toHaveBeenCalled();
  process.off('unhandledRejection', unhandled);
  for (const run of wrong) {
    await expect(run.result).rejects.toThrow(NomoatError);
    expect(() => run.folder).toThrow('has no folder yet');
  }
});

test('a run that was interrupted has no result, and goes on', { timeout: 120_000 }, async () => {
  const abort = new AbortController();
  const run = tune({ ...options, run: join(folder, 'stopped'), epochs: 500, signal: abort.signal });
  for await (const event of run) if (event.type === 'step-end' && event.step === 2) abort.abort();
  await expect(run.result).rejects.toMatchObject({ kind: 'interrupted', fields: { folder: run.folder } });
  const rest = resumeTune(run.folder);
  for await (const event of rest) {
    if (event.type === 'run-start') expect(event.resumedFromStep).toBeGreaterThan(2);
    if (event.type === 'step-end') rest.interrupt();
  }
  await expect(rest.result).rejects.toMatchObject({ kind: 'interrupted' });
  const never = tune({ ...options, run: join(folder, 'never'), confirm: () => false });
  await expect(never.result).rejects.toMatchObject({ kind: 'interrupted', fault: 'was not begun' });
});

test('what is asked of a run before it is up reaches it', async () => {
  const asked: string[] = [];
  const handle = {
    run: '/somewhere',
    pid: 1,
    interrupt: () => void asked.push('interrupt'),
    kill: () => void asked.push('kill'),
    async *[Symbol.asyncIterator]() {},
  };
  for (const what of ['interrupt', 'kill'] as const) {
    const run = followRun(() => handle);
    run[what]();
    await expect(run.result).rejects.toMatchObject({ kind: 'interrupted' });
  }
  expect(asked).toEqual(['interrupt', 'kill']);
  const broken = followRun(() => Promise.reject(new TypeError('a programming fault')));
  await expect(broken.result).rejects.toMatchObject({ kind: 'failed', cause: expect.any(TypeError) });
});
