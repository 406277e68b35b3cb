import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withMetadata } from '../../test/cases/support.ts';
import type { RunEvent } from '../events.ts';
import { tune } from '../library.ts';
import type { Confirm, Proposal } from './proposal.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-proposal-'));
afterAll(() => rmSync(folder, { recursive: true }));
const data = join(folder, 'data.jsonl');
const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
beforeAll(() => {
  const row = (i: number): string => JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' });
  writeFileSync(data, Array.from({ length: 8 }, (_, i) => row(i)).join('\n'));
  expect(existsSync(join(import.meta.dirname, '../../dist/run/worker.js')), 'npm test builds dist first').toBe(true);
});

async function run(confirm: Confirm, signal?: AbortSignal): Promise<RunEvent[]> {
  const settings = { data, model, maxSteps: 1, threads: 1, run: join(folder, 'run'), confirm };
  const events: RunEvent[] = [];
  for await (const event of await tune({ ...settings, ...(signal ? { signal } : {}) })) events.push(event);
  return events;
}

test('a run that is not wanted has no events and no folder', async () => {
  const proposals: Proposal[] = [];
  const no: Confirm = (proposal) => {
    proposals.push(proposal);
    return false;
  };
  expect(await run(no)).toEqual([]);
  expect(proposals).toHaveLength(1);
  expect(proposals[0]).toMatchObject({ rows: 8, steps: 1, plan: { type: 'plan' }, money: { watts: 60 } });
  await expect(run(() => Promise.reject(new Error('nobody answers')))).rejects.toThrow('nobody answers');
  expect(existsSync(join(folder, 'run'))).toBe(false);
});

test('what is to be known of the model and the settings is known before it is decided', async () => {
  const odd = withMetadata(model, join(folder, 'odd.gguf'), {
    'llama.attention.sliding_window': { type: 'uint32', value: 64 },
  });
  const notes: string[] = [];
  const no: Confirm = (proposal) => {
    notes.push(...proposal.notes);
    return false;
  };
  const options = { data, model: odd, maxSteps: 1, validateEvery: 1, run: join(folder, 'run'), confirm: no };
  for await (const event of await tune(options)) expect.unreachable(event.type);
  const said = notes.join('\n');
  expect(said).toMatch(/states llama\.attention\.sliding_window = 64/);
  expect(said).toMatch(/`validateEvery` does nothing/);
  expect(said).toMatch(/All 1 steps are in the warm-up/);
});

test('aborting while it is asked ends it, and tells whoever is asked', async () => {
  const controller = new AbortController();
  const never: Confirm = (_, signal) => {
    controller.abort();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(true)));
  };
  expect(await run(never, controller.signal)).toEqual([]);
  expect(existsSync(join(folder, 'run'))).toBe(false);
});

test('the time of thinking it over is not the time of the run', async () => {
  const thoughtSeconds = 3;
  const slow: Confirm = () => new Promise((resolve) => setTimeout(() => resolve(true), thoughtSeconds * 1000));
  const started = performance.now();
  const events = await run(slow);
  const whole = (performance.now() - started) / 1000;
  const end = events.at(-1);
  expect(end?.type === 'run-end' && end.seconds).toBeLessThan(whole - thoughtSeconds);
});
