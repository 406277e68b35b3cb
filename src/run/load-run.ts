/**
 * The second stage of a run: what was opened is loaded. Weights in the arithmetic that was decided on, the step over them, the optimizer, and
 * the newest checkpoint where there is one. Promises: run.json says `running` only once all of it is there.
 */

import { withUpdates } from '../adapter/updated-model.ts';
import { stepsOf } from '../batches/order.ts';
import type { PrecisionEvent } from '../events.ts';
import { threadsOf } from '../machine/machine.ts';
import { readModelConfig } from '../models/config.ts';
import { trainsAdapter } from '../settings/methods.ts';
import { heedStop } from '../stop.ts';
import { checkpointSteps, type Loaded, loadLatest } from '../train/checkpoint.ts';
import { LossWatch } from '../train/divergence.ts';
import { type AdamWState, initAdamW } from '../train/optimizer.ts';
import type { Reference } from '../train/preferences.ts';
import { noSteps, type TrainerState } from '../train/trainer-state.ts';
import { engineChange, wantedEngine } from './engine.ts';
import type { Journal } from './journal.ts';
import { type Method, type MethodOptions, openMethod } from './methods.ts';
import type { Opened } from './open-run.ts';
import { type FrozenWeights, type OpenWeightsOptions, openWeights } from './open-weights.ts';
import { openReference } from './reference.ts';
import { StepMeter } from './step-meter.ts';

/** What the stages of a run hand on. The step is open until a stage says that it closed it. */
export interface Running {
  readonly opened: Opened;
  readonly journal: Journal;
  readonly signal: AbortSignal;
  readonly threads: number;
  readonly method: Method;
  readonly optimizer: AdamWState;
  /** Null where every weight is trained. */
  readonly precision: PrecisionEvent | null;
  /** The checkpoint that the run goes on from; null where it begins anew. */
  readonly loaded: Loaded | null;
  /** Changed in place by the trainer. */
  readonly state: TrainerState;
  /** The weights before the first step, where a resumed run still owes their validation; else null. */
  readonly initial: readonly Float32Array[] | null;
  /** What the base gives preferences; empty for other methods. */
  readonly reference: Reference;
  readonly losses: LossWatch;
  readonly meter: StepMeter;
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

export interface LoadOptions {
  readonly opened: Opened;
  readonly journal: Journal;
  readonly signal: AbortSignal;
  /** When the run was asked for, by performance.now(). */
  readonly started: number;
}

/** The weights below an adapter, in the arithmetic that was decided on, which is written down; null where every weight is trained. */
async function openFrozen({
  opened,
  ...options
}: Required<Pick<OpenWeightsOptions, 'threads' | 'progress' | 'signal'>> &
  Pick<LoadOptions, 'opened'>): Promise<FrozenWeights | null> {
  const { decision, folder, frozen, model, prepared } = opened;
  if (!trainsAdapter(prepared.settings.method)) return null;
  const streamTo = folder.file('layers.int8');
  const base = frozen === null ? model : withUpdates(model, frozen);
  const weights = await openWeights({ decision, model: base, rows: prepared.train, streamTo, ...options });
  folder.update({ chosenPrecision: weights.event.precision });
  folder.writeRecipe();
  return weights;
}

interface OpenMethodOptions
  extends Pick<LoadOptions, 'journal' | 'opened'>,
    Pick<MethodOptions, 'threads' | 'weights'> {
  /** Whether it goes on from a checkpoint. */
  readonly resumes: boolean;
}

/** Opens the step by the engine that was asked for, or that the run began with, which is written down. */
function openRunMethod({ journal, opened, resumes, threads, weights }: OpenMethodOptions): Promise<Method> {
  const { decision, folder, frozen, model, prepared } = opened;
  const { settings } = prepared;
  const record = folder.read();
  return openMethod({
    settings,
    folder,
    model,
    frozen,
    threads,
    weights,
    activations: decision.activations,
    engine: wantedEngine(record, resumes),
    onEngine: (engine, message) => {
      if (message !== null) journal.notice('engine', message);
      const change = resumes ? engineChange(settings.run, record.engine, engine) : null;
      if (change !== null) journal.notice('engine', change);
      folder.update({ engine });
      folder.writeRecipe();
    },
  });
}

/** Throws NomoatError. */
export async function loadRun({ journal, opened, signal, started }: LoadOptions): Promise<Running> {
  const { folder, model, prepared } = opened;
  const { settings } = prepared;
  const threads = threadsOf(settings.threads);
  await heedStop(signal);
  const progress = (message: string): void => journal.emitTransient(message);
  const frozen = await openFrozen({ opened, threads, progress, signal });
  const resumes = checkpointSteps(folder.checkpoints).length > 0;
  const method = await openRunMethod({ opened, journal, threads, resumes, weights: frozen?.weights ?? null });
  const { parameters } = method.step;
  const optimizer = initAdamW(parameters);
  const goesOn = prepared.validation.length > 0 && resumes;
  const initial = goesOn ? parameters.map(({ value }) => value.slice()) : null;
  const precision = `${frozen?.event.precision} ${frozen?.event.levels}`;
  const reference = await openReference({ opened, step: method.step, precision, threads, signal, progress });
  const loaded = loadLatest(folder.checkpoints, parameters, optimizer);
  const state = loaded?.state ?? noSteps();
  folder.openLog(loaded?.state.eventBytes ?? 0);
  const losses = new LossWatch(readModelConfig(model).vocabulary);
  for (const event of folder.events()) if (event.type === 'step-end') losses.see(event.loss);
  folder.update({ state: 'running' });
  const { perEpoch, steps } = stepsOf(prepared.train.length, settings);
  return {
    opened,
    journal,
    signal,
    threads,
    method,
    optimizer,
    precision: frozen?.event ?? null,
    loaded,
    state,
    initial: loaded?.state.validationBefore === null ? initial : null,
    reference,
    losses,
    meter: new StepMeter(started, state.seconds),
    steps,
    stepsPerEpoch: perEpoch,
  };
}
