import { join } from 'node:path';
import { expect, test } from 'vitest';
import { llamaEngine } from './engine.ts';
import { fasterThreads, fewestFast, tokenMilliseconds } from './faster-threads.ts';

const path = join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf');

test('the fewest threads win that none is clearly faster than', async () => {
  const choose = (times: Readonly<Record<number, number>>): Promise<number> =>
    fewestFast(Object.keys(times).map(Number), async (threads) => times[threads]!);
  expect(await choose({ 1: 10, 2: 14 })).toBe(1);
  expect(await choose({ 1: 10, 2: 9.8 })).toBe(1);
  expect(await choose({ 1: 10, 2: 6, 4: 5.9 })).toBe(2);
  expect(await choose({ 1: 10, 4: 12, 8: 3 })).toBe(8);
});

test('a token is timed on a context of its own; what is tiny is not measured', async () => {
  const llama = await llamaEngine();
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  try {
    expect(await tokenMilliseconds(model, 1)).toBeGreaterThan(0);
    let asked = 0;
    const watched = new Proxy(model, {
      get(target, name) {
        if (name === 'createContext') asked++;
        return Reflect.get(target, name);
      },
    });
    expect(await fasterThreads(watched, path, 4)).toBe(4);
    expect(asked).toBe(0);
  } finally {
    await model.dispose();
  }
});

test('a token is timed in a busy moment too, when fewer threads are allowed than are asked for', async () => {
  const llama = await llamaEngine();
  const limit = llama.maxThreads;
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  try {
    llama.maxThreads = 1;
    expect(await tokenMilliseconds(model, 2)).toBeGreaterThan(0);
  } finally {
    llama.maxThreads = limit;
    await model.dispose();
  }
});
