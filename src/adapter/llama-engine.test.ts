import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluationThreads, loadLlamaModel } from './llama-engine.ts';

test('a small model is evaluated by one thread, a larger one by all that are asked for', async () => {
  const small = await loadLlamaModel(join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf'));
  expect(evaluationThreads(small, 8)).toBe(1);
  await small.dispose();
  expect(evaluationThreads({ size: 92e6 }, 8)).toBe(8);
  expect(evaluationThreads({ size: 92e6 }, 1)).toBe(1);
});
