/** A stack of adapters computes what their exact sum does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { madeAdapter, writtenAdapter } from '../../test/made-adapters.ts';
import { evaluate, mergeAdapters, openModel } from '../index.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const model = join(fixtures, 'reference/llama/base.gguf');
const [first, second] = ['first', 'second'].map((name) => join(fixtures, 'merge', name)) as [string, string];
const folder = mkdtempSync(join(tmpdir(), 'nomoat-stack-chat-'));
beforeAll(() => void vi.stubEnv('NOMOAT_HOME', join(folder, 'home')));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

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
  const [merged, stack, base, one] = [
    await scores(out),
    await scores(`${first}@0.7+${second}@-0.4`),
    await scores(),
    await scores(`${first}@0.7`),
  ];
  expect(merged.length).toBeGreaterThan(5);
  // A chat holds its attention cache in float16.
  expect(apart(stack, merged)).toBeLessThan(5e-4);
  for (const other of [base, one]) expect(apart(stack, other)).toBeGreaterThan(0.01);
  await expect(openModel({ model, adapter: `${first}@much` })).rejects.toThrow(/no number behind @/);
});

it('a model is named with its adapters too, and its own may be given a scale', async () => {
  const text = 'number three is odd';
  const scored = async (options: { model: string; adapter?: string }): Promise<number[]> => {
    await using opened = await openModel({ ...options, threads: 1 });
    return (await opened.scoreText(text)).tokens.flatMap(({ logProbability }) => logProbability ?? []);
  };
  const beside = await scored({ model, adapter: `${first}@0.7+${second}` });
  expect(await scored({ model: `${model}+${first}@0.7+${second}` })).toEqual(beside);
  await expect(openModel({ model: `${model}+${first}`, adapter: second })).rejects.toThrow(/names its adapters itself/);
  await expect(openModel({ model: `${model}@0.5` })).rejects.toThrow(/is a model without an adapter, and has a scale/);
  await expect(openModel({ model: `${model}+${folder}/nothing` })).rejects.toThrow(/there is no such file or folder/);
});

it('evaluates a stack beside its base and beside another', async () => {
  const [a, b] = [1, 2].map((seed) => writtenAdapter(join(folder, `seed${seed}`), madeAdapter(seed, 0.5))) as [
    string,
    string,
  ];
  const data = join(folder, 'test.jsonl');
  writeFileSync(
    data,
    Array.from(
      { length: 12 },
      (_, i) => `${JSON.stringify({ prompt: `number ${i}`, completion: i % 2 === 0 ? 'even' : 'odd' })}\n`,
    ).join(''),
  );
  const asked = { data, loss: true, maxTokens: 2, threads: 1 };
  const stack = `nomoat-mini+${a}@0.7+${b}`;
  const { losses, models } = await evaluate({ ...asked, model: stack, against: [`nomoat-mini+${a}`, 'nomoat-mini'] });
  expect(models.map(({ name }) => name)).toEqual(['nomoat-mini+seed1@0.7+seed2', 'nomoat-mini+seed1', 'nomoat-mini']);
  const found = losses!.models.map(({ loss }) => loss);
  expect(new Set(found).size).toBe(3);
  // As the exact sum of both has it; answers that are kept are those of the very scales.
  const out = join(folder, 'sum');
  await mergeAdapters([a, b], { base: 'nomoat-mini', method: 'cat', weights: [0.7, 1], out });
  const sum = await evaluate({ ...asked, model: `nomoat-mini+${out}` });
  expect(sum.models.map(({ name }) => name)).toEqual(['nomoat-mini+sum', 'nomoat-mini']);
  expect(sum.losses!.models[0]!.loss).toBeCloseTo(found[0]!, 3);
});
