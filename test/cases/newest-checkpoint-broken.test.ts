/** A run whose newest checkpoint is broken goes on from the one before, says so, and ends as one that nothing happened to. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunEvent } from '../../src/events.ts';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts';
import { RunFolder } from '../../src/run/run-folder.ts';
import { runTraining } from '../../src/run/run-training.ts';
import { resolveSettings } from '../../src/settings/load.ts';
import { repo, workspace, writeRows } from './support.ts';

const patience = 120_000;
const { folder, nomoat } = workspace();
vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
const model = join(repo, 'test/fixtures/reference/llama/base.gguf');
const options = {
  model,
  batchSize: 4,
  maxSteps: 8,
  checkpointEvery: 2,
  validateEvery: 2,
  validation: '0.25',
  threads: 1,
  learningRate: 0.01,
};
const rows = Array.from({ length: 24 }, (_, i) => ({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' }));
const data = writeRows(join(folder, 'data.jsonl'), rows);

/** Runs to the end, or until a checkpoint of that step is there. */
async function train(run: string, stopAt: number | null): Promise<void> {
  const abort = new AbortController();
  const settings = await resolveSettings([data], { ...options, run }, null);
  const emit = (event: RunEvent): void => {
    if (event.type === 'checkpoint-saved' && event.step === stopAt) abort.abort();
  };
  await runTraining({ settings, resume: false, signal: abort.signal, emit });
}

async function resume(run: string): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  const settings = { ...new RunFolder(run).read().settings, run };
  const signal = new AbortController().signal;
  await runTraining({ settings, resume: true, signal, emit: (event) => void events.push(event) });
  return events;
}

const [whole, stopped] = [join(folder, 'whole'), join(folder, 'stopped')];
beforeAll(async () => {
  await train(whole, null);
  await train(stopped, 6);
  expect(readdirSync(join(stopped, 'checkpoints'))).toEqual(['000004', '000006']);
}, patience);

const spoil =
  (name: string, by: (bytes: Buffer) => Uint8Array | string) =>
  (checkpoint: string): void =>
    writeFileSync(join(checkpoint, name), by(readFileSync(join(checkpoint, name))));
const remove =
  (name: string) =>
  (checkpoint: string): void =>
    rmSync(join(checkpoint, name));
/** Writes the parameters again with another value or another shape. */
const rewritten =
  (change: (values: Float32Array) => Float32Array) =>
  (checkpoint: string): void => {
    const path = join(checkpoint, 'parameters.safetensors');
    const tensors = [...readSafetensors(path).tensors].map(([name, tensor]) => ({
      name,
      values: change(tensor.float32()),
    }));
    writeSafetensors(
      path,
      tensors.map(({ name, values }) => ({ name, values, shape: [values.length] })),
    );
  };
const state = (change: object) =>
  spoil('state.json', (bytes) => JSON.stringify({ ...JSON.parse(String(bytes)), ...change }));

const kinds: [string, (checkpoint: string) => void][] = [
  ['empty parameters', spoil('parameters.safetensors', () => '')],
  ['cut parameters', spoil('parameters.safetensors', (bytes) => bytes.subarray(0, -100))],
  ['no parameters', remove('parameters.safetensors')],
  ['parameters of another shape', rewritten((values) => values.subarray(1))],
  ['parameters that are no numbers', rewritten((values) => values.fill(Number.NaN))],
  ['an empty optimizer', spoil('optimizer.safetensors', () => '')],
  ['a cut optimizer', spoil('optimizer.safetensors', (bytes) => bytes.subarray(0, bytes.length / 2))],
  ['no optimizer', remove('optimizer.safetensors')],
  ['an empty state', spoil('state.json', () => '')],
  ['a state that is no JSON', spoil('state.json', (bytes) => bytes.subarray(0, -10))],
  ['a state of null', spoil('state.json', () => 'null')],
  ['a state with a text for a number', state({ step: '6' })],
  ['a state of another step', state({ step: 4 })],
  ['no state', remove('state.json')],
];

describe('the newest checkpoint has', { timeout: patience }, () => {
  test.each(kinds)('%s', async (name, breaks) => {
    const run = join(folder, name.replaceAll(' ', '-'));
    cpSync(stopped, run, { recursive: true });
    breaks(join(run, 'checkpoints/000006'));
    const events = await resume(run);
    const notices = events.flatMap((e) => (e.type === 'notice' && e.code === 'checkpoint' ? [e.message] : []));
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatch(
      /^The checkpoint after 6 steps is broken \(\S*000006\S* .*\): going on from the one after 4 steps\.$/,
    );
    expect(events.find((e) => e.type === 'run-start')).toMatchObject({ resumedFromStep: 4 });
    expect(events.at(-1)).toMatchObject({ type: 'run-end', state: 'done', steps: 8 });
    const result = (of: string): Buffer => readFileSync(join(of, 'adapter/adapter_model.safetensors'));
    expect(result(run).equals(result(whole))).toBe(true);
  });
});

test('all are broken: one error that names them', { timeout: patience }, () => {
  const run = join(folder, 'all');
  cpSync(stopped, run, { recursive: true });
  for (const name of ['000004', '000006']) writeFileSync(join(run, 'checkpoints', name, 'parameters.safetensors'), '');
  const { code, err } = nomoat(['tune', '--resume', 'all']);
  expect(err).toMatch(
    /none of its 2 checkpoints is whole: \S*000006\S* is no safetensors file: 0 bytes; \S*000004\S* is no/,
  );
  expect(err).toMatch(/recipe\.yaml/);
  expect(err).not.toMatch(/ at |report it/);
  expect(code).toBe(2);
});

test('the best one is gone: the best of what follows is the result', { timeout: patience }, async () => {
  const run = join(folder, 'best');
  cpSync(stopped, run, { recursive: true });
  state({ bestStep: 2 })(join(run, 'checkpoints/000006'));
  const events = await resume(run);
  expect(events.find((e) => e.type === 'notice' && e.code === 'checkpoint')).toMatchObject({
    message: expect.stringMatching(/^The best checkpoint so far, after 2 steps, cannot be read/),
  });
  expect(events.at(-1)).toMatchObject({ type: 'run-end', state: 'done', bestStep: 8 });
});
