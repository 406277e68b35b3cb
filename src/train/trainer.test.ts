import { describe, expect, test, vi } from 'vitest';
import { runSettings } from '../../test/made-runs.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import type { RunEvent } from '../events.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { Diverged } from './divergence.ts';
import { initAdamW } from './optimizer.ts';
import { microBatchTokens } from './pack-options.ts';
import { evaluationCalls, type Parameter, type TrainStep } from './step.ts';
import { trainLoop } from './trainer.ts';
import { noSteps, type TrainerState } from './trainer-state.ts';

const row = (length: number, line: number): TokenRow => ({
  tokens: Int32Array.from({ length }, (_, i) => i + line),
  supervised: new Uint8Array(length).fill(1),
  source: { file: 'x', line },
});

/** A parabola: the loss of every token is value²; hooks make it misbehave. */
class FakeStep implements TrainStep {
  readonly parameters: readonly Parameter[] = [
    { name: 'w', shape: [1], value: Float32Array.of(4), gradient: new Float32Array(1), decays: true },
  ];
  readonly seen: number[] = [];
  private readonly before: (call: number, batch: PackedBatch, gradient: Float32Array) => void;
  private readonly held: (call: number, value: number) => number;
  constructor(before: FakeStep['before'] = () => {}, held: FakeStep['held'] = (_, value) => value * value) {
    this.before = before;
    this.held = held;
  }
  private calls = 0;
  private validations = 0;
  readonly together = false;
  readonly evaluatedTogether = 0;
  clearGradients(): void {
    this.parameters[0]!.gradient.fill(0);
  }
  accumulate(batches: readonly PackedBatch[], scale: number): Promise<{ lossSum: number; supervisedTokens: number }> {
    const { gradient, value } = this.parameters[0]!;
    const batch = batches[0]!;
    this.before(this.calls++, batch, gradient);
    this.seen.push(batch.tokens.length);
    gradient[0]! += 2 * value[0]! * scale * batch.supervisedTokens;
    return Promise.resolve({
      lossSum: value[0]! ** 2 * batch.supervisedTokens,
      supervisedTokens: batch.supervisedTokens,
    });
  }
  logProbabilities(batches: readonly PackedBatch[]): Promise<Float32Array[]> {
    const loss = this.held(this.validations++, this.parameters[0]!.value[0]!);
    return Promise.resolve([new Float32Array(batches[0]!.supervisedTokens).fill(-loss)]);
  }
  released = 0;
  release(): Promise<void> {
    this.released++;
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

interface Outcome {
  readonly events: RunEvent[];
  readonly how: string;
  readonly saved: number[];
  readonly smaller: number[];
  readonly state: TrainerState;
}
async function run(
  step: TrainStep,
  {
    flags = {},
    rows = [row(10, 1), row(10, 2), row(10, 3), row(10, 4)],
    held = [] as TokenRow[],
    steps = 8,
    stopAfter = Infinity,
    from,
    initial = null,
  }: {
    flags?: Record<string, unknown>;
    rows?: TokenRow[];
    held?: TokenRow[];
    steps?: number;
    stopAfter?: number;
    from?: TrainerState;
    initial?: Float32Array[] | null;
  } = {},
): Promise<Outcome> {
  const state: TrainerState = from ?? noSteps();
  const [events, saved, smaller, abort]: [RunEvent[], number[], number[], AbortController] = [
    [],
    [],
    [],
    new AbortController(),
  ];
  const settings = runSettings({ learningRate: '0.1', warmupSteps: '0', batchSize: '4', ...flags });
  const loop = trainLoop({
    step,
    optimizer: initAdamW(step.parameters),
    train: rows,
    validation: held,
    steps,
    settings,
    state,
    initial,
    prefix: 0,
    maxTokens: microBatchTokens,
    shrunk: (tokens) => void smaller.push(tokens),
    save: () => {
      saved.push(state.step);
      return { type: 'checkpoint-saved', step: state.step, path: '', best: false } as RunEvent;
    },
    signal: abort.signal,
  });
  for (;;) {
    const next = await loop.next();
    if (next.done) return { events, how: next.value, saved, smaller, state };
    events.push(next.value);
    if (next.value.type === 'step-end' && next.value.step >= stopAfter) abort.abort();
  }
}
test('evaluation: micro-batches come alone, or as many in a call as are wanted', () => {
  const batches = [100, 200, 300, 50, 900, 10].map((length) => ({ tokens: new Int32Array(length) }) as PackedBatch);
  const calls = (evaluatedTogether: number): number[][] =>
    evaluationCalls({ evaluatedTogether }, batches).map((call) => call.map(({ tokens }) => tokens.length));
  expect(calls(0)).toEqual([[100], [200], [300], [50], [900], [10]]);
  expect(calls(600)).toEqual([[100, 200, 300], [50], [900], [10]]);
  expect(calls(1e9)).toEqual([[100, 200, 300, 50, 900, 10]]);
});

const lossesOf = ({ events }: Outcome): number[] => events.flatMap((e) => (e.type === 'step-end' ? [e.loss] : []));

describe('the training loop', () => {
  test('goes down the parabola, and saves at the end', async () => {
    const outcome = await run(new FakeStep());
    expect(outcome.how).toBe('done');
    const losses = lossesOf(outcome);
    expect(losses[0]).toBe(16);
    for (let i = 1; i < losses.length; i++) expect(losses[i]!).toBeLessThan(losses[i - 1]!);
    expect(outcome.saved.at(-1)).toBe(8);
  });

  test('a NaN names the tensor and the step, and nothing is saved after it', async () => {
    const step = new FakeStep((call, _, gradient) => {
      if (call === 5) gradient[0] = Number.NaN;
    });
    const error = await run(step, { flags: { checkpointEvery: '2' } }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Diverged);
    expect(error).toHaveProperty('message', expect.stringMatching(/step 5.*gradient of w is not finite/));
    expect(Number.isFinite(step.parameters[0]!.value[0]!)).toBe(true);
  });

  test('a validation without a finite loss is an error, never the best one', async () => {
    const step = new FakeStep(undefined, (call) => (call === 1 ? Number.NaN : 1));
    const error = await run(step, { held: [row(5, 9)], flags: { validateEvery: '1' } }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Diverged);
    expect((error as Diverged).message).toBe('the validation loss after 1 steps is NaN');
  });

  test('out of memory: smaller micro-batches from the same step, said out loud, the same losses', async () => {
    const rows = Array.from({ length: 8 }, (_, i) => row(200, i));
    const whole = await run(new FakeStep(), { rows, flags: { batchSize: '8' } });
    const step = new FakeStep((_, batch) => {
      if (batch.tokens.length > 250) throw new Error('Failed to allocate memory for requested buffer');
    });
    const outcome = await run(step, { rows, flags: { batchSize: '8' } });
    expect(lossesOf(outcome)).toEqual(lossesOf(whole));
    expect(Math.max(...step.seen)).toBeLessThanOrEqual(250);
    const notices = outcome.events.filter((e) => e.type === 'notice');
    expect(notices.length).toBe(1);
    expect(outcome.smaller).toEqual([microBatchTokens / 2]);
    expect(step.released).toBe(1);
    expect(notices[0]).toMatchObject({ code: 'smaller-micro-batch', message: expect.stringContaining('step 0') });
  });

  test('out of memory: a number of rows stays a limit', async () => {
    const rows = Array.from({ length: 4 }, (_, i) => row(100, i));
    const failing = (call: number): void => {
      if (call === 0) throw new Error('bad alloc');
    };
    const one = new FakeStep(failing);
    await run(one, { rows, steps: 1, flags: { microBatchSize: '1' } });
    expect(one.seen).toEqual([100, 100, 100, 100]);
    // Three rows of 100 tokens in at most 256.
    const three = new FakeStep(failing);
    await run(three, { rows, steps: 1, flags: { microBatchSize: '3' } });
    expect(three.seen).toEqual([200, 200]);
  });

  test('memory that never suffices ends in a sentence, not in a loop', async () => {
    const step = new FakeStep(() => {
      throw new Error('bad alloc');
    });
    await expect(run(step)).rejects.toThrow(
      /step 0: memory does not suffice, not even for micro-batches of 64 tokens.*`sequenceLength`/,
    );
  });

  test('out of memory in a validation: smaller micro-batches, the same loss', async () => {
    const held = Array.from({ length: 8 }, (_, i) => row(200, i));
    const whole = await run(new FakeStep(), { held, steps: 2, flags: { validateEvery: '1' } });
    const step = new FakeStep();
    const measure = step.logProbabilities.bind(step);
    step.logProbabilities = (batches) =>
      batches[0]!.tokens.length > 250 ? Promise.reject(new Error('std::bad_alloc')) : measure(batches);
    const outcome = await run(step, { held, steps: 2, flags: { validateEvery: '1' } });
    const validations = ({ events }: Outcome) => events.filter((e) => e.type === 'validation');
    expect(validations(outcome)).toEqual(validations(whole));
    expect(validations(outcome).length).toBe(3);
    const notice = outcome.events.find((e) => e.type === 'notice');
    expect(notice).toMatchObject({ message: expect.stringContaining('the validation before training') });
  });

  test('another error of the engine is not taken for one of memory', async () => {
    const step = new FakeStep(() => {
      throw new Error('shape mismatch');
    });
    await expect(run(step)).rejects.toThrow('shape mismatch');
    expect(step.seen.length).toBe(0);
  });

  test('early stop counts validations without improvement; the best one is remembered', async () => {
    const held = [3, 2, 1, 1.5, 1.4, 9];
    const step = new FakeStep(undefined, (call) => held[call]!);
    const outcome = await run(step, { flags: { validateEvery: '1', earlyStop: '2' }, held: [row(5, 9)] });
    expect(outcome.how).toBe('stopped-early');
    expect(outcome.state).toMatchObject({ validationBefore: 3, bestLoss: 1, bestStep: 2, step: 4 });
  });

  test('a run killed between its early stop and its result stops there again', async () => {
    const from: TrainerState = {
      step: 4,
      validationBefore: 3,
      validatedStep: 4,
      bestLoss: 1,
      bestStep: 2,
      withoutImprovement: 2,
      seconds: 1,
    };
    const step = new FakeStep();
    const outcome = await run(step, { from, flags: { validateEvery: '1', earlyStop: '2' }, held: [row(5, 9)] });
    expect(outcome.how).toBe('stopped-early');
    expect(step.seen).toEqual([]);
    expect(outcome.events).toEqual([]);
  });

  test('a validation that an interrupt cut short is made up for on resuming', async () => {
    const [validated, flags] = [{ held: [row(5, 9), row(700, 10), row(700, 11)], steps: 4 }, { validateEvery: '2' }];
    const whole = await run(new FakeStep(), { ...validated, flags });
    for (const stopAfter of [0, 1, 3]) {
      const step = new FakeStep();
      const start = step.parameters.map(({ value }) => value.slice());
      const first = await run(step, { ...validated, flags, stopAfter });
      expect(first.how).toBe('interrupted');
      expect(first.state.step).toBe(stopAfter + 1);
      const initial = first.state.validationBefore === null ? start : null;
      const second = await run(step, { ...validated, flags, from: first.state, initial });
      expect(second.how).toBe('done');
      expect(second.state).toMatchObject({ validationBefore: 16, validatedStep: 4 });
      const steps = ({ events }: Outcome): number[] =>
        events.flatMap((e) => (e.type === 'validation' ? [e.step] : [])).sort();
      expect([...steps(first), ...steps(second)]).toEqual(steps(whole));
    }
  });

  test('the estimate of a resumed run is of what is left', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => row(20, i + 1));
    const flags = { batchSize: '1', shuffle: false, validateEvery: 10 };
    const estimateOf = ({ events }: Outcome): number =>
      events.flatMap((e) => (e.type === 'estimate' ? [e.seconds] : []))[0]!;
    const slow = (): FakeStep =>
      new FakeStep(() => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15));
    const whole = await run(slow(), { rows, steps: 40, flags });
    const at30 = { ...whole.state, step: 30, validatedStep: null };
    const rest = await run(slow(), { rows, steps: 40, flags, from: at30 });
    // A quarter of it, but for what a busy machine adds to single steps.
    expect(estimateOf(rest)).toBeLessThan(0.75 * estimateOf(whole));
  });

  test('the estimate of memory grows with the largest micro-batch to come', async () => {
    const estimateOf = ({ events }: Outcome): number =>
      events.flatMap((e) => (e.type === 'estimate' ? [e.peakMemoryBytes] : []))[0]!;
    const flags = { batchSize: '1', shuffle: false };
    // What the system says: 300 MB before the first step, and 100 MB more with each. A row of ten times their length comes later.
    const megabyte = 1e6;
    const idle = 300 * megabyte;
    let calls = 0;
    const rss = vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(idle);
    const usage = process.resourceUsage();
    const peak = vi
      .spyOn(process, 'resourceUsage')
      .mockImplementation(() => ({ ...usage, maxRSS: (idle + calls * 100 * megabyte) / 1024 }));
    const step = (): FakeStep => {
      calls = 0;
      return new FakeStep(() => void calls++);
    };
    const rows = [...[1, 2, 3].map((line) => row(20, line)), row(200, 4)];
    try {
      expect(estimateOf(await run(step(), { rows, steps: 4, flags }))).toBe(idle + 10 * 300 * megabyte);
      expect(estimateOf(await run(step(), { rows: rows.slice(0, 3), steps: 4, flags }))).toBe(idle + 300 * megabyte);
    } finally {
      rss.mockRestore();
      peak.mockRestore();
    }
  });

  test('the validation before is measured with the initial values, which then come back', async () => {
    const step = new FakeStep();
    const outcome = await run(step, { held: [row(5, 9)], steps: 2, flags: { validateEvery: '2' } });
    expect(outcome.state.validationBefore).toBe(16);
    const plain = new FakeStep();
    await run(plain, { steps: 2 });
    expect(step.parameters[0]!.value).toEqual(plain.parameters[0]!.value);
  });

  test('an interrupt saves where it stands', async () => {
    const outcome = await run(new FakeStep(), { stopAfter: 2 });
    expect(outcome.how).toBe('interrupted');
    expect(outcome.saved.at(-1)).toBe(3);
  });

  test('checkpoints come as often as asked', async () => {
    expect((await run(new FakeStep(), { flags: { checkpointEvery: '3' } })).saved).toEqual([3, 6, 8]);
  });
});
