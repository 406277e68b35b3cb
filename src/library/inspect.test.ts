import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { madeAdapter, miniPath, writtenAdapter } from '../../test/made-adapters.ts';
import { writeAdapterBase } from '../adapter/adapter-base.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { loraScale } from '../lora/adapter.ts';
import { readModelConfig } from '../models/config.ts';
import { readProjection } from '../models/weights.ts';
import { digestOf } from '../store/file-digest.ts';
import { compareAdapters } from './compare-adapters.ts';
import { inspectAdapter } from './inspect.ts';
import { softenAdapter } from './soften-adapter.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-inspect-'));
beforeAll(() => void vi.stubEnv('NOMOAT_HOME', join(folder, 'home')));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
const write = (name: string, adapter = madeAdapter(1, 0.05)): string => writtenAdapter(join(folder, name), adapter);
const model = miniPath;

test('each update is measured beside its weight', async () => {
  const adapter = madeAdapter(1, 0.05);
  const seen: string[] = [];
  const inspection = await inspectAdapter({
    adapter: write('plain', adapter),
    model,
    intruders: false,
    onProgress: ({ done, total }) => void seen.push(`${done}/${total}`),
  });
  const pairs = adapter.pairs.length;
  expect(seen).toEqual(Array.from({ length: pairs }, (_, i) => `${i}/${pairs}`));
  const [pair, report] = [adapter.pairs[3]!, inspection.updates[3]!];
  let squares = 0;
  for (let i = 0; i < pair.outFeatures; i++)
    for (let j = 0; j < pair.inFeatures; j++) {
      const product = pair.b[2 * i]! * pair.a[j]! + pair.b[2 * i + 1]! * pair.a[pair.inFeatures + j]!;
      squares += (loraScale({ ...pair, rslora: false }) * product) ** 2;
    }
  const base = openGguf(model);
  const weight = readProjection(base, readModelConfig(base), { layer: 1, projection: 'v_proj' });
  base.close();
  expect(report).toMatchObject({ layer: 1, projection: 'v_proj', intruders: null });
  expect(report.norm).toBeCloseTo(Math.sqrt(squares), 6);
  expect(report.weightNorm).toBeCloseTo(Math.hypot(...weight), 4);
  expect(report.relative).toBeCloseTo(report.norm / report.weightNorm, 10);
  expect(report.effectiveRank).toBeGreaterThan(1);
  expect(report.effectiveRank).toBeLessThanOrEqual(2);
  expect(inspection.spectral).toMatchObject({
    clean: [],
    figures: [],
    verdict: expect.stringMatching(/No clean adapters/),
  });
  expect(inspection.lineage).toMatchObject({
    ranks: [2],
    alphas: [4],
    scales: [2],
    run: null,
    base: { file: 'nomoat-mini.gguf', same: null },
  });
});

test('a direction that is stronger than the weight’s own is an intruder, and small updates have none', async () => {
  const adapter = madeAdapter(2, 1e-4);
  for (const pair of adapter.pairs)
    if (pair.layer === 2 && pair.projection === 'q_proj')
      pair.b.set(pair.b.map((value, i) => (i % 2 === 0 ? 2e5 * value : 0)));
  const { updates } = await inspectAdapter({ adapter: write('intruder', adapter), model });
  const found = updates.filter(({ intruders }) => intruders!.intruders.length > 0);
  expect(found.map(({ layer, projection }) => `${layer} ${projection}`)).toEqual(['2 q_proj']);
  expect(found[0]!.intruders!.intruders[0]).toMatchObject({ index: 0 });
  expect(found[0]!.intruders!.residual).toBeLessThan(1e-2);
});

describe('beside clean adapters', () => {
  test('five that are alike make another unusual, and the verdict never says safe', async () => {
    const clean = [11, 12, 13, 14, 15].map((seed) => write(`clean-${seed}`, madeAdapter(seed, 0.05)));
    const look = (adapter: string, others = clean) =>
      inspectAdapter({ adapter, model, intruders: false, clean: others });
    const unusual = await look(write('loud', madeAdapter(16, 0.5)));
    expect(unusual.spectral.verdict).toMatch(/^Unusual beside 5 adapters on this base: top of q_proj, norm of q_proj/);
    const usual = await look(write('alike', madeAdapter(17, 0.05)));
    expect(usual.spectral.verdict).toMatch(/^None of 10 figures is unusual beside 5 adapters/);
    expect(usual.spectral.verdict).not.toMatch(/\bsafe\b/);
    expect(usual.spectral.verdict).toMatch(/says nothing of what the adapter does/);
    expect((await look(clean[0]!, clean.slice(1))).spectral.verdict).toMatch(/^4 adapters on this base are too few/);
  });
});

test('its base is found by its digest, and it is said whether it is the same file', async () => {
  const path = write('based');
  await expect(inspectAdapter({ adapter: path })).rejects.toMatchObject({
    code: 'base-not-found',
    remedy: 'Give the base as `model`.',
  });
  const base = openGguf(model);
  writeAdapterBase(path, { file: 'nomoat-mini.gguf', bytes: base.byteLength, sha256: await digestOf(model) });
  base.close();
  expect(await inspectAdapter({ adapter: path, intruders: false })).toMatchObject({
    lineage: { base: { same: true } },
    notes: [],
  });
});

test('two adapters: one with itself, with a stranger, and with one of other modules', async () => {
  const [first, other] = [write('first'), write('other', madeAdapter(2, 0.05))];
  const same = await compareAdapters({ adapter: first, other: first, model });
  expect(same.cosine).toBeCloseTo(1, 10);
  expect(same.updates[0]!.outputs).toBeCloseTo(1, 8);
  const strangers = await compareAdapters({ adapter: first, other, model });
  expect(Math.abs(strangers.cosine!)).toBeLessThan(0.1);
  expect(strangers.updates[0]!.inputs).toBeLessThan(0.2);
  const partly = await compareAdapters({
    adapter: first,
    other: write('partly', madeAdapter(1, 0.05, ['v_proj'])),
    model,
  });
  expect([partly.onlyFirst, partly.onlyOther, partly.updates.length]).toEqual([6, 0, 6]);
  expect(partly.cosine!).toBeLessThan(0.9);
});

test('what is not there, and an interruption, are said', async () => {
  await expect(inspectAdapter({ adapter: join(folder, 'nowhere'), model })).rejects.toMatchObject({
    code: 'adapter-not-found',
  });
  await expect(inspectAdapter({ adapter: '  ', model })).rejects.toMatchObject({ fault: 'is empty' });
  const abort = new AbortController();
  const stopped = inspectAdapter({
    adapter: write('stopped'),
    model,
    signal: abort.signal,
    onProgress: ({ done }) => done === 2 && abort.abort(),
  });
  await expect(stopped).rejects.toMatchObject({ kind: 'interrupted' });
});

test('softening writes a copy with less of its intruders, with the loss before and after; without any, nothing', async () => {
  const adapter = madeAdapter(2, 1e-4);
  for (const pair of adapter.pairs)
    if (pair.layer === 2 && pair.projection === 'q_proj')
      pair.b.set(pair.b.map((value, i) => (i % 2 === 0 ? 2e5 * value : 0)));
  const [data, out] = [join(folder, 'soften.jsonl'), join(folder, 'soft')];
  writeFileSync(data, JSON.stringify({ prompt: 'What is a cat?', completion: 'An animal.' }));
  const soft = await softenAdapter({ adapter: write('hard', adapter), model, out, factor: 0, data });
  expect(soft).toMatchObject({ intruders: 1, weights: 1 });
  expect(soft.loss!.tokens).toBeGreaterThan(2);
  expect(Math.abs(soft.loss!.before - soft.loss!.after)).toBeGreaterThan(1e-3);
  const again = await softenAdapter({ adapter: out, model, out: join(folder, 'never') });
  expect(again).toMatchObject({ intruders: 0, files: [], loss: null });
  expect(existsSync(join(folder, 'never'))).toBe(false);
});
