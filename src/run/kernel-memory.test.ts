/** Runs whose kernels get no memory: they go on in smaller micro-batches, or fail and leave a folder that resumes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import type { RunEvent } from '../events.ts';
import { loadKernels } from '../runtime/native/load.ts';
import { resolveSettings } from '../settings/load.ts';
import { RunFolder } from './run-folder.ts';
import { runTraining } from './run-training.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-kernel-memory-'));
vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
const { kernels } = loadKernels();
const withKernels = test.skipIf(kernels === null);
const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const data = join(folder, 'data.jsonl');
const row = (i: number): string => JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' });
writeFileSync(data, Array.from({ length: 24 }, (_, i) => row(i)).join('\n'));

async function train(name: string, resume: boolean, hears: (event: RunEvent) => void): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  const given = { model, engine: 'native', precision: 'int8', batchSize: 8, checkpointEvery: 1, threads: 4 } as const;
  const rest = { verdictShare: 0, safetyShare: 0, run: join(folder, name) };
  const settings = resume
    ? new RunFolder(rest.run).read().settings
    : await resolveSettings([data], { ...given, ...rest, epochs: 1 }, null);
  const emit = (event: RunEvent): void => {
    events.push(event);
    hears(event);
  };
  await runTraining({ settings, resume, signal: new AbortController().signal, emit });
  return events;
}

withKernels('once: the step is made again in smaller micro-batches', { timeout: 60_000 }, async () => {
  const events = await train('once', false, (event) => {
    if (event.type === 'step-end' && event.step === 0) kernels?.failArray(0);
  });
  const notices = events.filter((e) => e.type === 'notice' && e.code === 'smaller-micro-batch');
  expect(notices).toMatchObject([{ message: expect.stringMatching(/^Memory ran out in step 1; going on/) }]);
  expect(events.filter((e) => e.type === 'step-end')).toHaveLength(3);
  expect(events.at(-1)).toMatchObject({ type: 'run-end', state: 'done' });
});

withKernels(
  'for good: the run fails after its last checkpoint, and goes on from there',
  { timeout: 60_000 },
  async () => {
    const failed = await train('for-good', false, (event) => {
      const again = event.type === 'notice' && event.code === 'smaller-micro-batch';
      if (again || (event.type === 'step-end' && event.step === 1)) kernels?.failArray(0);
    }).catch((error: unknown) => error);
    kernels?.failArray(-1);
    expect(failed).toMatchObject({ code: 'out-of-memory', part: 'step 2' });
    expect(new RunFolder(join(folder, 'for-good')).read()).toMatchObject({ state: 'failed' });
    const resumed = await train('for-good', true, () => {});
    expect(resumed.find((e) => e.type === 'run-start')).toMatchObject({ resumedFromStep: 2 });
    expect(resumed.at(-1)).toMatchObject({ type: 'run-end', state: 'done' });
  },
);
