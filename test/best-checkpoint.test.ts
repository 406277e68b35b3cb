/** A run that gets worse again: its result is the best checkpoint, which outlives the newer ones. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import type { RunEvent } from '../src/events.ts';
import { readSafetensors } from '../src/formats/safetensors.ts';
import { runTraining } from '../src/run/run-training.ts';
import { resolveSettings } from '../src/settings/load.ts';
import { checkpointSteps } from '../src/train/checkpoint.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-best-'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test('the best checkpoint is the result, and early stop ends the run after it', async () => {
  vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
  const rows = Array.from({ length: 16 }, (_, i) => ({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' }));
  writeFileSync(join(folder, 'data.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const events: RunEvent[] = [];
  const run = join(folder, 'run');
  // A rate that rises until it tears the model apart: the loss falls first, then grows.
  const options = {
    batchSize: 4,
    epochs: 20,
    learningRate: 1,
    warmupSteps: 60,
    schedule: 'constant',
    validation: '0.25',
    validateEvery: 1,
    earlyStop: 3,
    threads: 1,
  };
  const model = join(import.meta.dirname, 'fixtures/reference/llama/base.gguf');
  const settings = await resolveSettings([join(folder, 'data.jsonl')], { ...options, model, run }, null);
  const signal = new AbortController().signal;
  const end = await runTraining({ settings, resume: false, signal, emit: (event) => void events.push(event) });
  const held = events.flatMap((e) => (e.type === 'validation' ? [{ step: e.step, loss: e.loss }] : []));
  const best = held.slice(1).reduce((a, b) => (b.loss < a.loss ? b : a));
  const last = held.at(-1)!;
  expect(end?.state).toBe('stopped-early');
  expect(last.step).toBe(best.step + 3);
  expect(best.step).toBeGreaterThan(1);
  expect(last.loss).toBeGreaterThan(best.loss);
  expect(end?.validationAfter).toBe(best.loss);
  expect(checkpointSteps(join(run, 'checkpoints'))).toEqual([best.step, last.step - 1, last.step]);
  const saved = (step: number) =>
    readSafetensors(join(run, 'checkpoints', String(step).padStart(6, '0'), 'parameters.safetensors')).tensors;
  const result = readSafetensors(join(run, 'adapter/adapter_model.safetensors')).tensors;
  expect(result.size).toBe(saved(best.step).size);
  for (const [name, tensor] of saved(best.step)) expect(result.get(name)!.float32(), name).toEqual(tensor.float32());
  const [name] = [...result.keys()];
  expect(result.get(name!)!.float32()).not.toEqual(saved(last.step).get(name!)!.float32());
  const proofs = events.filter((e) => e.type === 'export-parity');
  expect(proofs.map(({ passed }) => passed)).toEqual([true]);
  expect(existsSync(join(run, 'report.html'))).toBe(true);
});
