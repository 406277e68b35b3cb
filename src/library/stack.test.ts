/** A stack of adapters computes what their exact sum does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { mergeAdapters, openModel } from '../index.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const model = join(fixtures, 'reference/llama/base.gguf');
const [first, second] = ['first', 'second'].map((name) => join(fixtures, 'merge', name)) as [string, string];
const folder = mkdtempSync(join(tmpdir(), 'nomoat-stack-chat-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function scores(adapter?: string): Promise<number[]> {
  await using opened = await openModel({ model, threads: 1, ...(adapter === undefined ? {} : { adapter }) });
  const { tokens } = await opened.scoreText('number three is odd, number four is even');
  return tokens.flatMap(({ logProbability }) => logProbability ?? []);
}
const apart = (left: readonly number[], right: readonly number[]): number =>
  Math.max(...left.map((value, i) => Math.abs(value - right[i]!)));

it('counts each adapter by its scale', async () => {
  const out = join(folder, 'cat.gguf');
  await mergeAdapters([first, second], { base: model, method: 'cat', weights: [0.7, -0.4], to: 'gguf', out });
  const [merged, stack, base, one] = [await scores(out), await scores(`${first}@0.7+${second}@-0.4`), await scores(), await scores(`${first}@0.7`)]; // biome-ignore format: one line
  expect(merged.length).toBeGreaterThan(5);
  // A chat holds its attention cache in float16.
  expect(apart(stack, merged)).toBeLessThan(5e-4);
  for (const other of [base, one]) expect(apart(stack, other)).toBeGreaterThan(0.01);
  await expect(openModel({ model, adapter: `${first}@much` })).rejects.toThrow(/no number behind @/);
});
