/** A stack as the adapter that a run starts from: the exact sum, or the nearest of the rank that is asked for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { madeAdapter, miniPath, writtenAdapter } from '../../test/made-adapters.ts';
import { addProduct } from '../adapter/low-rank.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { type LoraAdapter, loraScale, moduleKey } from '../lora/adapter.ts';
import { readStackedAdapter } from './stacked-adapter.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-stacked-'));
const model = openGguf(miniPath);
afterAll(() => {
  model.close();
  rmSync(folder, { recursive: true });
});
const [first, second] = [madeAdapter(1, 0.5), madeAdapter(2, 0.5, ['v_proj', 'up_proj'])];
const [a, b] = [writtenAdapter(join(folder, 'a'), first), writtenAdapter(join(folder, 'b'), second)];

/** The update of each module that is not zero. */
function updates(...parts: readonly (readonly [LoraAdapter, number])[]): Map<string, Float32Array> {
  const sums = new Map<string, Float32Array>();
  for (const [{ pairs, rslora }, scale] of parts)
    for (const pair of pairs) {
      const sum = sums.get(moduleKey(pair)) ?? new Float32Array(pair.outFeatures * pair.inFeatures);
      addProduct(sum, pair, scale * loraScale({ ...pair, rslora }));
      sums.set(moduleKey(pair), sum);
    }
  return new Map([...sums].filter(([, values]) => values.some((value) => value !== 0)));
}
function apart(left: Map<string, Float32Array>, right: Map<string, Float32Array>): number {
  expect([...left.keys()].sort()).toEqual([...right.keys()].sort());
  let most = 0;
  for (const [key, values] of left)
    for (const [i, value] of values.entries()) most = Math.max(most, Math.abs(value - right.get(key)![i]!));
  return most;
}
const read = async (text: string, rank: number | null = null) => {
  const notes: string[] = [];
  const adapter = await readStackedAdapter(text, model, { rank, note: (note) => notes.push(note) });
  return { adapter, notes };
};

it('is the sum of the updates, each by its scale', async () => {
  const { adapter, notes } = await read(`${a}@0.7+${b}@-0.4`);
  expect(adapter).toMatchObject({ rank: 4, targetModules: ['q_proj', 'v_proj', 'up_proj'] });
  expect(apart(updates([adapter, 1]), updates([first, 0.7], [second, -0.4]))).toBeLessThan(1e-6);
  expect(notes).toContain('The stack is merged exactly, with rank 4.');
  // What it has as a run's rank is asked for again when the run begins.
  expect((await read(`${a}@0.7+${b}@-0.4`, 4)).adapter).toEqual(adapter);
});

it('one adapter is itself, and may count for less', async () => {
  expect((await read(a)).adapter).toMatchObject({ rank: 2, alpha: 4 });
  const { adapter } = await read(`${a}@0.5`);
  expect(apart(updates([adapter, 1]), updates([first, 0.5]))).toBeLessThan(1e-6);
});

it('a lower rank is the nearest, and says what it leaves out', async () => {
  const { adapter, notes } = await read(`${a}+${b}`, 3);
  expect(adapter.rank).toBe(3);
  const off = apart(updates([adapter, 1]), updates([first, 1], [second, 1]));
  expect(off).toBeGreaterThan(1e-4);
  expect(notes.join()).toMatch(/The stack has rank 4; with rank 3 it leaves out [\d.e-]+%/);
});
