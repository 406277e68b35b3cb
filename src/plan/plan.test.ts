import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { runRecord, runSettings } from '../../test/made-runs.ts';
import { stepsOf } from '../batches/order.ts';
import { NomoatError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { writeGguf } from '../formats/gguf/write.ts';
import { parameterCount } from '../models/config.ts';
import { randomModel } from '../models/random-model.ts';
import { plannedAndActual } from '../report/sections/cost.ts';
import { openWeights } from '../run/open-weights.ts';
import { renderReport } from '../run/report.ts';
import { resumedDecision } from '../run/resumed-decision.ts';
import { RunFolder } from '../run/run-folder.ts';
import { runTraining } from '../run/run-training.ts';
import { loadKernels } from '../runtime/native/load.ts';
import { type Given, resolveSettings } from '../settings/load.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { arithmeticOf } from './arithmetic.ts';
import { contextOf, settingOf, trainingMemory } from './context.ts';
import type { Decision } from './decide.ts';
import { planTuning, variantsOf } from './plan-variants.ts';
import { usualPrices } from './prices.ts';
import { workOf } from './work.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-plan-'));
const llama = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const data = join(folder, 'data.jsonl');
beforeAll(() => {
  vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
  const rows = Array.from({ length: 40 }, (_, i) => ({
    prompt: `number ${'x'.repeat(i % 7)} ${i}`,
    completion: i % 2 ? 'odd' : 'even',
  }));
  writeFileSync(data, rows.map((row) => JSON.stringify(row)).join('\n'));
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** What the machine pretends to have; null is the truth. */
const machine = vi.hoisted(() => ({ memory: null as number | null, disk: null as number | null }));
vi.mock('../machine/machine.ts', async (original) => {
  const real = await original<typeof import('../machine/machine.ts')>();
  return {
    ...real,
    memoryBytes: () =>
      machine.memory === null ? real.memoryBytes() : { total: machine.memory, available: machine.memory },
    diskFreeBytes: (path: string) => machine.disk ?? real.diskFreeBytes(path),
  };
});

const row = (length: number, supervised: number): TokenRow => ({
  tokens: new Int32Array(length),
  supervised: Uint8Array.from({ length }, (_, i) => (i >= length - supervised ? 1 : 0)),
  source: { file: 'x', line: 1 },
});
const settings = runSettings({}, { epochs: 2, shuffle: false });

test('the work of a run is that of its own micro-batches', () => {
  // Steps of 4 x 150 tokens: three rows a micro-batch of 512, and one alone.
  const rows = Array.from({ length: 8 }, () => row(150, 5));
  const { typical, work } = workOf({ train: rows, validation: [row(50, 4), row(60, 3)], prefix: 0 }, settings);
  expect(work).toMatchObject({
    steps: 4,
    microBatchesPerStep: 2,
    tokensPerStep: 600,
    realTokensPerStep: 600,
    supervisedPerStep: 20,
    largestMicroBatch: 450,
    validations: 5,
    validationTokens: 110,
    validationSupervised: 7,
  });
  expect([150, 450]).toContain(typical.tokens.length);
  expect(stepsOf(9, settings)).toEqual({ perEpoch: 3, steps: 6 });
  expect(stepsOf(9, { ...settings, maxSteps: 5 }).steps).toBe(5);
});

test('of preferences the pass for the reference is work, both answers count, and it takes time', () => {
  const pairs = Array.from({ length: 8 }, () => ({ ...row(150, 5), rejected: row(140, 7) }));
  const of = (method: RunSettings['method']) =>
    workOf({ train: pairs, validation: pairs.slice(0, 2), prefix: 0 }, { ...settings, method }).work;
  const [dpo, simpo] = [of('dpo'), of('simpo')];
  expect(dpo).toMatchObject({ validationSupervised: 24, referenceSupervised: 120 });
  expect(dpo.referenceTokens).toBeGreaterThan(5 * dpo.validationTokens - 1);
  expect(simpo).toMatchObject({ referenceTokens: 0, referenceSupervised: 0 });
  expect(of('kto').referenceTokens).toBe(2 * dpo.referenceTokens);
});

test('a shared prefix is work once per micro-batch, and real in every row', () => {
  const rows = Array.from({ length: 8 }, () => row(150, 5));
  const held = [row(150, 4), row(160, 3)];
  const { work } = workOf({ train: rows, validation: held, prefix: 140 }, settings);
  expect(work).toMatchObject({
    microBatchesPerStep: 1,
    tokensPerStep: 180,
    realTokensPerStep: 600,
    largestMicroBatch: 180,
  });
  expect(work.validationTokens).toBe(140 + 10 + 20);
});

test('a plan counts with the engine that the run will have', () => {
  const model = openGguf(llama);
  const prepared = { train: [row(8, 1)], validation: [], prefix: 0 };
  const context = contextOf({ model, prepared, threads: 1, held: 0, probe: null });
  const kernels = (engine: RunSettings['engine'], streamed = false): boolean =>
    settingOf(context, { ...settings, engine }, 'int8', { activations: 'recompute', streamed }).kernels;
  const areHere = loadKernels().kernels !== null;
  expect([kernels('onnxruntime'), kernels('auto'), kernels('native')]).toEqual([false, areHere, areHere]);
  expect(kernels('native', true)).toBe(areHere);
  model.close();
});

test('the other ways to run', () => {
  const lora: RunSettings = { ...settings, method: 'lora', rank: 8, targetModules: ['q_proj', 'up_proj'] };
  const { work } = workOf({ train: Array.from({ length: 8 }, () => row(100, 5)), validation: [], prefix: 0 }, lora);
  const mlp = ['gate_proj', 'up_proj', 'down_proj'];
  const changes = (of: RunSettings, small = false) => variantsOf(of, work, 'f32', small).map((v) => v.changes);
  expect(changes(lora)).toEqual([{ epochs: 1 }, { microBatchSize: 1, precision: 'int8' }, { epochs: 3, rank: 16 }]);
  expect(changes({ ...lora, epochs: 1 }, true)).toEqual([
    { targetModules: mlp },
    { microBatchSize: 1 },
    { epochs: 2, rank: 16 },
  ]);
  // Twice the steps have to have their passes.
  expect(changes({ ...lora, maxSteps: work.steps })).toEqual([
    { targetModules: mlp },
    { microBatchSize: 1, precision: 'int8' },
    { maxSteps: 2 * work.steps, epochs: 4, rank: 16 },
  ]);
  expect(changes({ ...lora, method: 'full', epochs: 1 })).toEqual([{ microBatchSize: 1 }, { epochs: 2 }]);
});

const planOf = async (given: Given, prices = usualPrices): ReturnType<typeof planTuning> =>
  planTuning(
    await resolveSettings([data], { model: llama, threads: 1, run: join(folder, 'none'), ...given }, null),
    prices,
  );

test('a plan of a real model, without a run', async () => {
  const report = await planOf({ validation: '0.2' });
  const names = report.plans.map(({ name }) => name);
  expect(names).toEqual(['as asked', 'faster', ...(names.includes('leaner') ? ['leaner'] : []), 'better']);
  for (const plan of report.plans) {
    for (const [name, value] of Object.entries(plan))
      if (typeof value === 'number') expect(value, name).toBeGreaterThan(0);
    expect(plan.seconds).toBeGreaterThan(plan.firstStepSeconds);
    expect(plan.kilowattHours).toBeCloseTo((usualPrices.watts * plan.seconds) / 3.6e6, 9);
  }
  const [asked, faster] = report.plans;
  expect(faster!.seconds).toBeLessThan(asked!.seconds);
  expect(report.recommended).toBe('as asked');
  expect(report.probe.int8Rate).toBeGreaterThan(0);
});

test('a model that was not measured can be planned too: every weight trained', async () => {
  const { plans } = await planOf({ method: 'full' });
  expect(plans.map(({ name }) => name)).toEqual(['as asked', 'faster', 'leaner', 'better']);
  expect(plans[0]!.seconds).toBeGreaterThan(0);
});

const train = async (given: Given, run: string, stopAfter = 2, resume = false): Promise<RunEvent[]> => {
  const asked = resume
    ? new RunFolder(run).read().settings
    : await resolveSettings([data], { model: llama, threads: 1, ...given, run }, null);
  const events: RunEvent[] = [];
  const abort = new AbortController();
  const emit = (event: RunEvent): void => {
    events.push(event);
    if (event.type === 'step-end' && event.step + 1 === stopAfter) abort.abort();
  };
  await runTraining({ settings: asked, resume, signal: abort.signal, emit });
  return events;
};

test('a plan within memory that was given says when nothing fits it', async () => {
  const { advice, recommended, room } = await planOf({ memory: '200MB' });
  expect(room.memoryBytes).toBe(200e6);
  expect(recommended).toBeNull();
  expect(advice).toMatch(/^Nothing here fits the memory \(.* at least\)/);
});

test('where every weight is trained, nothing is planned in int8, and no copy of the base', async () => {
  const asked = await resolveSettings([data], { model: llama, threads: 1, run: 'none', method: 'full' }, null);
  const model = openGguf(llama);
  const seen = { small: false, probe: { saturates: false, int8Rate: 9e9, float32Rate: 1e9 } };
  expect(arithmeticOf({ ...asked, precision: 'int8' }, seen)).toMatchObject({ precision: 'f32' });
  expect(arithmeticOf({ ...asked, precision: 'int8', method: 'lora' }, seen)).toMatchObject({ precision: 'int8' });
  const { plans } = await planOf({ method: 'full' });
  const weights = parameterCount(model);
  // Checkpoints, the result and the float32 copy of it that it is proven on, all in the run.
  expect(plans[0]!.diskBytes).toBe(weights * (4 * 12 + 2 + 4));
  model.close();
});

test('a run in float32 whose plan streams goes on to read its blocks from the file', async () => {
  const model = openGguf(llama);
  const decision: Decision = {
    precision: 'f32',
    reason: 'as asked',
    fallsBack: false,
    probe: null,
    activations: 'recompute',
    streamed: true,
    microBatchTokens: 512,
  };
  const options = { model, rows: [], threads: 1, streamTo: join(folder, 'layers') };
  expect((await openWeights({ ...options, decision })).weights!.streamed).toBe(true);
  expect((await openWeights({ ...options, decision: { ...decision, streamed: false } })).weights).toBeNull();
  model.close();
});

test('the arithmetic: as asked, by size, by what the kernels do, and why', () => {
  const at = (int8Rate: number, small = false) => ({ small, probe: { saturates: false, int8Rate, float32Rate: 1e9 } });
  const lora = { method: 'lora', device: 'cpu' } as const;
  const auto = { ...lora, precision: 'auto' } as const;
  const float32 = { precision: 'f32', fallsBack: false, probe: null } as const;
  expect(arithmeticOf({ ...lora, precision: 'f32' }, at(9e9))).toEqual({ ...float32, reason: 'as asked' });
  expect(arithmeticOf({ ...auto, device: 'webgpu' }, { small: false, probe: null })).toEqual({
    ...float32,
    reason: 'as WebGPU computes',
  });
  expect(arithmeticOf(auto, at(9e9, true))).toEqual({ ...float32, reason: 'the model is small' });
  expect(arithmeticOf({ ...lora, precision: 'int8' }, at(1e9, true))).toMatchObject({
    precision: 'int8',
    fallsBack: false,
    reason: 'as asked',
  });
  expect(arithmeticOf(auto, at(1.2e9))).toMatchObject({
    precision: 'f32',
    reason: 'int8 products are only 1.2 times as fast here',
    probe: { int8Rate: 1.2e9 },
  });
  expect(arithmeticOf(auto, at(2e9))).toMatchObject({
    precision: 'int8',
    fallsBack: true,
    reason: 'its products are 2.0 times as fast here',
  });
});

test('a run that cannot fit is refused before its folder is made, with what would', async () => {
  const run = join(folder, 'refused');
  // This process alone holds more than that.
  const refused = await train({ memory: '200MB' }, run).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(NomoatError);
  expect((refused as NomoatError).message).toMatch(/needs about .* of memory, and there are 200 MB.*smaller `model`/);
  machine.disk = 1000;
  await expect(train({}, run)).rejects.toThrow(/disk/);
  machine.disk = null;
  expect(() => new RunFolder(run).read()).toThrow(/there is no such run/);
});

test('what the data decided is told, stored, and kept on resuming; the plan too', async () => {
  const run = join(folder, 'decided');
  const events = await train({}, run);
  const record = new RunFolder(run).read();
  expect(record.settings).toMatchObject({ sequenceLength: 64, batchSize: 4, epochs: 6, rank: 8, learningRate: 0.005 });
  const said = events.find((e) => e.type === 'notice' && e.code === 'defaults');
  expect(said).toMatchObject({ message: record.chosenFromData });
  const recipe = readFileSync(join(run, 'recipe.yaml'), 'utf8');
  expect(recipe).toContain(`# ${record.chosenFromData}\n`);
  expect(recipe).toContain('batchSize: 4\n');
  expect(record.settings.precision).toBe('auto');
  expect(recipe).toContain('precision: f32\n');
  const plan = events.find((e) => e.type === 'plan');
  expect(plan).toEqual(record.plan);
  expect(plan).toMatchObject({ measured: false, precision: 'f32' });
  const resumed = await train({}, run, 4, true);
  expect(resumed.find((e) => e.type === 'run-start')).toMatchObject({ resumedFromStep: 2, settings: record.settings });
  expect(new RunFolder(run).events().filter((e) => e.type === 'plan')).toEqual([plan]);
  expect(resumed.some((e) => e.type === 'notice' && e.code === 'defaults')).toBe(false);
});

test('a resumed run keeps what it began with, unless this machine has not the memory for that', () => {
  const model = openGguf(llama);
  const rows = Array.from({ length: 8 }, () => row(400, 50));
  const context = contextOf({
    model,
    prepared: { train: rows, validation: [], prefix: 0 },
    threads: 1,
    held: 1e6,
    probe: null,
  });
  const lora: RunSettings = { ...settings, rank: 8, targetModules: ['q_proj'], run: folder };
  const began = runRecord(lora);
  machine.memory = 8e9;
  expect(resumedDecision(context, began, true)).toMatchObject({
    decision: { activations: 'keep', streamed: false },
    notice: null,
  });
  const { work } = workOf(context.prepared, began.settings);
  const lean = trainingMemory(
    context,
    began.settings,
    { precision: 'f32', activations: 'recompute', streamed: false },
    work,
  );
  expect(lean).toBeLessThan(
    trainingMemory(context, began.settings, { precision: 'f32', activations: 'keep', streamed: false }, work),
  );
  machine.memory = lean - context.held;
  const leaner = resumedDecision(context, began, true);
  expect(leaner.decision.activations).toBe('recompute');
  expect(leaner.notice).toMatch(
    /began with room for about .* of memory, and here are .*: activations are computed again from here on/,
  );
  machine.memory = 1e6;
  expect(resumedDecision(context, runRecord({ ...lora, method: 'full' }), true).notice).toMatch(/it may not fit/);
  machine.memory = null;
  model.close();
});

test.skipIf(!loadKernels().kernels)(
  'a resumed run of the kernels reads its blocks from the disk where memory is short',
  () => {
    const path = join(folder, 'deep.gguf');
    const size = { layers: 8, modelWidth: 64, heads: 2, feedForward: 128, vocabulary: 320, contextLength: 512 };
    const rest = { tokenizer: new Map(), vocabulary: 320, contextLength: 512, init: 'neox', seed: 1 } as const;
    writeGguf(path, randomModel({ name: 'deep', size, ...rest }));
    const model = openGguf(path);
    const rows = Array.from({ length: 2 }, () => row(20, 5));
    const prepared = { train: rows, validation: [], prefix: 0 };
    const probe = { saturates: false, int8Rate: 2e11, float32Rate: 1e11 };
    const context = contextOf({ model, prepared, threads: 1, held: 1e6, probe });
    const int8: RunSettings = { ...settings, rank: 8, targetModules: ['q_proj'], run: folder, precision: 'int8' };
    const began = { ...runRecord(int8), engine: 'native avx2' };
    const { work } = workOf(context.prepared, int8);
    const least = (streamed: boolean): number =>
      trainingMemory(context, int8, { precision: 'int8', activations: 'recompute', streamed }, work);
    machine.memory = least(true) + 1000 - context.held;
    const resumed = resumedDecision(context, began, true);
    expect(resumed.decision).toMatchObject({ activations: 'recompute', streamed: true });
    expect(resumed.notice).toMatch(/blocks read from the disk from here on/);
    machine.memory = null;
    model.close();
  },
);

test('memory of more than the machine has is planned with what it has, and said', async () => {
  const run = join(folder, 'boast');
  machine.memory = 2e9;
  const events = await train({ memory: '64GB', epochs: 1 }, run, 1);
  machine.memory = 1e6;
  const refused = await train({ memory: '64GB' }, join(folder, 'boast-more')).catch((error: unknown) => error);
  machine.memory = null;
  const said = events.find((e) => e.type === 'notice' && e.message.startsWith('`memory'));
  expect(said).toMatchObject({ message: "`memory: '64GB'`: this machine has 2.0 GB, with which the run was planned." });
  expect((refused as NomoatError).message).toMatch(
    /needs about .* of memory, and there are 1 MB.*a machine with more memory/,
  );
});

test('flags win over the data', async () => {
  const events = await train(
    { sequenceLength: 40, batchSize: 8, epochs: 1, rank: 2, learningRate: 0.01 },
    join(folder, 'given'),
  );
  expect(events.find((e) => e.type === 'run-start')).toMatchObject({
    settings: { sequenceLength: 40, batchSize: 8, epochs: 1, rank: 2, learningRate: 0.01 },
  });
  expect(events.some((e) => e.type === 'notice' && e.code === 'defaults')).toBe(false);
});

test('plan and actual stand side by side in the report', async () => {
  const run = join(folder, 'whole');
  const events = await train({ epochs: 1 }, run, 1000);
  const compared = plannedAndActual(events);
  expect(compared.map(({ what }) => what)).toEqual([
    'firstStepSeconds',
    'seconds',
    'tokensPerSecond',
    'peakMemoryBytes',
  ]);
  for (const { actual, planned } of compared) {
    expect(planned).toBeGreaterThan(0);
    expect(actual).toBeGreaterThan(0);
  }
  const json = JSON.parse(readFileSync(join(run, 'report.json'), 'utf8')) as { plannedAndActual: unknown };
  expect(json.plannedAndActual).toEqual(compared);
  const html = readFileSync(join(run, 'report.html'), 'utf8');
  expect(html).toContain('Planned and actual');
  const record = new RunFolder(run).read();
  const bare = renderReport(
    record,
    events.filter((e) => e.type !== 'plan'),
  );
  expect(bare).not.toContain('Planned and actual');
  // A million steps: no more arguments than a call may have, and a page that a browser opens.
  const step = events.find((e) => e.type === 'step-end')!;
  const long = renderReport(record, [...events, ...Array.from({ length: 1e6 }, (_, i) => ({ ...step, step: i }))]);
  expect(long).toContain('999999');
  expect(long.length).toBeLessThan(bare.length + 100_000);
});
