/** Answers while a run trains: held-out questions at its validations, within their share, and nothing that training depends on. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import type { RunEvent } from '../events.ts';
import { resolveSettings } from '../settings/load.ts';
import { runTraining } from './run-training.ts';
import { StepMeter } from './step-meter.ts';

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

/** Of a run that took so many seconds, whatever this machine takes. */
async function eventsOf(seconds: number): Promise<RunEvent[]> {
  const measured = { seconds, secondsBefore: 0, tokensPerSecond: null, firstStepSeconds: null };
  vi.spyOn(StepMeter.prototype, 'measured', 'get').mockReturnValue(measured);
  const run = join(folder, `run-${seconds}`);
  const off = { verdictShare: 0, safetyShare: 0 };
  const given = { model, run, validation: '0.2', validateEvery: 4, maxSteps: 12, epochs: 12, threads: 1 };
  const settings = await resolveSettings([data], { ...given, ...off, learningRate: 0.05 }, null);
  const events: RunEvent[] = [];
  await runTraining({ settings, resume: false, signal: AbortSignal.any([]), emit: (event) => events.push(event) });
  expect(existsSync(join(run, 'adapter-on-the-way.gguf'))).toBe(false);
  return events;
}
const losses = (events: readonly RunEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'step-end' || event.type === 'validation' ? [event.loss] : []));

test('held-out questions are answered at validations by what is trained then, and training is the same without', async () => {
  const events = await eventsOf(1e4);
  const asked = events.flatMap((event) => (event.type === 'training-sample' ? [event] : []));
  // The end's own samples follow at once.
  expect(asked.map(({ step }) => step)).toEqual([4, 4, 4, 8, 8, 8]);
  // In the log before the checkpoint that a killed run goes on from.
  expect(events[events.indexOf(asked[0]!) - 1]).toMatchObject({ type: 'validation', step: 4 });
  expect(events[events.indexOf(asked[2]!) + 1]).toMatchObject({ type: 'checkpoint-saved', step: 4 });
  const samples = events.flatMap((event) => (event.type === 'sample' ? [event] : []));
  expect(asked.slice(0, 3).map(({ prompt }) => prompt)).toEqual(samples.map(({ prompt }) => prompt));
  // The adapter answers as it is then, not the base.
  expect(asked.slice(3).map(({ answer }) => answer)).not.toEqual(samples.map(({ before }) => before));
  // Three hundredths of a second suffice for none.
  const without = await eventsOf(1);
  expect(without.filter(({ type }) => type === 'training-sample')).toEqual([]);
  expect(losses(events)).toEqual(losses(without));
}, 120_000);
