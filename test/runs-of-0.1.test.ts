/**
 * Runs as nomoat 0.1 left them (fixtures/runs-of-0.1, written by commit f01151c): their files carry no version, and are read, shown and gone on
 * from. What a newer nomoat wrote is named as that.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunEvent } from '../src/events.ts';
import { readEvents } from '../src/run/event-log.ts';
import { renderReport } from '../src/run/report.ts';
import { listRuns, RunFolder } from '../src/run/run-folder.ts';
import { runTraining } from '../src/run/run-training.ts';
import { readState } from '../src/train/trainer-state.ts';

const fixtures = join(import.meta.dirname, 'fixtures/runs-of-0.1');
const base = join(import.meta.dirname, 'fixtures/reference/llama/base.gguf');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-old-'));
vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const run = join(folder, 'runs', 'tune');
const log = join(run, 'events.jsonl');
const state = join(run, 'checkpoints/000010/state.json');
const changed = (path: string, change: (text: string) => string): void =>
  writeFileSync(path, change(readFileSync(path, 'utf8')));

/** The fixture as if it had been made here: its log is left as it is, whose length the checkpoint knows. */
beforeEach(() => {
  rmSync(join(folder, 'runs'), { recursive: true, force: true });
  cpSync(fixtures, join(folder, 'runs'), { recursive: true });
  const placed = (text: string): string =>
    text
      .replaceAll(JSON.stringify('FOLDER-0.1/base.gguf'), JSON.stringify(base))
      .replaceAll(JSON.stringify('FOLDER-0.1/pairs.jsonl'), JSON.stringify(join(run, 'pairs.jsonl')))
      .replaceAll(JSON.stringify('FOLDER-0.1/run'), JSON.stringify(run));
  changed(join(run, 'run.json'), placed);
});

describe('without a version', () => {
  test('the fixtures have none', () => {
    for (const path of [join(run, 'run.json'), state, log, join(folder, 'runs/pretrain/run.json')])
      expect(readFileSync(path, 'utf8')).not.toContain('"version"');
  });

  test('run.json is read, listed and reported as version 1', () => {
    expect(new RunFolder(run).read()).toMatchObject({
      version: 1,
      state: 'interrupted',
      rows: 9,
      settings: { method: 'lora', rank: 2, pretrain: null },
    });
    const runs = listRuns(join(folder, 'runs'));
    expect(runs.map(({ fault, state: said }) => [said, fault])).toEqual([
      ['done', null],
      ['interrupted', null],
    ]);
    expect(runs[0]!.record).toMatchObject({ settings: { method: 'pretrain', pretrain: { size: 'nano' } } });
    for (const { path, record } of runs) expect(renderReport(record!, new RunFolder(path).events())).toContain('<html');
  });

  test('every line of events.jsonl is an event', () => {
    for (const [name, count] of [
      ['tune', 22],
      ['pretrain', 14],
    ] as const) {
      const events = readEvents(join(folder, 'runs', name, 'events.jsonl'));
      expect(events).toHaveLength(count);
      expect(events.map(({ type }) => type)).not.toContain('error');
      expect(events.filter((e) => e.type === 'notice' && /-log$/.test(e.code))).toEqual([]);
    }
  });

  test('state.json says where the run stands', () => {
    expect(readState(state, 10)).toMatchObject({ step: 10, updates: 10, eventBytes: 4244 });
  });

  test('the run goes on to its end, and its files then carry a version', async () => {
    const events: RunEvent[] = [];
    const record = new RunFolder(run).read();
    const [signal, emit] = [new AbortController().signal, (event: RunEvent): void => void events.push(event)];
    await runTraining({ settings: record.settings, resume: true, signal, emit });
    expect(events.find(({ type }) => type === 'run-start')).toMatchObject({ version: 1, resumedFromStep: 10 });
    expect(events.find(({ type }) => type === 'run-end')).toMatchObject({ state: 'done', steps: 18 });
    const version = (path: string): unknown => (JSON.parse(readFileSync(path, 'utf8')) as { version?: number }).version;
    expect([join(run, 'run.json'), join(run, 'checkpoints/000018/state.json')].map(version)).toEqual([1, 1]);
    const steps = readEvents(log).flatMap((e) => (e.type === 'step-end' ? [e.step] : []));
    expect(steps).toEqual(Array.from({ length: 18 }, (_, i) => i));
  });
});

describe('of a newer nomoat', () => {
  const newer = (text: string): string => text.replace('{', '{"version":2,');
  const fault = /is of version 2, and this nomoat reads versions up to 1\. A newer nomoat wrote it/;

  test('run.json and state.json are refused for that, not for what they hold', () => {
    changed(join(run, 'run.json'), (text) => newer(text).replace('"state"', '"stage"'));
    expect(() => new RunFolder(run).read()).toThrow(fault);
    expect(listRuns(join(folder, 'runs'))[1]).toMatchObject({
      state: 'unreadable',
      fault: expect.stringContaining('version 2'),
    });
    changed(state, newer);
    expect(() => readState(state, 10)).toThrow(fault);
  });

  test('what it wrote in events.jsonl is left out and said, up to where this one goes on', () => {
    const old = readFileSync(log, 'utf8');
    const count = readEvents(log).length;
    changed(log, (text) => `${newer(text)}${old}`);
    const events = readEvents(log);
    expect(events.slice(0, -1)).toHaveLength(count);
    expect(events.at(-1)).toMatchObject({ type: 'notice', code: 'newer-log' });
  });

  test.each([0, -1, 1.5, '"1"', 'null', '{}'])('a version %s is no version', (version) => {
    changed(join(run, 'run.json'), (text) => text.replace('{', `{"version":${version},`));
    expect(() => new RunFolder(run).read()).toThrow(/is no record of a run \(version: /);
    changed(log, (text) => text.replace('{', `{"version":${version},`));
    expect(readEvents(log).at(-1)).toMatchObject({ code: 'damaged-log', message: expect.stringContaining('1 of 22') });
  });
});
