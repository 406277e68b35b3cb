/** Every option of `tune` changes something in a real run: a tiny model, three steps, no engine but the trainer's. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { RunEvent } from '../src/events.ts';
import { openGguf } from '../src/formats/gguf/read.ts';
import { threadsOf } from '../src/machine/machine.ts';
import { runTraining } from '../src/run/run-training.ts';
import { startRun } from '../src/run/start-run.ts';
import { StepMeter } from '../src/run/step-meter.ts';
import { type Given, resolveSettings } from '../src/settings/load.ts';
import { type TuneOptionName, tuneOptions } from '../src/settings/options.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-options-'));
const reference = join(import.meta.dirname, 'fixtures/reference');
const llama = join(reference, 'llama/base.gguf');
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Shapes of the micro-batches, which no event tells. */
const shapes: string[] = [];
vi.mock('../src/batches/pack.ts', async (original) => {
  const module = await original<typeof import('../src/batches/pack.ts')>();
  return {
    ...module,
    packRows: (...args: Parameters<typeof module.packRows>) => {
      const batches = module.packRows(...args);
      shapes.push(batches.map(({ segmentStarts, tokens }) => `${tokens.length}/${segmentStarts.length - 1}`).join());
      return batches;
    },
  };
});

const data = {
  chats: ['chats.jsonl', Array.from({ length: 12 }, (_, i) => ({ messages: [{ role: 'user', content: `number ${'x'.repeat(i)} ${i}` }, { role: 'assistant', content: i % 2 ? 'odd' : 'even' }] }))], // biome-ignore format: a table
  both: ['both.jsonl', Array.from({ length: 12 }, (_, i) => ({ prompt: `number ${i}`, completion: 'odd', text: `a text ${i}` }))], // biome-ignore format: a table
  shared: ['shared.jsonl', Array.from({ length: 12 }, (_, i) => ({ messages: [{ role: 'system', content: 'You say whether a number is odd.' }, { role: 'user', content: `number ${i}` }, { role: 'assistant', content: i % 2 ? 'odd' : 'even' }] }))], // biome-ignore format: a table
  keys: ['keys.jsonl', Array.from({ length: 12 }, (_, i) => ({ prompt: `what is ${i === 4 ? `${'AKIA'}QWERTYUIOP234567` : i}`, completion: 'a thing' }))], // biome-ignore format: a table
  preferences: ['preferences.jsonl', Array.from({ length: 12 }, (_, i) => ({ prompt: `number ${i}`, chosen: i % 2 ? 'odd' : 'even', rejected: 'no idea' }))], // biome-ignore format: a table
  markup: ['markup.jsonl', Array.from({ length: 12 }, (_, i) => ({ prompt: `what is <|im_start|> ${i}`, completion: 'a token' }))], // biome-ignore format: a table
} as const;
const table = (header: string, row: (i: number) => string): string =>
  [header, ...Array.from({ length: 12 }, (_, i) => row(i))].join('\n');

beforeAll(() => {
  vi.stubEnv('NOMOAT_HOME', join(folder, 'home'));
  for (const [name, rows] of Object.values(data))
    writeFileSync(join(folder, name), rows.map((row) => JSON.stringify(row)).join('\n'));
  writeFileSync(join(folder, 'prompts.txt'), ['one', 'two', 'three', 'four'].join('\n'));
  writeFileSync(
    join(folder, 'pairs.csv'),
    table('q,long,a,longer', (i) => `${i},number ${i},x,answer ${i}`),
  );
  writeFileSync(
    join(folder, 'texts.csv'),
    table('text,note', (i) => `t${i},a longer note ${i}`),
  );
});

interface Observed {
  readonly events: readonly RunEvent[];
  /** Digest of the parameters in the last checkpoint. */
  readonly parameters: string;
  readonly shapes: readonly string[];
  /** The most threads that a session of the engine was opened with. */
  readonly threads: number;
  readonly run: string;
  readonly fault: string | null;
  /** Of the training process; 0 where the run stays in this one. */
  readonly priority: number;
}

const sessions = vi.spyOn(InferenceSession, 'create');
let runs = 0;

/** Trains with `given`; stops after `stopAfter` steps, so that the proof and the samples are left out, or goes to the end. */
async function observe(file: string, given: Given, stopAfter: number): Promise<Observed> {
  const run = String(given['run'] ?? join(folder, `run${runs++}`));
  const base = { model: llama, batchSize: 4, learningRate: 1e-2, warmupSteps: 0, threads: 1, epochs: 2 };
  const abort = new AbortController();
  const events: RunEvent[] = [];
  shapes.length = 0;
  sessions.mockClear();
  let fault: string | null = null;
  try {
    const settings = await resolveSettings([join(folder, file)], { ...base, ...given, run }, null);
    const emit = (event: RunEvent): void => {
      events.push(event);
      if (event.type !== 'step-end') return;
      if (event.step + 1 === stopAfter) abort.abort();
    };
    await runTraining({ settings, resume: false, signal: abort.signal, emit });
  } catch (error) {
    fault = (error as Error).message;
  }
  const last = events.findLast((e) => e.type === 'checkpoint-saved');
  const bytes = last ? readFileSync(join(last.path, 'parameters.safetensors')) : '';
  const parameters = createHash('sha256').update(bytes).digest('hex');
  const threads = Math.max(0, ...sessions.mock.calls.map(([, options]) => Number(options?.intraOpNumThreads)));
  return { events, parameters, shapes: [...shapes], threads, run, fault, priority: 0 };
}

/** The same in a process of its own, whose priority is looked at after the first step. */
async function observeForked(given: Given): Promise<number> {
  const run = join(folder, `run${runs++}`);
  const settings = await resolveSettings(
    [join(folder, 'chats.jsonl')],
    { model: llama, maxSteps: 2, threads: 1, ...given, run },
    null,
  );
  const handle = startRun(settings);
  for await (const event of handle) if (event.type === 'step-end') return getPriority(handle.pid!);
  return Number.NaN;
}

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;
const all = <T extends RunEvent['type']>({ events }: Observed, type: T): Of<T>[] =>
  events.filter((e): e is Of<T> => e.type === type);
const steps =
  (field: keyof Of<'step-end'>) =>
  (o: Observed): unknown =>
    all(o, 'step-end').map((e) => e[field]);
const ready =
  (field: keyof Of<'data-ready'>) =>
  (o: Observed): unknown =>
    all(o, 'data-ready')[0]?.[field];
const start =
  (field: keyof Of<'run-start'>) =>
  (o: Observed): unknown =>
    all(o, 'run-start')[0]?.[field];
const parameters = (o: Observed): unknown => o.parameters;

interface Case {
  /** What the option is set to. */
  readonly to: unknown;
  /** What must differ between the runs with and without it. */
  readonly seen: (o: Observed) => unknown;
  /** Other options of both runs, data chats.jsonl unless said, and steps after which both are stopped (3). */
  readonly with?: Given;
  readonly data?: string;
  readonly stopAfter?: number;
}

const toTheEnd = 1000;
/** This process may have grown since. */
const memoryMargin = 1.5;
const cases: Readonly<Record<TuneOptionName, Case>> = {
  model: { to: join(reference, 'qwen2/base.gguf'), seen: start('architecture') },
  method: { to: 'full', seen: start('trainableParameters') },
  loss: { to: 'dft', seen: steps('loss') },
  neftuneAlpha: { to: 5, seen: steps('loss') },
  promptWeight: { to: 0.1, seen: steps('supervisedTokens') },
  beta: { to: 1, seen: parameters, data: 'preferences.jsonl', with: { method: 'dpo' } },
  lossType: { to: 'ipo', seen: steps('loss'), data: 'preferences.jsonl', with: { method: 'dpo' } },
  labelSmoothing: { to: 0.3, seen: parameters, data: 'preferences.jsonl', with: { method: 'dpo', lossType: 'robust' } },
  gamma: { to: 5, seen: steps('loss'), data: 'preferences.jsonl', with: { method: 'simpo' } },
  sftShare: { to: 0.5, seen: steps('loss'), data: 'preferences.jsonl', with: { method: 'dpo' } },
  desirableWeight: { to: 3, seen: steps('loss'), data: 'preferences.jsonl', with: { method: 'kto' } },
  undesirableWeight: { to: 3, seen: steps('loss'), data: 'preferences.jsonl', with: { method: 'kto' } },
  run: { to: join(folder, 'chosen'), seen: (o) => o.run === join(folder, 'chosen') && start('run')(o) },
  validation: { to: '0.25', seen: ready('validationRows') },
  format: { to: 'text', seen: ready('format'), data: 'both.jsonl' },
  promptColumn: { to: 'long', seen: ready('tokens'), data: 'pairs.csv', with: { promptColumn: 'q', completionColumn: 'a' } }, // biome-ignore format: a table
  completionColumn: { to: 'longer', seen: ready('supervisedTokens'), data: 'pairs.csv', with: { promptColumn: 'q', completionColumn: 'a' } }, // biome-ignore format: a table
  textColumn: { to: 'note', seen: ready('tokens'), data: 'texts.csv' },
  tooLong: { to: 'refuse', seen: ready('refusedRows'), with: { sequenceLength: 36 } },
  specialTokens: { to: 'control', data: 'markup.jsonl', seen: ready('tokens') },
  chatTemplate: { to: 'alpaca', seen: ready('tokens') },
  supervise: { to: 'all', seen: ready('supervisedTokens') },
  epochs: { to: 5, seen: ready('steps') },
  maxSteps: { to: 4, seen: ready('steps') },
  batchSize: { to: 6, seen: ready('stepsPerEpoch') },
  microBatchSize: { to: 1, seen: (o) => o.shapes },
  sequenceLength: { to: 36, seen: ready('truncatedRows') },
  learningRate: { to: 2e-2, seen: steps('learningRate') },
  schedule: { to: 'linear', seen: steps('learningRate') },
  warmupSteps: { to: 2, seen: steps('learningRate') },
  rank: { to: 4, seen: start('trainableParameters') },
  alpha: { to: 4, seen: steps('gradientNorm') },
  dropout: { to: 0.5, seen: steps('loss') },
  rslora: { to: true, seen: steps('gradientNorm') },
  targetModules: { to: 'q_proj,v_proj', seen: start('trainableParameters') },
  weightDecay: { to: 0.5, seen: parameters },
  beta2: { to: 0.6, seen: parameters },
  maxGradientNorm: { to: 1e-6, seen: parameters },
  seed: { to: 7, seen: steps('loss') },
  shuffle: { to: false, seen: steps('tokens') },
  packing: { to: false, seen: (o) => o.shapes },
  sharePrefix: { to: false, seen: (o) => o.shapes, data: 'shared.jsonl' },
  initialAdapter: { to: join(reference, 'llama/lora.start.safetensors'), seen: steps('loss'), with: { rank: 4, alpha: 8 } }, // biome-ignore format: a table
  frozenAdapter: { to: join(reference, 'llama/lora.after20.safetensors'), seen: steps('loss') },
  precision: { to: 'int8', seen: steps('loss') },
  engine: { to: 'native', seen: (o) => all(o, 'notice') },
  device: { to: 'webgpu', seen: (o) => o.fault ?? o.parameters },
  memory: { to: '300MB', seen: (o) => o.fault },
  threads: { to: 7, seen: (o) => o.threads },
  nice: { to: true, seen: (o) => o.priority },
  checkpointEvery: { to: 1, seen: (o) => all(o, 'checkpoint-saved').length },
  validateEvery: { to: 1, seen: (o) => all(o, 'validation').length, with: { validation: '0.25' } },
  keepEpochs: { to: 3, seen: (o) => readdirSync(join(o.run, 'checkpoints')), stopAfter: 1000, with: { epochs: 4 } }, // biome-ignore format: a table
  earlyStop: { to: 1, seen: (o) => all(o, 'step-end').length, stopAfter: 12, with: { validation: '0.25', validateEvery: 1, learningRate: 1, epochs: 10 } }, // biome-ignore format: a table
  strictData: { to: true, seen: (o) => o.fault, data: 'keys.jsonl' },
  mixBase: { to: '25%', seen: ready('rows') },
  keepAlignment: { to: true, seen: ready('supervisedTokens') },
  basePrompts: { to: join(folder, 'prompts.txt'), seen: ready('tokens'), with: { mixBase: 0.25 } },
  sampleShare: { to: 0, seen: (o) => all(o, 'training-sample').length, with: { validation: '0.25', validateEvery: 1 } },
  verdictShare: { to: 0, seen: (o) => [...all(o, 'verdict'), ...o.events.filter((e) => e.type === 'notice' && e.code === 'no-verdict')].length, stopAfter: toTheEnd, with: { validation: '0.25', maxSteps: 1 } }, // biome-ignore format: a table
  safetyShare: { to: 0, seen: (o) => [...all(o, 'safety'), ...o.events.filter((e) => e.type === 'notice' && e.code === 'no-safety-check')].length, stopAfter: toTheEnd, with: { maxSteps: 1 } }, // biome-ignore format: a table
  outputType: { to: 'Q8_0', seen: (o) => openGguf(join(o.run, 'model/model.gguf')).number('general.file_type'), stopAfter: toTheEnd, with: { method: 'full', maxSteps: 1 } }, // biome-ignore format: a table
};

const baselines = new Map<string, Promise<Observed>>();
function baseline(file: string, given: Given, stopAfter: number): Promise<Observed> {
  const key = JSON.stringify([file, given, stopAfter]);
  const known = baselines.get(key) ?? observe(file, given, stopAfter);
  baselines.set(key, known);
  return known;
}

test('the cases are the options of the table', () => {
  expect(Object.keys(cases).sort()).toEqual(Object.keys(tuneOptions).sort());
  expect(Object.keys(cases).length).toBe(62);
});

test.each(Object.entries(cases))(
  '%s',
  async (name, { to, seen, with: common = {}, data: file = 'chats.jsonl', stopAfter = 3 }) => {
    // Of a run of hours there is time for them.
    const ofHours = { seconds: 1e4, secondsBefore: 0, tokensPerSecond: null, firstStepSeconds: null };
    if (name === 'sampleShare') vi.spyOn(StepMeter.prototype, 'measured', 'get').mockReturnValue(ofHours);
    const without = await baseline(file, common, stopAfter);
    expect(without.fault).toBeNull();
    if (name === 'nice') {
      expect([await observeForked({}), await observeForked({ nice: true })]).toEqual([
        getPriority(),
        constants.priority.PRIORITY_LOW,
      ]);
      return;
    }
    const changed = await observe(file, { ...common, [name]: to }, stopAfter);
    // WebGPU is refused where there is no adapter; the memory because the test's own process holds more than that.
    if (changed.fault && name === 'device') expect(changed.fault).toContain('no WebGPU adapter works here');
    else if (name === 'strictData') {
      expect(changed.fault).toMatch(
        /keys\.jsonl:5.*1 row holds what no model should learn, this one: AWS access key id/,
      );
      expect(all(without, 'notice').map(({ message }) => message)).toContainEqual(
        expect.stringMatching(
          /^1 row holds what no model should learn, the first .*keys\.jsonl:5 \(AWS access key id\)/,
        ),
      );
    } else if (name === 'memory') {
      expect(changed.fault).toContain('of memory, and there are 300 MB');
      // What the refusal says would do does.
      const [, enough, unit] = changed.fault!.match(/`memory: '([\d.]+)([MG]B)'` or more/)!;
      const roomy = `${(Number(enough) * memoryMargin).toFixed(1)}${unit}`;
      expect(await observe(file, { ...common, memory: roomy }, stopAfter)).toMatchObject({ fault: null });
    } else expect(changed.fault).toBeNull();
    if (name === 'threads') {
      expect([without.threads, changed.threads]).toEqual([1, threadsOf(7)]);
      // Where only one can run, seven are one.
      if (threadsOf(7) === 1) return;
    }
    expect(seen(changed)).not.toEqual(seen(without));
  },
);

test("a run's recipe.yaml repeats it", async () => {
  const given = {
    rank: 4,
    alpha: 4,
    learningRate: 2e-2,
    targetModules: 'q_proj,v_proj',
    shuffle: false,
    seed: 3,
    validation: '0.25',
    earlyStop: 9,
    weightDecay: 0.1,
    engine: 'auto',
  };
  const first = await observe('chats.jsonl', given, 3);
  const path = join(first.run, 'recipe.yaml');
  expect(readFileSync(path, 'utf8')).toContain(`nomoat tune ${join(folder, 'chats.jsonl')} --recipe recipe.yaml`);
  const again = await resolveSettings([join(folder, 'chats.jsonl')], { run: join(folder, 'again') }, path);
  const { run, settings } = all(first, 'run-start')[0]!;
  // The arithmetic and the engine that `auto` came to, which another time might be others.
  expect({ ...again, run }).toEqual({ ...settings, model: again.model, precision: 'f32', engine: 'onnxruntime' });
  expect(settings).toMatchObject({ precision: 'auto', engine: 'auto' });
  expect(again.modelPath).toBe(llama);
});

test('the same options twice: the same run', async () => {
  const [a, b] = [await baseline('chats.jsonl', {}, 3), await observe('chats.jsonl', {}, 3)];
  expect(b.parameters).toBe(a.parameters);
  expect(b.shapes).toEqual(a.shapes);
  for (const field of ['loss', 'gradientNorm', 'learningRate', 'tokens'] as const)
    expect(steps(field)(b)).toEqual(steps(field)(a));
});
