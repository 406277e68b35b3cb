/**
 * One run from settings to report, inside the training process: data, model, training, result, parity proof, samples.
 * Promises: every stage can be killed and resumed; the order is such that nothing is said to be done before it is durable.
 */
import { join } from 'node:path';
import { stepsOf } from '../batches/order.ts';
import type { Prepared } from '../dataset/prepared.ts';
import type { RunEndEvent, RunEvent } from '../events.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { parentBytes, threadsOf } from '../machine/machine.ts';
import { readModelConfig } from '../models/config.ts';
import type { Holding } from '../plan/plan.ts';
import { type ChosenPrecision, choosePrecision } from '../plan/precision.ts';
import type { Proposal } from '../plan/proposal.ts';
import { parityRows } from '../plan/work.ts';
import { assertAdapter } from '../runtime/onnxruntime-node/webgpu-adapter.ts';
import type { AskedSettings, RunSettings } from '../settings/run-settings.ts';
import { heedStop } from '../stop.ts';
import { checkpointSteps, loadLatest, loadParameters, saveCheckpoint } from '../train/checkpoint.ts';
import { Diverged, LossWatch } from '../train/divergence.ts';
import { initAdamW } from '../train/optimizer.ts';
import { microBatchTokens, trainLoop } from '../train/trainer.ts';
import type { TrainerState } from '../train/trainer-state.ts';
import { beginningOf } from './begin-run.ts';
import { type Ending, endRun } from './end-run.ts';
import { type Method, openMethod } from './methods.ts';
import { asFailure, fail, type Opened, openPretraining, openTuning } from './open-run.ts';
import { allFinite, failureText, logProbabilitiesOf, proveResult } from './prove-result.ts';
import type { RunFolder } from './run-folder.ts';
import { makeSamples } from './samples.ts';

export interface RunOptions {
  readonly settings: AskedSettings;
  readonly resume: boolean;
  /** Given where memory ran out in the process before. */
  readonly shrunk?: { readonly microBatchTokens: number; readonly message: string } | null;
  readonly emit: (event: RunEvent) => void;
  readonly signal: AbortSignal;
  /** Asked before a fine-tuning run that is new begins. */
  readonly confirm?: ((proposal: Proposal) => Promise<boolean>) | null;
}

/**
 * Runs or resumes. Every event is in events.jsonl before it is emitted. Throws NomoatError; the folder then stays resumable.
 * Null where `confirm` said no: then there is no folder.
 */
export async function runTraining(options: RunOptions): Promise<RunEndEvent | null> {
  const { settings, resume, shrunk, emit, signal, confirm } = options;
  const started = performance.now();
  let waited = 0;
  const ask = async (proposal: Proposal): Promise<boolean> => {
    const since = performance.now();
    const begins = await confirm!(proposal);
    waited = performance.now() - since;
    return begins;
  };
  const progress = (message: string): void => emit({ type: 'notice', code: 'preparing', message });
  if (settings.device === 'webgpu') assertAdapter();
  // Pretraining leaves nothing open.
  const opened =
    settings.method === 'pretrain'
      ? await openPretraining(settings as RunSettings, resume, started, signal)
      : await openTuning({ asked: settings, resume, started, signal, progress, confirm: confirm ? ask : null });
  if (!opened) return null;
  const { folder, model } = opened;
  const tell = (event: RunEvent): void => {
    folder.append(event);
    emit(event);
  };
  try {
    const run = new Run(opened, tell, emit, signal, started + waited);
    return await run.go(shrunk ?? null);
  } catch (error) {
    const known = asFailure(error);
    fail(folder, known);
    throw known;
  } finally {
    folder.unlock();
    model.close();
  }
}

/** Validation with the bits that a byte of its text costs, where the text's size is known. */
function withBitsPerByte(event: RunEvent, bytes: number | null): RunEvent {
  if (event.type !== 'validation' || bytes === null) return event;
  return { ...event, bitsPerByte: (event.loss * event.tokens) / (bytes * Math.LN2) };
}

const withParent = (event: RunEvent): RunEvent =>
  event.type === 'estimate' ? { ...event, peakMemoryBytes: event.peakMemoryBytes + parentBytes() } : event;

/** Gives memory back that nothing names any more; the worker is started with this switched on. */
const collectGarbage = (): void => (globalThis as { gc?: () => void }).gc?.();

/** How training, or the whole run, ended; and why its result is not to be trusted, where it is not. */
interface Trained {
  readonly how: Ending;
  readonly verdict: string | null;
}

class Run {
  private readonly settings: RunSettings;
  private readonly folder: RunFolder;
  private readonly model: GgufFile;
  private readonly prepared: Prepared;
  private readonly opened: Opened;
  private readonly tell: (event: RunEvent) => void;
  /** Of what is only worth knowing while it lasts: it is not logged. */
  private readonly mention: (event: RunEvent) => void;
  private readonly signal: AbortSignal;
  private readonly started: number;
  private readonly threads: number;
  /** Of this process's steps. */
  private trainedTokens = 0;
  private trainedSeconds = 0;
  private firstStepSeconds: number | null = null;
  /** Training and validation before this process resumed the run. */
  private secondsBefore = 0;
  private readonly losses: LossWatch;

  constructor(
    opened: Opened,
    tell: (event: RunEvent) => void,
    mention: (event: RunEvent) => void,
    signal: AbortSignal,
    started: number,
  ) {
    const { folder, model, prepared } = opened;
    this.opened = opened;
    this.settings = prepared.settings;
    this.folder = folder;
    this.model = model;
    this.prepared = prepared;
    this.tell = tell;
    this.mention = mention;
    this.signal = signal;
    this.started = started;
    this.threads = threadsOf(this.settings.threads);
    this.losses = new LossWatch(readModelConfig(model).vocabulary);
  }

  async go(shrunk: NonNullable<RunOptions['shrunk']> | null): Promise<RunEndEvent> {
    const { folder, prepared, settings } = this;
    await heedStop(this.signal);
    const { activations, streamed } = this.holding();
    const precision = settings.method === 'lora' ? await this.choosePrecision(streamed) : null;
    const weights = precision?.weights ?? null;
    const { model, threads } = this;
    const method = await openMethod({ settings, folder, model, threads, weights, activations });
    const { step } = method;
    const optimizer = initAdamW(step.parameters);
    const resumes = prepared.validation.length > 0 && checkpointSteps(folder.checkpoints).length > 0;
    let initial = resumes ? step.parameters.map(({ value }) => value.slice()) : null;
    const loaded = loadLatest(folder.checkpoints, step.parameters, optimizer);
    const saved = loaded?.state ?? null;
    if (saved?.validationBefore !== null) initial = null;
    this.secondsBefore = saved?.seconds ?? 0;
    const state: TrainerState = saved ?? {
      step: 0,
      validationBefore: null,
      validatedStep: null,
      bestLoss: null,
      bestStep: null,
      withoutImprovement: 0,
      seconds: 0,
    };
    folder.openLog(saved?.eventBytes ?? 0);
    for (const event of folder.events()) if (event.type === 'step-end') this.losses.see(event.loss);
    folder.write({ ...folder.read(), state: 'running' });
    const keepSmaller = (tokens: number): void => folder.write({ ...folder.read(), microBatchTokens: tokens });
    if (shrunk) keepSmaller(shrunk.microBatchTokens);
    const { perEpoch: stepsPerEpoch, steps } = stepsOf(prepared.train.length, settings);
    const beginning = { opened: this.opened, step, loaded, precision: precision?.event ?? null, threads, stepsPerEpoch, steps, shrunk }; // biome-ignore format: one line
    for (const event of beginningOf(beginning)) this.tell(event);
    const save = (): RunEvent => {
      // The event that says so counts as part of the state, or a resumed log would miss it.
      const path = join(folder.checkpoints, String(state.step).padStart(6, '0'));
      const event: RunEvent = { type: 'checkpoint-saved', step: state.step, path, best: state.bestStep === state.step };
      const eventBytes = folder.eventBytes + Buffer.byteLength(`${JSON.stringify(event)}\n`);
      saveCheckpoint(folder.checkpoints, step.parameters, optimizer, { ...state, eventBytes }, (path) =>
        method.describe(path),
      );
      return event;
    };
    const loop = trainLoop({
      step,
      optimizer,
      train: prepared.train,
      validation: prepared.validation,
      steps,
      settings,
      prefix: prepared.prefix,
      state,
      initial,
      maxTokens: folder.read().microBatchTokens ?? microBatchTokens,
      save,
      shrunk: keepSmaller,
      signal: this.signal,
    });
    const trained = await this.follow(loop).catch(async (error: unknown) => {
      await step.close();
      throw error;
    });
    if (trained.how === 'interrupted' || trained.how === 'diverged') {
      await step.close();
      return this.end(trained, null, state);
    }
    if (state.bestStep !== null) loadParameters(folder.checkpoints, state.bestStep, step.parameters);
    try {
      return this.end(await this.finish(method, state, trained), method, state);
    } catch (error) {
      // Whatever the engines call it: an interrupt. Resuming makes the result again from the last checkpoint.
      if (!this.signal.aborted) throw error;
      return this.end({ how: 'interrupted', verdict: null }, null, state);
    }
  }

  /** Tells of what the loop yields; returns how it ended. */
  private async follow(loop: ReturnType<typeof trainLoop>): Promise<Trained> {
    try {
      for (;;) {
        const next = await loop.next();
        if (next.done) return { how: next.value, verdict: null };
        this.count(next.value);
        this.tell(withParent(withBitsPerByte(next.value, this.prepared.validationBytes)));
        if (this.losses.hopeless)
          return this.diverged(`the loss has been above ${this.losses.bound.toFixed(1)} for long`);
      }
    } catch (error) {
      if (!(error instanceof Diverged)) throw error;
      return this.diverged(error.message);
    }
  }

  /** The end of a run that came apart: said with the last checkpoint from before, from which a new run can begin. */
  private diverged(why: string): Trained {
    const { folder, settings } = this;
    const events = folder.events();
    const step = lastGoodCheckpoint(checkpointSteps(folder.checkpoints), events, this.losses.bound);
    const good =
      step === null
        ? 'No checkpoint from before that is left.'
        : `The last good checkpoint is that after ${step} steps, ${join(folder.checkpoints, String(step).padStart(6, '0'))}.${settings.method === 'lora' ? ' A new run goes on from its weights with --initial-adapter and that path.' : ''}`;
    const verdict = `The run diverged: ${why}. ${good} Start a new run with a lower --learning-rate (it was ${settings.learningRate})${settings.warmupSteps === 0 ? ' and some --warmup-steps' : ''}.`; // biome-ignore format: one line
    this.tell({ type: 'notice', code: 'diverged', message: verdict });
    return { how: 'diverged', verdict };
  }

  private count(event: RunEvent): void {
    if (event.type !== 'step-end') return;
    this.losses.see(event.loss);
    if (event.step === 0) this.firstStepSeconds = (performance.now() - this.started) / 1000;
    this.trainedTokens += event.tokens;
    this.trainedSeconds += event.tokens / event.tokensPerSecond;
  }

  /** Where activations and weights are kept: as planned, or as this machine allows where the run was resumed. */
  private holding(): Holding {
    const { plan } = this.folder.read();
    return this.opened.holding ?? { activations: plan?.activations ?? 'keep', streamed: plan?.streamed ?? false };
  }

  /** A resumed run goes on in the arithmetic that it began with, whatever the machine is doing now. */
  private async choosePrecision(streamed: boolean): Promise<ChosenPrecision> {
    const { folder, model, prepared, threads } = this;
    const { chosenPrecision: before, plan } = folder.read();
    const chosen = await choosePrecision({
      settings: { precision: before ?? this.settings.precision, device: this.settings.device },
      planned: plan?.measured ? plan.precision : null,
      model,
      rows: prepared.train,
      threads,
      streamTo: streamed ? folder.file('layers.int8') : null,
      progress: (message) => this.mention({ type: 'notice', code: 'preparing', message }),
      signal: this.signal,
    });
    folder.write({ ...folder.read(), chosenPrecision: chosen.event.precision });
    folder.writeRecipe();
    if (before === undefined || this.settings.precision !== 'auto') return chosen;
    return { ...chosen, event: { ...chosen.event, reason: 'as the run began' } };
  }

  /** The result, its parity proof, samples. Returns how the run ends. */
  private async finish(method: Method, state: TrainerState, trained: Trained): Promise<Trained> {
    const { losses, prepared } = this;
    if (losses.tornApart({ before: state.validationBefore, after: state.bestLoss })) {
      await method.step.close();
      const at = state.bestLoss === null ? `the last losses are ${losses.end.toFixed(1)}` : `the validation loss is ${state.bestLoss.toFixed(1)}`; // biome-ignore format: one line
      return this.diverged(`${at}, worse than a model that guesses`);
    }
    method.write(state, stepsOf(prepared.train.length, this.settings).perEpoch);
    const rows = (prepared.validation.length > 0 ? prepared.validation : prepared.train).slice(0, parityRows);
    const exact = await method.exactStep();
    const ours = await logProbabilitiesOf(exact, rows);
    if (!allFinite(ours)) {
      await exact.close();
      return this.diverged("the result's own log-probabilities are not finite");
    }
    const { files, notice, release } = method.proofs();
    if (notice !== null && !this.opened.notices.includes(notice))
      this.tell({ type: 'notice', code: 'cache', message: notice });
    // llama.cpp maps another copy of the base, for which what training held makes room.
    await exact.close();
    collectGarbage();
    const { signal, tell, threads } = this;
    const failed = await proveResult({ proofs: files, rows, ours, threads, signal, tell }).finally(release);
    const torn = failed.some(({ meanDifference }) => meanDifference === null) && losses.spiked;
    if (torn) return this.diverged(`the loss rose above ${losses.bound.toFixed(1)} on the way, and llama.cpp's numbers with the result are not finite`); // biome-ignore format: one line
    const verdict = failed.length > 0 ? failureText(failed, method) : null;
    if (verdict !== null) this.tell({ type: 'notice', code: 'parity-failed', message: verdict });
    // Where its numbers are not finite, nothing can be said with them.
    if (failed.every(({ meanDifference }) => meanDifference !== null))
      for (const event of await this.samples(method)) this.tell(event);
    return verdict === null ? trained : { how: 'proof-failed', verdict };
  }

  /** A sample is no reason for a run to fail: what was trained is proven by now. */
  private samples(method: Method): Promise<RunEvent[]> {
    return makeSamples(this.prepared.questions, method, this.threads, this.signal).catch((error: unknown) => {
      if (this.signal.aborted) throw error;
      const why = error instanceof Error ? error.message : String(error);
      return [{ type: 'notice', code: 'no-samples', message: `No samples: ${why}` }];
    });
  }

  private end({ how, verdict }: Trained, method: Method | null, state: TrainerState): RunEndEvent {
    return endRun({
      folder: this.folder,
      how,
      verdict,
      result: how === 'diverged' ? null : (method?.result ?? null),
      state,
      measured: {
        seconds: (performance.now() - this.started) / 1000,
        secondsBefore: this.secondsBefore,
        tokensPerSecond: this.trainedSeconds > 0 ? this.trainedTokens / this.trainedSeconds : null,
        firstStepSeconds: this.firstStepSeconds,
      },
      tell: this.tell,
    });
  }
}

/** The newest of these checkpoints that the loss had not yet left its bound before; null where there is none. */
function lastGoodCheckpoint(steps: readonly number[], events: readonly RunEvent[], bound: number): number | null {
  const firstHigh = events.find((e) => e.type === 'step-end' && e.loss > bound);
  // A step's loss is that of the weights before it.
  const until = firstHigh?.type === 'step-end' ? firstHigh.step : Number.POSITIVE_INFINITY;
  return steps.findLast((step) => step > 0 && step < until) ?? null;
}
