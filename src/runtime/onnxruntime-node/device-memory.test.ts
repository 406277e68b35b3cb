/** Buffers of the device hold what is written into them. Runs where an adapter is found. */
import { describe, expect, test } from 'vitest';
import '../../../test/software-adapter.ts';
import { DeviceMemory } from './device-memory.ts';
import { floats } from './executor.ts';
import { findAdapter } from './webgpu-adapter.ts';

const adapter = findAdapter();
const why = adapter.found ? '' : ` (skipped: no WebGPU adapter: ${adapter.reason})`;
if (!adapter.found) console.warn(`WebGPU tests are skipped: ${adapter.reason}`);

const row = (...values: number[]) => floats(Float32Array.from(values), [1, values.length]);

describe.skipIf(!adapter.found)(`memory of the device${why}`, () => {
  test('written, copied, read; buffers are used again and grow', async () => {
    const memory = await DeviceMemory.open();
    const read = async (tensor: Awaited<ReturnType<DeviceMemory['take']>>, length: number): Promise<number[]> => {
      const values = new Float32Array(length);
      await memory.read(tensor, values);
      return [...values];
    };
    const first = await memory.write('a', row(1, 2, 3, 4));
    expect(first.location).toBe('gpu-buffer');
    expect(await read(first, 4)).toEqual([1, 2, 3, 4]);
    const other = await memory.take('b', [2, 2]);
    await memory.copy(first, other);
    await memory.write('a', row(5, 6, 7, 8));
    expect(await read(await memory.take('a', [2, 2]), 4)).toEqual([5, 6, 7, 8]);
    expect(await read(other, 4)).toEqual([1, 2, 3, 4]);
    expect(await read(await memory.take('a', [1, 2]), 2)).toEqual([5, 6]);
    expect(memory.bytes).toBe(32);
    await memory.take('b', [3, 2]);
    expect(memory.bytes).toBe(40);
    for (let i = 0; i < 50; i++) await memory.write('a', row(i, i, i, i));
    expect(memory.bytes).toBe(40);
    expect(await read(await memory.take('a', [4]), 4)).toEqual([49, 49, 49, 49]);
    await memory.close();
  });
});
