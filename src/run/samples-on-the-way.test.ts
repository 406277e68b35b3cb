/** Answers while a run trains: held-out questions at its validations, within their share, and nothing that training depends on. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import type { RunEvent } from '../events.ts';
import { tune } from '../index.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-on-the-way-'));
vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
const data = join(folder, 'train.jsonl');
const row = (i: number): string => JSON.stringify({ prompt: `is ${i} odd`, completion: i % 2 ? 'yes' : 'no' });
writeFileSync(data, Array.from({ length: 24 }, (_, i) => row(i)).join('\n'));
const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');

async function eventsOf(name: string, sampleShare: number): Promise<RunEvent[]> {
  const off = { verdictShare: 0, safetyShare: 0 };
  const run = join(folder, name);
  const events: RunEvent[] = [];
  const settings = { data, model, run, validation: 0.2, validateEvery: 4, maxSteps: 12, epochs: 12, threads: 1 };
  for await (const event of tune({ ...settings, ...off, sampleShare, learningRate: 0.05 })) events.push(event);
  expect(existsSync(join(run, 'adapter-on-the-way.gguf'))).toBe(false);
  return events;
}
const losses = (events: readonly RunEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'step-end' || event.type === 'validation' ? [event.loss] : []));

test('held-out questions are answered at validations by what is trained then, and training is the same without', async () => {
  // Half of the time, of a run that takes seconds.
  const events = await eventsOf('asked', 0.5);
  const asked = events.flatMap((event, i) =>
    event.type === 'training-sample' ? [{ event, before: events[i - 1]!.type }] : [],
  );
  expect(asked.length).toBeGreaterThanOrEqual(3);
  const { before, event } = asked[0]!;
  // In the log before the checkpoint that a killed run goes on from.
  expect(before).toBe('validation');
  expect([4, 8]).toContain(event.step);
  const samples = events.flatMap((each) => (each.type === 'sample' ? [each] : []));
  expect(asked.slice(0, 3).map((each) => each.event.prompt)).toEqual(samples.map(({ prompt }) => prompt));
  // The adapter answers, not the base: what it says has begun to move.
  const moved = asked.some(({ event: { answer, prompt } }) =>
    samples.some((each) => each.prompt === prompt && each.before !== answer),
  );
  expect(moved).toBe(true);
  // The end's own samples follow at once.
  expect(asked.every((each) => each.event.step < 12)).toBe(true);
  // Nor are there any where the share suffices for none.
  const without = await eventsOf('short', 1e-6);
  expect(without.filter(({ type }) => type === 'training-sample')).toEqual([]);
  expect(losses(events)).toEqual(losses(without));
}, 120_000);
