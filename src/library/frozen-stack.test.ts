/** An adapter that is trained on top of others: its forward pass has them exactly, and whoever opens it gets them. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readFrozen } from '../adapter/adapter-base.ts';
import { readAdapter } from '../adapter/read-adapter.ts';
import { rewriteModel } from '../adapter/rewrite-model.ts';
import { withUpdates } from '../adapter/updated-model.ts';
import { openGguf } from '../formats/gguf/read.ts';
import {
  convertAdapter,
  exportRun,
  mergeAdapters,
  openModel,
  packBundle,
  pull,
  push,
  tune,
  tuneFrom,
} from '../index.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const model = join(fixtures, 'reference/llama/base.gguf');
const [first, second] = ['first', 'second'].map((name) => join(fixtures, 'merge', name)) as [string, string];
const folder = mkdtempSync(join(tmpdir(), 'nomoat-frozen-'));
const run = join(folder, 'run');
const data = join(folder, 'rows.jsonl');
beforeAll(() => {
  vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
  writeFileSync(
    data,
    ['one odd', 'two even', 'three odd']
      .map((row) => `${JSON.stringify({ prompt: row.split(' ')[0], completion: row.split(' ')[1] })}\n`)
      .join(''),
  );
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

async function scores(options: { model: string; adapter?: string }): Promise<number[]> {
  await using opened = await openModel({ ...options, threads: 1 });
  const { tokens } = await opened.scoreText('number three is odd, number four is even');
  return tokens.flatMap(({ logProbability }) => logProbability ?? []);
}
const apart = (left: readonly number[], right: readonly number[]): number =>
  Math.max(...left.map((value, i) => Math.abs(value - right[i]!)));
/** A chat holds its attention cache in float16. */
const chatBound = 5e-4;

it('a model with updates reads as the one that they are written into', () => {
  const base = openGguf(model);
  const adapter = readAdapter(first, base);
  const path = join(folder, 'merged.gguf');
  rewriteModel(path, base, { type: 'F32', adapter });
  const [merged, updated] = [openGguf(path), withUpdates(base, adapter)];
  let changed = 0;
  for (const name of base.tensors.keys()) {
    expect(updated.readFloat32(name)).toEqual(merged.readFloat32(name));
    if (updated.tensors.get(name) !== base.tensors.get(name)) changed++;
  }
  expect(changed).toBe(adapter.pairs.length);
  const rows = { firstRow: 3, rows: 2 };
  expect(updated.readFloat32('blk.1.attn_q.weight', rows)).toEqual(merged.readFloat32('blk.1.attn_q.weight', rows));
  expect(Buffer.from(updated.readBytes('blk.0.attn_v.weight'))).toEqual(
    Buffer.from(merged.readBytes('blk.0.attn_v.weight')),
  );
  merged.close();
  updated.close();
});

it('is trained on base and stack, and proven with both in llama.cpp', async () => {
  const running = tune({
    model,
    data,
    run,
    frozenAdapter: `${first}@0.7+${second}`,
    maxSteps: 4,
    warmupSteps: 0,
    threads: 1,
    precision: 'f32',
  });
  const found: Record<string, unknown>[] = [];
  for await (const event of running) found.push({ ...event });
  const parity = found.find(({ type }) => type === 'export-parity');
  expect(parity).toMatchObject({ passed: true });
  expect(parity!['meanDifference']).toBeLessThan(1e-4);
  expect(readFrozen(join(run, 'adapter'))?.adapters).toEqual([
    { name: 'first', scale: 0.7 },
    { name: 'second', scale: 1 },
  ]);
  expect(readFileSync(join(run, 'adapter/README.md'), 'utf8')).toContain('trained on top of first@0.7+second');
});

it('whoever opens it has the stack as well: the run, a checkpoint, its folder, its merged model', async () => {
  const whole = await scores({ model: run });
  const [below, own] = [`${first}@0.7+${second}`, join(folder, 'alone.gguf')];
  const told = await exportRun(run, { to: 'gguf', out: own });
  expect(told.notes.join()).toMatch(
    /trained on top of first@0\.7\+second, and is nothing without: .*frozen\.gguf has them/,
  );
  expect(apart(whole, await scores({ model, adapter: `${below}+${own}` }))).toBeLessThan(chatBound);
  for (const other of [{ model }, { model, adapter: below }, { model, adapter: own }])
    expect(apart(whole, await scores(other))).toBeGreaterThan(0.01);
  expect(apart(whole, await scores({ model: join(run, 'checkpoints/000004') }))).toBeLessThan(chatBound);
  expect(apart(whole, await scores({ model, adapter: join(run, 'adapter') }))).toBeLessThan(chatBound);
  const [merged, peft] = [join(folder, 'all.gguf'), join(folder, 'peft')];
  await exportRun(run, { to: 'merged-gguf', out: merged });
  expect(apart(whole, await scores({ model: merged }))).toBeLessThan(0.02);
  await convertAdapter(run, { base: model, to: 'peft', out: peft });
  expect(apart(whole, await scores({ model, adapter: peft }))).toBeLessThan(chatBound);
});

it('packed, pushed and pulled it has the stack as well, and a run that goes on from it', async () => {
  const [bundle, shared] = [join(folder, 'bundle'), join(folder, 'shared/ada/numbers')];
  await packBundle(run, { out: bundle, license: 'mit', baseModel: 'ada/mini', model });
  await expect(openModel({ model: bundle })).rejects.toThrow(/holds an adapter, no model/);
  await push(bundle, { to: shared });
  const { path } = await pull(shared);
  const [digest, frozen] = [readFrozen(run)?.sha256, readFrozen(path)];
  expect(frozen).toMatchObject({ sha256: digest, path: join(path, 'frozen.gguf') });
  // The recipe that comes with it says on what it was trained, which is not there by that name.
  expect(readFileSync(join(path, 'recipe.yaml'), 'utf8')).not.toContain('frozenAdapter');
  const child = join(folder, 'child');
  await tuneFrom(path, { model, data, run: child, maxSteps: 1, safetyShare: 0 }).result;
  expect(readFrozen(child)?.sha256).toBe(digest);
  copyFileSync(second + '/adapter_model.safetensors', join(path, 'frozen.gguf'));
  await expect(packBundle(path, { out: join(folder, 'other'), license: 'mit', model })).rejects.toThrow(
    /is another file than the one that it was trained on top of/,
  );
});

it('is not merged with what stands on something else, and refused without its stack', async () => {
  const out = join(folder, 'none');
  await expect(mergeAdapters([join(run, 'adapter'), first], { base: model, out })).rejects.toThrow(
    /on top of different adapters/,
  );
  const again = tune({ model, data, run: join(folder, 'again'), initialAdapter: run, frozenAdapter: second });
  await expect(again.result).rejects.toThrow(/trained on top of .*frozen\.gguf, and `frozenAdapter` is/);
  writeFileSync(join(folder, 'peft/frozen.gguf'), 'other');
  await expect(openModel({ model, adapter: join(folder, 'peft') })).rejects.toThrow(
    /is another file than the one that it was trained on top of/,
  );
});
