import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluationThreads, llamaEngine, loadLlamaModel, sparedThreads } from './llama-engine.ts';

test('a small model is evaluated by one thread, a larger one by all that are asked for', async () => {
  const small = await loadLlamaModel(join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf'));
  expect(evaluationThreads(small, 8)).toEqual({ ideal: 1, min: 1 });
  await small.dispose();
  expect(evaluationThreads({ size: 92e6 }, 8).ideal).toBe(8);
  expect(evaluationThreads({ size: 92e6 }, 1).ideal).toBe(1);
});

test('busy cores are left to whoever keeps them busy', () => {
  expect([0, 0.05, 0.5, 0.6, 1].map((busy) => sparedThreads(2, busy))).toEqual([2, 2, 1, 1, 1]);
  expect([0, 0.1, 0.2, 0.5, 1].map((busy) => sparedThreads(8, busy))).toEqual([8, 7, 6, 4, 1]);
});

test('a model that is opened in a busy moment has its threads in a quiet one', async () => {
  (await llamaEngine()).maxThreads = 1;
  const model = await loadLlamaModel(join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf'));
  const context = await model.createContext({ contextSize: 64, threads: { ideal: 2, min: 1 } });
  expect(context.idealThreads).toBe(2);
  await context.dispose();
  await model.dispose();
});
