/** What a context is expected to take is what llama.cpp says it takes, or a little more. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import { openChatModel } from './chat-engine.ts';
import { contextBytes } from './context-memory.ts';

const root = join(import.meta.dirname, '../..');
const reference = (name: string): string => join(root, 'test/fixtures/reference', name, 'base.gguf');

test.each([
  [reference('llama'), 256],
  [reference('qwen3'), 100],
  [join(root, 'models/nomoat-mini/nomoat-mini.gguf'), 300],
])('%s, %i tokens', async (modelPath, contextSize) => {
  const gguf = openGguf(modelPath);
  for (const sequences of [1, 3, 8]) {
    await using model = await openChatModel({ modelPath, threads: 1, sequences, contextSize });
    const expected = contextBytes(gguf, { contextSize, sequences });
    expect(model.memory.context / expected, `${sequences} sequences`).toBeLessThanOrEqual(1.02);
    expect(model.memory.context / expected, `${sequences} sequences`).toBeGreaterThan(0.5);
    expect(model.memory.base / gguf.byteLength).toBeCloseTo(1, 1);
  }
  gguf.close();
});
