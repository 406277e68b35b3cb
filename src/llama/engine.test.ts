import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { evaluationThreads, llamaCall, llamaEngine, loadLlamaModel, openContext, sparedThreads } from './engine.ts';

test('a small model is evaluated by one thread, a larger one by all that are asked for', async () => {
  const small = await loadLlamaModel(join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf'));
  expect(evaluationThreads(small, 8)).toEqual({ ideal: 1, min: 1 });
  await small.dispose();
  expect(evaluationThreads({ size: 92e6 }, 8).ideal).toBe(8);
  expect(evaluationThreads({ size: 92e6 }, 1).ideal).toBe(1);
});

test('calls at the same time hear what llama.cpp logs, and neither takes it from the other', async () => {
  await llamaEngine();
  // What only llama.cpp itself finds: its last tensors are not there.
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-cut-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const broken = join(folder, 'cut.gguf');
  const whole = readFileSync(join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf'));
  writeFileSync(broken, whole.subarray(0, Math.floor(whole.length * 0.9)));
  const load = (): Promise<unknown> => loadLlamaModel(broken);
  const faults = await Promise.allSettled([
    load(),
    llamaCall('another', 'wait', 'Wait.', async () => {
      await load().catch(() => {});
      throw new Error('my own fault');
    }),
    load(),
  ]);
  const messages = faults.map((fault) => (fault.status === 'rejected' ? String(fault.reason) : 'none'));
  expect(messages[0]).toContain(broken);
  expect(messages[0]).toMatch(/error: /);
  expect(messages[1]).toMatch(/my own fault; error: /);
  expect(messages[2]).toMatch(/error: /);
});

test('busy cores are left to whoever keeps them busy', () => {
  expect([0, 0.05, 0.5, 0.6, 1].map((busy) => sparedThreads(2, busy))).toEqual([2, 2, 1, 1, 1]);
  expect([0, 0.1, 0.2, 0.5, 1].map((busy) => sparedThreads(8, busy))).toEqual([8, 7, 6, 4, 1]);
});

test('a model that is opened in a busy moment has its threads in a quiet one', async () => {
  (await llamaEngine()).maxThreads = 1;
  const model = await loadLlamaModel(join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf'));
  const context = await openContext(model, { contextSize: 64, threads: { ideal: 2, min: 1 } });
  expect(context.idealThreads).toBe(2);
  // What evaluates meanwhile keeps its limit.
  expect((await llamaEngine()).maxThreads).toBe(1);
  await context.dispose();
  await model.dispose();
});

test('contexts that wait for a thread get it, also where another is opened meanwhile', async () => {
  const llama = await llamaEngine();
  const limit = llama.maxThreads;
  const model = await loadLlamaModel(join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf'));
  const open = () => openContext(model, { contextSize: 256, threads: { ideal: 1, min: 1 } });
  const contexts = [await open(), await open(), await open()];
  try {
    llama.maxThreads = 1;
    let running = contexts.length;
    const all = contexts.map(async (context) => {
      const sequence = context.getSequence();
      for (let round = 0; round < 20; round++)
        await sequence.evaluateWithoutGeneratingNewTokens(model.tokenize('one two '));
      running--;
    });
    while (running > 0) {
      await (await open()).dispose();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(all);
    expect(llama.maxThreads).toBe(1);
  } finally {
    llama.maxThreads = limit;
    for (const context of contexts) await context.dispose();
    await model.dispose();
  }
});
