/** Runs that learn from preferences: their reference is computed once and found again, and a resumed run is the one that never stopped. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunEvent } from '../events.ts';
import { openTeam } from '../llama/answer-team.ts';
import { loadKernels } from '../runtime/native/load.ts';
import { type Given, resolveSettings } from '../settings/load.ts';
import { answerDrift } from './answer-drift.ts';
import { runTraining } from './run-training.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-preferences-'));
const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const data = join(folder, 'pairs.jsonl');
const references = join(folder, 'home/references');

beforeAll(() => {
  vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
  const rows = Array.from({ length: 16 }, (_, i) => ({
    prompt: `what is ${i} ${'x'.repeat(i)}`,
    chosen: i % 2 ? 'odd' : 'even',
    rejected: 'no idea',
  }));
  writeFileSync(data, rows.map((row) => JSON.stringify(row)).join('\n'));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

let runs = 0;
async function train(given: Given, stopAfter = Number.POSITIVE_INFINITY, run = join(folder, `run${runs++}`)) {
  const settings = await resolveSettings(
    [data],
    {
      model,
      batchSize: 4,
      epochs: 2,
      learningRate: 1e-2,
      warmupSteps: 0,
      threads: 1,
      validation: 0.25,
      validateEvery: 2,
      safetyShare: 0,
      ...given,
      run,
    },
    null,
  );
  const go = async (resume: boolean, until: number): Promise<RunEvent[]> => {
    const abort = new AbortController();
    const events: RunEvent[] = [];
    const emit = (event: RunEvent): void => {
      events.push(event);
      if (event.type === 'step-end' && event.step + 1 === until) abort.abort();
    };
    await runTraining({ settings, resume, signal: abort.signal, emit });
    return events;
  };
  const events = await go(false, stopAfter);
  return { run, events, resume: () => go(true, Number.POSITIVE_INFINITY) };
}
const parameters = (run: string): Buffer => {
  const last = readdirSync(join(run, 'checkpoints')).sort().at(-1)!;
  return readFileSync(join(run, 'checkpoints', last, 'parameters.safetensors'));
};
const losses = (events: readonly RunEvent[]) => events.flatMap((e) => (e.type === 'step-end' ? [e.loss] : []));

describe.each(['dpo', 'kto'])('%s', (method) => {
  test('a run that is stopped and goes on ends with the same bits, and computes no reference again', async () => {
    const whole = await train({ method });
    const [file] = readdirSync(references);
    const made = statSync(join(references, file!)).mtimeMs;
    const stopped = await train({ method }, 2);
    const rest = await stopped.resume();
    expect([...losses(stopped.events), ...losses(rest)]).toEqual(losses(whole.events));
    expect(parameters(stopped.run).equals(parameters(whole.run))).toBe(true);
    expect(readdirSync(references)).toEqual([file]);
    expect(statSync(join(references, file!)).mtimeMs).not.toBe(made);
    const steps = whole.events.flatMap((e) => (e.type === 'step-end' ? [e.preference!] : []));
    expect(steps[0]!.margin === null || Math.abs(steps[0]!.margin) < 1e-4).toBe(true);
    expect(steps.at(-1)!.margin!).toBeGreaterThan(0.01);
    // A broken file is made again, with the same numbers.
    writeFileSync(join(references, file!), '{"sums": [[1');
    const again = await train({ method });
    expect(losses(again.events)).toEqual(losses(whole.events));
    rmSync(references, { recursive: true });
  });
});

test('another base, another adapter, other data or another engine have a reference of their own', async () => {
  const qwen = join(import.meta.dirname, '../../test/fixtures/reference/qwen2/base.gguf');
  const start = join(import.meta.dirname, '../../test/fixtures/reference/llama/lora.start.safetensors');
  for (const given of [{}, { model: qwen }, { initialAdapter: start, alpha: 8 }, { validation: 0.5 }])
    await train({ method: 'dpo', maxSteps: 1, ...given }, 1);
  expect(readdirSync(references).length).toBe(4);
  const engines = loadKernels().kernels ? (['onnxruntime', 'native'] as const) : (['onnxruntime'] as const);
  for (const engine of engines) await train({ method: 'dpo', precision: 'int8', engine, maxSteps: 1 }, 1);
  expect(readdirSync(references).length).toBe(4 + engines.length);
  // Of the pair methods orpo and simpo have none.
  for (const method of ['orpo', 'simpo']) await train({ method, maxSteps: 1 }, 1);
  expect(readdirSync(references).length).toBe(4 + engines.length);
});

test('the end says how many held-out pairs are the right way round, and that preferred answers sank', async () => {
  const { events } = await train({ method: 'dpo', beta: 2, learningRate: 0.05, epochs: 4 });
  const said = events.flatMap((e) => (e.type === 'notice' ? [`${e.code}: ${e.message}`] : [])).join('\n');
  expect(said).toMatch(/preferences: [\d.]+% of 4 held-out pairs are the right way round \(95% interval/);
});

test('a run ends with how long answers became and how far they are from the base; a model is as far from itself as nothing', async () => {
  const { events } = await train({ method: 'dpo', verdictShare: 0.5, learningRate: 5e-2 });
  const drift = events.find((event) => event.type === 'answer-drift')!;
  expect(drift).toMatchObject({ type: 'answer-drift', prompts: 4 });
  expect(Math.abs(drift.divergence)).toBeGreaterThan(1e-3);
  await using team = await openTeam({ modelPath: model, longest: 256, threads: 1 });
  const questions = [1, 2].map((i) => ({
    ask: { messages: [{ role: 'user' as const, content: `number ${i}` }] },
    expected: 'odd',
  }));
  const options = { seconds: 60, seed: 3, signal: new AbortController().signal };
  const none = await answerDrift({ before: team, after: team }, questions, options);
  expect(none).toMatchObject({ prompts: 2, divergence: 0, tokensAfter: none!.tokensBefore, cutAfter: none!.cutBefore });
  expect(await answerDrift({ before: team, after: team }, questions, { ...options, seconds: 0 })).toBeNull();
}, 60_000);
