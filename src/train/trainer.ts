/**
 * The training loop: batches in, events out. Promises: loss is the mean over the supervised tokens of the whole batch, for training
 * and validation alike; the order of everything depends on nothing but the settings and the step. Knows no files: `save` does.
 */
import { batchIndices } from '../batches/order.ts';
import { packRows } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { NomoatError } from '../errors.ts';
import type { RunEvent } from '../jobs/events.ts';
import type { RunSettings } from '../jobs/run-settings.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import type { TrainerState } from './checkpoint.ts';
import { clipGradients } from './clip.ts';
import { type AdamWState, updateAdamW } from './optimizer.ts';
import { learningRateAt } from './schedule.ts';
import type { Parameter, TrainStep } from './step.ts';

/** Tokens of a micro-batch where its number of conversations is not set: enough to fill the kernels, little enough for memory. */
export const microBatchTokens = 1024;
/** After an out-of-memory the micro-batch shrinks down to this; a model that cannot take it does not fit. */
const leastMicroBatchTokens = 64;
/** Steps whose speed the estimate is made from; the first one warms up. */
const measuredSteps = 3;

export type TrainerSettings = Pick<
  RunSettings,
  | 'batchSize'
  | 'microBatchSize'
  | 'packing'
  | 'seed'
  | 'shuffle'
  | 'learningRate'
  | 'schedule'
  | 'warmupSteps'
  | 'weightDecay'
  | 'beta2'
  | 'maxGradientNorm'
  | 'checkpointEvery'
  | 'validateEvery'
  | 'earlyStop'
>;

export interface TrainerOptions {
  readonly step: TrainStep;
  readonly optimizer: AdamWState;
  readonly train: readonly TokenRow[];
  /** Empty for none. */
  readonly validation: readonly TokenRow[];
  readonly steps: number;
  readonly settings: TrainerSettings;
  /** Changed in place. */
  readonly state: TrainerState;
  /** Makes the state durable; returns the event that says so. */
  readonly save: () => RunEvent;
  readonly signal: AbortSignal;
}

/** Lets messages and signals in: the engine blocks the thread while it computes. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const outOfMemory = (error: unknown): boolean =>
  /alloc|out of memory/i.test(error instanceof Error ? error.message : '');

class Interrupted extends Error {}

/** Yields events until the steps are done, the loss stops falling (with early stop) or `signal` aborts; returns why. */
export async function* trainLoop(
  options: TrainerOptions,
): AsyncGenerator<RunEvent, 'done' | 'stopped-early' | 'interrupted'> {
  const { settings, signal, state, steps } = options;
  const loop = new Loop(options);
  const validateEvery = settings.validateEvery ?? Math.max(1, Math.ceil(steps / 4));
  const checkpointEvery = settings.checkpointEvery ?? Math.max(1, Math.min(50, Math.ceil(steps / 4)));
  const first = state.step;
  try {
    while (state.step < steps) {
      const initial = state.step === 0 ? options.step.parameters.map(({ value }) => value.slice()) : null;
      yield* loop.update();
      if (initial && options.validation.length > 0) yield await loop.validateWith(initial);
      if (state.step - first === Math.min(measuredSteps, steps)) yield loop.estimate(steps);
      const last = state.step === steps;
      if (options.validation.length > 0 && (last || state.step % validateEvery === 0)) {
        yield await loop.validate();
        yield options.save();
        if (settings.earlyStop !== null && state.withoutImprovement >= settings.earlyStop) return 'stopped-early';
      } else if (last || state.step % checkpointEvery === 0) yield options.save();
      if (signal.aborted && state.step < steps) throw new Interrupted();
    }
    return 'done';
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    yield options.save();
    return 'interrupted';
  }
}

class Loop {
  private readonly options: TrainerOptions;
  private maxTokens = microBatchTokens;
  private trainedTokens = 0;
  private trainedSeconds = 0;

  constructor(options: TrainerOptions) {
    this.options = options;
  }

  private batches(rows: readonly TokenRow[]): PackedBatch[] {
    const { microBatchSize, packing } = this.options.settings;
    const shrunk = this.maxTokens < microBatchTokens;
    return packRows(rows, {
      packing,
      microBatchSize: shrunk ? null : microBatchSize,
      maxTokens: this.maxTokens,
      padToken: 0,
    });
  }

  /** One optimizer step; an out-of-memory repeats it with smaller micro-batches. */
  async *update(): AsyncGenerator<RunEvent, void> {
    for (;;) {
      try {
        yield await this.tryUpdate();
        return;
      } catch (error) {
        if (!outOfMemory(error) || this.maxTokens <= leastMicroBatchTokens) throw error;
        this.maxTokens = Math.max(leastMicroBatchTokens, this.maxTokens >> 1);
        const message = `Memory ran out in step ${this.options.state.step}; going on with micro-batches of up to ${this.maxTokens} tokens.`;
        yield { type: 'notice', code: 'smaller-micro-batch', message };
      }
    }
  }

  private async tryUpdate(): Promise<RunEvent> {
    const { optimizer, settings, state, step, steps, train } = this.options;
    const start = performance.now();
    const indices = batchIndices(state.step, { rows: train.length, ...settings });
    const batches = this.batches(indices.map((i) => train[i]!));
    const sum = (of: (batch: PackedBatch) => number): number => batches.reduce((total, batch) => total + of(batch), 0);
    const supervisedTokens = sum((batch) => batch.supervisedTokens);
    for (const { gradient } of step.parameters) gradient.fill(0);
    let lossSum = 0;
    for (const [i, batch] of batches.entries()) {
      const dropoutSeed = Math.imul(settings.seed + 1, 0x85ebca6b) ^ Math.imul(state.step * 4096 + i + 1, 0x9e3779b1);
      lossSum += (await step.accumulate(batch, 1 / supervisedTokens, dropoutSeed)).lossSum;
      await breathe();
      if (this.options.signal.aborted) throw new Interrupted();
    }
    const loss = lossSum / supervisedTokens;
    const learningRate = learningRateAt(state.step, {
      schedule: settings.schedule,
      top: settings.learningRate,
      warmup: settings.warmupSteps,
      steps,
    });
    const gradientNorm = clipGradients(step.parameters, settings.maxGradientNorm);
    assertFinite(loss, gradientNorm, step.parameters, state.step);
    updateAdamW(step.parameters, optimizer, learningRate, {
      weightDecay: settings.weightDecay,
      beta2: settings.beta2,
    });
    const seconds = (performance.now() - start) / 1000;
    const tokens = sum((batch) => batch.realTokens);
    this.trainedTokens += tokens;
    this.trainedSeconds += seconds;
    state.seconds += seconds;
    state.step += 1;
    return {
      type: 'step-end',
      step: state.step - 1,
      loss,
      gradientNorm,
      learningRate,
      tokens,
      supervisedTokens,
      tokensPerSecond: tokens / seconds,
    };
  }

  private async measure(): Promise<{ loss: number; tokens: number }> {
    const start = performance.now();
    let [lossSum, tokens] = [0, 0];
    for (const batch of this.batches(this.options.validation)) {
      for (const value of await this.options.step.logProbabilities(batch)) lossSum -= value;
      tokens += batch.supervisedTokens;
      await breathe();
      if (this.options.signal.aborted) throw new Interrupted();
    }
    this.options.state.seconds += (performance.now() - start) / 1000;
    return { loss: lossSum / tokens, tokens };
  }

  /** The validation loss before training: measured after the first step with the initial values, so that the first step comes soon. */
  async validateWith(initial: readonly Float32Array[]): Promise<RunEvent> {
    const { parameters } = this.options.step;
    const trained = parameters.map(({ value }) => value.slice());
    parameters.forEach(({ value }, i) => {
      value.set(initial[i]!);
    });
    try {
      const { loss, tokens } = await this.measure();
      this.options.state.validationBefore = loss;
      return { type: 'validation', step: 0, loss, tokens };
    } finally {
      parameters.forEach(({ value }, i) => {
        value.set(trained[i]!);
      });
    }
  }

  async validate(): Promise<RunEvent> {
    const { state } = this.options;
    const { loss, tokens } = await this.measure();
    const better = state.bestLoss === null || loss < state.bestLoss;
    state.withoutImprovement = better ? 0 : state.withoutImprovement + 1;
    if (better) {
      state.bestLoss = loss;
      state.bestStep = state.step;
    }
    return { type: 'validation', step: state.step, loss, tokens };
  }

  /** Time of the whole run from the steps so far; validation counts at a third of training's cost per token. */
  estimate(steps: number): RunEvent {
    const tokensPerSecond = this.trainedTokens / this.trainedSeconds;
    const perStep = this.trainedSeconds / Math.min(measuredSteps, steps);
    const held = this.options.validation.reduce((total, { tokens }) => total + tokens.length, 0);
    const validations =
      held > 0 ? Math.ceil(steps / (this.options.settings.validateEvery ?? Math.max(1, Math.ceil(steps / 4)))) + 1 : 0;
    const seconds = perStep * steps + (validations * held) / (3 * tokensPerSecond);
    return { type: 'estimate', seconds, peakMemoryBytes: process.memoryUsage.rss(), tokensPerSecond };
  }
}

function assertFinite(loss: number, norm: number, parameters: readonly Parameter[], step: number): void {
  if (Number.isFinite(loss) && Number.isFinite(norm)) return;
  const tensor = parameters.find(({ gradient, value }) =>
    [gradient, value].some((array) => array.some((x) => !Number.isFinite(x))),
  );
  throw new NomoatError({
    part: `step ${step}`,
    fault: `the loss is ${loss} and ${tensor ? `the gradient of ${tensor.name} is not finite` : `the gradient's norm is ${norm}`}`,
    remedy:
      'The last checkpoint is good: resume with a lower --learning-rate in a new run, or look at the data of this step.',
    kind: 'failed',
    fields: { step, tensor: tensor?.name ?? null },
  });
}
