/**
 * The training loop: batches in, events out. Promises: loss is the mean over the supervised tokens of the whole batch, by their weights
 * where they have some, for training and validation alike; the order of everything depends on nothing but the settings and the step. Knows no files: `save` does.
 */
import { batchIndices, stepsPerEpoch } from '../batches/order.ts';
import { packRows } from '../batches/pack.ts';
import { type PackedBatch, totalWeight } from '../batches/packed-batch.ts';
import type { RunEvent, ValidationEvent } from '../events.ts';
import { crossEntropy } from '../losses/token-losses.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { batchLoss } from './batch-loss.ts';
import { endsKeptEpoch, validationInterval } from './cadence.ts';
import { clipping } from './clip.ts';
import { Diverged } from './divergence.ts';
import { Estimation, measuredSteps } from './estimate.ts';
import { assertFinite, neverFinite } from './finite.ts';
import { type AdamWState, updateAdamW } from './optimizer.ts';
import { memoryFailure, outOfMemory } from './out-of-memory.ts';
import { minMicroBatchTokens, packOptions, type SharingSettings } from './pack-options.ts';
import { type Preferences, type SumRows, sumsBy } from './preferences.ts';
import { learningRateAt } from './schedule.ts';
import { evaluationCalls, type TrainStep } from './step.ts';
import type { TrainerState } from './trainer-state.ts';

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
  | 'keepEpochs'
  | 'loss'
> &
  SharingSettings;

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
  /** The parameters before the first step, where a resumed run still owes their validation; else null. */
  readonly initial: readonly Float32Array[] | null;
  /** Tokens that all rows begin with and that each micro-batch computes once (batches/pack.ts). */
  readonly prefix: number;
  /** What is learnt from preferences; none: the cross-entropy. */
  readonly preferences?: Preferences | null;
  /** Tokens of a micro-batch: microBatchTokens, or fewer where they did not fit. */
  readonly maxTokens: number;
  /** Makes the state durable; returns the event that says so. */
  readonly save: () => RunEvent;
  /** Told when micro-batches became smaller because memory ran out. */
  readonly shrunk: (maxTokens: number) => void;
  readonly signal: AbortSignal;
}

/** Lets messages and signals in: the engine blocks the thread while it computes. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Interrupted extends Error {}

/** What the held-out rows came to. */
type Measured = Pick<ValidationEvent, 'loss' | 'tokens' | 'preference'>;

/** Yields events until the steps are done, the loss stops falling (with early stop) or `signal` aborts; returns why. */
export async function* trainLoop(
  options: TrainerOptions,
): AsyncGenerator<RunEvent, 'done' | 'stopped-early' | 'interrupted'> {
  const { settings, signal, state, steps } = options;
  const loop = new Loop(options);
  const validateEvery = validationInterval(settings, steps, options.train.length);
  const perEpoch = stepsPerEpoch(options.train.length, settings.batchSize);
  const checkpointEvery = settings.checkpointEvery ?? Math.max(1, Math.min(50, Math.ceil(steps / 4)));
  const first = state.step;
  const holdsOut = options.validation.length > 0;
  const isCheckpoint = (): boolean =>
    state.step % checkpointEvery === 0 || endsKeptEpoch(state.step, perEpoch, settings.keepEpochs);
  let initial = state.step > 0 && state.validationBefore === null ? options.initial : null;
  try {
    for (;;) {
      // What a stopped run owed at this step comes first: a validation that was cut short is not lost.
      if (holdsOut && initial && state.step > 0) yield* loop.validateWith(initial);
      initial = null;
      const last = state.step >= steps;
      const owed = state.step > 0 && state.validatedStep !== state.step;
      if (holdsOut && owed && (last || state.step % validateEvery === 0)) {
        yield* loop.validate();
        yield options.save();
      } else if (state.step > first && (last || isCheckpoint())) yield options.save();
      // Seen again by a run that was killed between its stop and its result.
      if (settings.earlyStop !== null && state.withoutImprovement >= settings.earlyStop) return 'stopped-early';
      if (last) return 'done';
      if (signal.aborted) throw new Interrupted();
      if (holdsOut && state.step === 0) initial = options.step.parameters.map(({ value }) => value.slice());
      yield* loop.update();
      if (state.step - first === measuredSteps && state.step < steps) yield loop.estimate(first, validateEvery);
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    yield options.save();
    return 'interrupted';
  }
}

class Loop {
  private readonly options: TrainerOptions;
  private maxTokens: number;
  private readonly estimation = new Estimation();

  constructor(options: TrainerOptions) {
    this.options = options;
    this.maxTokens = options.maxTokens;
  }

  private batches(rows: readonly TokenRow[]): PackedBatch[] {
    const { prefix, settings } = this.options;
    return packRows(rows, packOptions(settings, prefix, this.maxTokens));
  }

  /** Does `work`; an out-of-memory repeats it with smaller micro-batches. */
  private async *withMemory(what: string, work: () => Promise<RunEvent>): AsyncGenerator<RunEvent, void> {
    for (;;) {
      try {
        yield await work();
        return;
      } catch (error) {
        if (!outOfMemory(error)) throw error;
        if (this.maxTokens <= minMicroBatchTokens) throw memoryFailure(what, this.maxTokens, error);
        this.maxTokens = Math.max(minMicroBatchTokens, this.maxTokens >> 1);
        await this.options.step.release();
        this.options.shrunk(this.maxTokens);
        const message = `Memory ran out in ${what}; going on with micro-batches of up to ${this.maxTokens} tokens.`;
        yield { type: 'notice', code: 'smaller-micro-batch', message };
      }
    }
  }

  /** One optimizer step. */
  update(): AsyncGenerator<RunEvent, void> {
    return this.withMemory(`step ${this.options.state.step}`, () => this.tryUpdate());
  }

  /** The micro-batches of each call of the step. */
  private calls(batches: readonly PackedBatch[]): (readonly PackedBatch[])[] {
    return this.options.step.together ? [batches] : batches.map((batch) => [batch]);
  }

  private async pause(): Promise<void> {
    await breathe();
    if (this.options.signal.aborted) throw new Interrupted();
  }

  private async tryUpdate(): Promise<RunEvent> {
    const { optimizer, settings, state, step, steps, train } = this.options;
    const start = performance.now();
    const indices = batchIndices(state.step, { rows: train.length, ...settings });
    const batches = this.batches(indices.map((i) => train[i]!));
    this.estimation.sees(batches);
    const sum = (of: (batch: PackedBatch) => number): number => batches.reduce((total, batch) => total + of(batch), 0);
    const supervisedTokens = sum((batch) => batch.supervisedTokens);
    const preferred = await this.options.preferences?.begin(batches, this.sums);
    const learnt = batchLoss(settings.loss ?? 'cross-entropy', preferred, batches);
    step.clearGradients();
    let lossSum = 0;
    const seedOf = (i: number): number =>
      Math.imul(settings.seed + 1, 0x85ebca6b) ^ Math.imul(state.step * 4096 + i + 1, 0x9e3779b1);
    for (const group of this.calls(batches)) {
      const seeds = group.map((batch) => seedOf(batches.indexOf(batch)));
      lossSum += (await step.accumulate(group, learnt.of, seeds)).lossSum;
      await this.pause();
    }
    const loss = learnt.value(lossSum);
    const learningRate = learningRateAt(state.step, {
      schedule: settings.schedule,
      top: settings.learningRate,
      warmup: settings.warmupSteps ?? 0,
      steps,
    });
    const { factor: clip, norm: gradientNorm } = clipping(step.parameters, settings.maxGradientNorm);
    assertFinite(loss, gradientNorm, step.parameters, state.step);
    updateAdamW(step.parameters, optimizer, learningRate, {
      weightDecay: settings.weightDecay,
      beta2: settings.beta2,
      clip,
    });
    const seconds = (performance.now() - start) / 1000;
    const tokens = sum((batch) => batch.realTokens);
    this.estimation.trained(tokens, seconds);
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
      ...(preferred ? { preference: preferred.figures } : {}),
    };
  }

  private readonly sums: SumRows = (rows) =>
    sumsBy(
      this.options.step,
      (some) => evaluationCalls(this.options.step, this.batches(some)),
      () => this.pause(),
    )(rows);

  private async measure(): Promise<Measured> {
    const start = performance.now();
    let [lossSum, tokens] = [0, 0];
    const { step, validation } = this.options;
    const batches = this.batches(validation);
    const preferred = await this.options.preferences?.begin(batches, this.sums);
    for (const group of evaluationCalls(step, batches)) {
      const found = await step.logProbabilities(group);
      for (const [i, values] of found.entries()) {
        lossSum += crossEntropy(group[i]!, values);
        tokens += values.length;
        preferred?.lossOf(values, group[i]!);
      }
      await this.pause();
    }
    this.options.state.seconds += (performance.now() - start) / 1000;
    const loss = preferred?.loss ?? lossSum / totalWeight(batches);
    return { loss, tokens, ...(preferred ? { preference: preferred.figures } : {}) };
  }

  /** The validation loss before training: measured after the first step with the initial values, so that the first step comes soon. */
  validateWith(initial: readonly Float32Array[]): AsyncGenerator<RunEvent, void> {
    return this.withMemory('the validation before training', () => this.tryValidateWith(initial));
  }

  private async tryValidateWith(initial: readonly Float32Array[]): Promise<RunEvent> {
    const { parameters } = this.options.step;
    const trained = parameters.map(({ value }) => value.slice());
    parameters.forEach(({ value }, i) => {
      value.set(initial[i]!);
    });
    try {
      const measured = await this.measure();
      const { loss } = measured;
      if (!Number.isFinite(loss))
        throw neverFinite('the validation before training', `the loss is ${loss}`, { step: 0 });
      this.options.state.validationBefore = loss;
      return { type: 'validation', step: 0, ...measured };
    } finally {
      parameters.forEach(({ value }, i) => {
        value.set(trained[i]!);
      });
    }
  }

  validate(): AsyncGenerator<RunEvent, void> {
    return this.withMemory(`the validation after ${this.options.state.step} steps`, () => this.tryValidate());
  }

  private async tryValidate(): Promise<RunEvent> {
    const { state } = this.options;
    const measured = await this.measure();
    const { loss } = measured;
    if (!Number.isFinite(loss)) throw new Diverged(`the validation loss after ${state.step} steps is ${loss}`);
    state.validatedStep = state.step;
    const better = state.bestLoss === null || loss < state.bestLoss;
    state.withoutImprovement = better ? 0 : state.withoutImprovement + 1;
    if (better) {
      state.bestLoss = loss;
      state.bestStep = state.step;
    }
    return { type: 'validation', step: state.step, ...measured };
  }

  /** Of this process, which began with the step `first`. */
  estimate(first: number, validateEvery: number): RunEvent {
    const pack = (rows: readonly TokenRow[]): PackedBatch[] => this.batches(rows);
    return this.estimation.event({ ...this.options, first, validateEvery, pack });
  }
}
