/** The files of a run as damage leaves them: opening, listing, showing and resuming end well or in a sentence of ours, soon. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Progress } from '../src/cli/progress.ts';
import { NomoatError } from '../src/errors.ts';
import { readSafetensors } from '../src/formats/safetensors.ts';
import { resolveChat } from '../src/library.ts';
import { plannedAndActual } from '../src/report/sections/cost.ts';
import { readEvents } from '../src/run/event-log.ts';
import { renderReport } from '../src/run/report.ts';
import { listRuns, RunFolder, type RunRecord } from '../src/run/run-folder.ts';
import { runTraining } from '../src/run/run-training.ts';
import { resolveSettings } from '../src/settings/load.ts';
import { loadLatest } from '../src/train/checkpoint.ts';
import { initAdamW } from '../src/train/optimizer.ts';
import type { Parameter } from '../src/train/step.ts';
import { type Mutant, mutations } from './mutate.ts';

const patience = 240_000;
const folder = mkdtempSync(join(tmpdir(), 'nomoat-mutated-'));
vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
const model = join(import.meta.dirname, 'fixtures/reference/llama/base.gguf');
const [root, data] = [join(folder, 'runs'), join(folder, 'data.jsonl')];
const [stopped, damaged] = [join(folder, 'stopped'), join(root, 'damaged')];

/** Processor time that one mutant may take, seconds: whoever waits longer takes it for a hang. */
const maxSeconds = 1;
/** What the system, V8 and the yaml package say, which tells a user nothing. */
const raw =
  /TypeError|RangeError|SyntaxError|ENOENT:|EISDIR:|Unexpected token|Maximum call stack|fault of nomoat|\n +at /;

/** Does `work` with a mutant; it ends well, or in a NomoatError, soon. Returns whether it ended well. */
async function survives(mutant: Mutant, name: string, work: () => unknown, seconds = maxSeconds): Promise<boolean> {
  const begun = process.cpuUsage();
  let whole = true;
  try {
    await work();
  } catch (error) {
    whole = false;
    expect(error, `${name}: ${mutant.how}`).toBeInstanceOf(NomoatError);
    expect((error as NomoatError).message, `${name}: ${mutant.how}`).not.toMatch(raw);
  }
  const { system, user } = process.cpuUsage(begun);
  expect((user + system) / 1e6, `${name}: ${mutant.how}`).toBeLessThan(seconds);
  return whole;
}

let record: RunRecord;
beforeAll(async () => {
  const rows = Array.from({ length: 16 }, (_, i) => ({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' }));
  writeFileSync(data, rows.map((row) => JSON.stringify(row)).join('\n'));
  const options = {
    model,
    batchSize: 4,
    maxSteps: 6,
    checkpointEvery: 2,
    validation: '0.25',
    validateEvery: 2,
    threads: 1,
    // Each resumed run would ask for its twenty seconds.
    safetyShare: 0,
  };
  const settings = await resolveSettings([data], { ...options, run: stopped }, null);
  await runTraining({ settings, resume: false, signal: new AbortController().signal, emit: () => {} });
  record = new RunFolder(stopped).read();
  mkdirSync(root);
  cpSync(stopped, damaged, { recursive: true });
}, patience);

const original = (name: string): Buffer => readFileSync(join(stopped, name));
const put = (name: string, { bytes }: Mutant): void => writeFileSync(join(damaged, name), bytes);
const restore = (): void => {
  rmSync(damaged, { recursive: true, force: true });
  cpSync(stopped, damaged, { recursive: true });
};

describe('damaged files of a run', { timeout: patience }, () => {
  test('run.json: opened, listed, chatted with, shown', async () => {
    let read = 0;
    for (const mutant of mutations(original('run.json'), 1, 500)) {
      put('run.json', mutant);
      const opened = await survives(mutant, 'run.json', () => {
        const { machine: _, ...kept } = new RunFolder(damaged).read();
        renderReport({ ...kept, machine: {} }, []);
      });
      if (opened) read++;
      const [listed] = listRuns(root);
      expect(listed!.state === 'unreadable', mutant.how).toBe(!opened);
      expect(listed!.fault === null, mutant.how).toBe(opened);
      await survives(mutant, 'chat', () => resolveChat({ model: damaged }));
    }
    // Some damage is within texts; how much depends on the paths and the machine that the file names.
    expect(read).toBeGreaterThan(5);
    expect(read).toBeLessThan(450);
    restore();
  });

  test('run.json: resumed', async () => {
    let resumed = 0;
    for (const mutant of mutations(original('run.json'), 2, 200)) {
      restore();
      put('run.json', mutant);
      await survives(
        mutant,
        'resume',
        async () => {
          const { settings } = new RunFolder(damaged).read();
          resumed++;
          // A number of steps with another digit would train for hours.
          const signal = AbortSignal.timeout(4000);
          const given = { ...settings, run: damaged, threads: 1 };
          await runTraining({ settings: given, resume: true, signal, emit: () => {} });
        },
        // A whole proof is made where the damage does not matter.
        30,
      );
    }
    // Few mutants of a JSON file can still be read, and which ones depends on the machine that it describes.
    expect(resumed).toBeGreaterThan(0);
    restore();
  });

  test('run.json: each value another one', async () => {
    const odd = [null, -1, 0, 1.5, 1e18, '', 'x', true, [], [1], {}, { x: 1 }];
    const whole = JSON.parse(original('run.json').toString()) as Record<string, unknown> & { settings: object };
    const changed = [
      ...Object.keys(whole).flatMap((name) => odd.map((value) => ({ ...whole, [name]: value, changed: name }))),
      ...Object.keys(whole.settings).flatMap((name) =>
        odd.map((value) => ({ ...whole, settings: { ...whole.settings, [name]: value }, changed: name })),
      ),
    ];
    expect(changed.length).toBeGreaterThan(500);
    const readable: typeof changed = [];
    for (const record of changed) {
      const mutant = { bytes: Buffer.from(JSON.stringify(record)), how: String(record.changed) };
      put('run.json', mutant);
      if (await survives(mutant, 'run.json', () => new RunFolder(damaged).read())) readable.push(record);
    }
    // Each eighth of them is resumed: that takes a second each.
    for (const record of readable.filter((_, i) => i % 8 === 0)) {
      restore();
      const mutant = { bytes: Buffer.from(JSON.stringify(record)), how: JSON.stringify(record.changed) };
      put('run.json', mutant);
      const resume = async (): Promise<void> => {
        const given = { ...new RunFolder(damaged).read().settings, run: damaged, threads: 1 };
        await runTraining({ settings: given, resume: true, signal: AbortSignal.timeout(4000), emit: () => {} });
      };
      await survives(mutant, 'resume', resume, 30);
    }
    restore();
  });

  test('run.json: each setting absent, or nothing; resumed', async () => {
    const whole = JSON.parse(original('run.json').toString()) as Record<string, unknown> & { settings: object };
    const names = Object.keys(whole.settings);
    expect(names.length).toBeGreaterThan(30);
    let resumed = 0;
    for (const name of names)
      for (const value of [undefined, null]) {
        restore();
        const record = { ...whole, settings: { ...whole.settings, [name]: value } };
        const mutant = { bytes: Buffer.from(JSON.stringify(record)), how: `${name}: ${value}` };
        put('run.json', mutant);
        const resume = async (): Promise<void> => {
          const given = { ...new RunFolder(damaged).read().settings, run: damaged, threads: 1 };
          await runTraining({ settings: given, resume: true, signal: AbortSignal.timeout(4000), emit: () => {} });
        };
        if (await survives(mutant, 'resume', resume, 30)) resumed++;
      }
    expect(resumed).toBeGreaterThan(10);
    restore();
  });

  test('state.json and the weights of a checkpoint', async () => {
    const checkpoints = join(damaged, 'checkpoints');
    const names = readdirSync(checkpoints).sort();
    expect(names.length).toBeGreaterThan(1);
    const newest = join('checkpoints', names.at(-1)!);
    const parameters: Parameter[] = [...readSafetensors(join(stopped, newest, 'parameters.safetensors')).tensors].map(
      ([name, { shape, float32 }]) => ({ name, shape, value: float32(), gradient: new Float32Array(), decays: true }),
    );
    for (const [file, count] of [
      ['state.json', 400],
      ['parameters.safetensors', 60],
      ['optimizer.safetensors', 60],
    ] as const) {
      let broken = 0;
      for (const mutant of mutations(original(join(newest, file)), 3, count)) {
        put(join(newest, file), mutant);
        const loaded = await survives(mutant, file, () => {
          const { broken: passedOver, state } = loadLatest(checkpoints, parameters, initAdamW(parameters))!;
          broken += passedOver.length;
          expect([Number(names.at(-1)), Number(names.at(-2))]).toContain(state.step);
        });
        expect(loaded, 'the one before is whole').toBe(true);
      }
      expect(broken).toBeGreaterThan(count / 3);
      restore();
    }
  });

  test('events.jsonl: read, shown and reported', async () => {
    const path = join(damaged, 'events.jsonl');
    const out = new PassThrough();
    out.resume();
    let damagedLogs = 0;
    for (const mutant of mutations(original('events.jsonl'), 4, 400)) {
      put('events.jsonl', mutant);
      await survives(mutant, 'events.jsonl', () => {
        const events = readEvents(path);
        if (events.some((e) => e.type === 'notice' && e.code === 'damaged-log')) damagedLogs++;
        plannedAndActual(events);
        const page = renderReport(record, events);
        // But for the page's scripts.
        expect(page.replace(/<script>[\s\S]*?<\/script>/g, '')).not.toMatch(/undefined|\[object Object\]|NaN/);
        const progress = new Progress(out);
        for (const event of events) progress.show(event);
      });
    }
    expect(damagedLogs).toBeGreaterThan(100);
    restore();
  });

  test('recipe.yaml', async () => {
    const path = join(folder, 'recipe.yaml');
    let whole = 0;
    for (const mutant of mutations(original('recipe.yaml'), 5, 800)) {
      writeFileSync(path, mutant.bytes);
      if (await survives(mutant, 'recipe.yaml', () => resolveSettings([data], { run: join(folder, 'new') }, path)))
        whole++;
    }
    // Some twenty: the recipe has paths of this run's folder, whose name is another each time.
    expect(whole).toBeGreaterThan(10);
  });
});
