/** The third stage of a run: its steps, their checkpoints, and what became of the loss. */

import type { RunEvent } from '../events.ts';
import { parentBytes } from '../machine/machine.ts';
import { trainsAdapter } from '../settings/methods.ts';
import { keptEpochEnds } from '../train/cadence.ts';
import { checkpointFolder, checkpointSteps, saveCheckpoint } from '../train/checkpoint.ts';
import { Diverged } from '../train/divergence.ts';
import { Preferences } from '../train/preferences.ts';
import { trainLoop } from '../train/trainer.ts';
import type { Ending } from './end-run.ts';
import type { Running } from './load-run.ts';
import { SamplesOnTheWay } from './samples-on-the-way.ts';

/** How training, or the whole run, ended; and why its result is not to be trusted, where it is not. */
export interface Outcome {
  readonly how: Ending;
  readonly verdict: string | null;
}

/** Trains until the steps are done, or the run is stopped, or it has come apart. */
export async function trainRun(running: Running): Promise<Outcome> {
  const { initial, method, opened, optimizer, reference, signal, state, steps } = running;
  const { decision, folder, prepared } = opened;
  const loop = trainLoop({
    step: method.step,
    optimizer,
    train: prepared.train,
    validation: prepared.validation,
    steps,
    settings: prepared.settings,
    preferences: Preferences.of(prepared.settings, reference),
    prefix: prepared.prefix,
    state,
    initial,
    maxTokens: decision.microBatchTokens,
    save: () => save(running),
    shrunk: (microBatchTokens) => folder.update({ microBatchTokens }),
    signal,
  });
  try {
    return await follow(running, loop);
  } catch (error) {
    await method.step.close();
    throw error;
  }
}

/** Makes the state durable; returns the event that says so. */
function save({ method, opened, optimizer, state, stepsPerEpoch }: Running): RunEvent {
  const { folder, prepared } = opened;
  const path = checkpointFolder(folder.checkpoints, state.step);
  const event: RunEvent = { type: 'checkpoint-saved', step: state.step, path, best: state.bestStep === state.step };
  // The event that says so counts as part of the state, or a resumed log would miss it.
  const eventBytes = folder.eventBytes + Buffer.byteLength(`${JSON.stringify(event)}\n`);
  const { parameters } = method.step;
  const saved = { parameters, optimizer, state: { ...state, eventBytes } };
  const keep = keptEpochEnds(state.step, stepsPerEpoch, prepared.settings.keepEpochs);
  saveCheckpoint(folder.checkpoints, saved, { describe: (at) => method.describe(at), keep });
  return event;
}

/** Tells of what the loop yields; returns how it ended. */
async function follow(running: Running, loop: ReturnType<typeof trainLoop>): Promise<Outcome> {
  const { journal, losses, meter, opened } = running;
  const { validationBytes } = opened.prepared;
  const samples = new SamplesOnTheWay(running);
  try {
    for (;;) {
      const next = await loop.next();
      if (next.done) return { how: next.value, verdict: null };
      const event = next.value;
      if (event.type === 'step-end') losses.see(event.loss);
      meter.see(event);
      journal.emit(withParent(withBitsPerByte(event, validationBytes)));
      // Before the checkpoint that comes next: a run that is killed goes on with them, or makes them again.
      if (event.type === 'validation') await samples.at(event);
      if (losses.hopeless) return diverged(running, `the loss has been above ${losses.bound.toFixed(1)} for long`);
    }
  } catch (error) {
    if (!(error instanceof Diverged)) throw error;
    return diverged(running, error.message);
  }
}

/** Validation with the bits that a byte of its text costs, where the text's size is known. */
function withBitsPerByte(event: RunEvent, bytes: number | null): RunEvent {
  if (event.type !== 'validation' || bytes === null) return event;
  return { ...event, bitsPerByte: (event.loss * event.tokens) / (bytes * Math.LN2) };
}

const withParent = (event: RunEvent): RunEvent =>
  event.type === 'estimate' ? { ...event, peakMemoryBytes: event.peakMemoryBytes + parentBytes() } : event;

/** The end of a run that came apart: said with the last checkpoint from before, from which a new run can begin. */
export function diverged({ journal, losses, opened }: Running, why: string): Outcome {
  const { folder, prepared } = opened;
  const { settings } = prepared;
  const step = lastGoodCheckpoint(checkpointSteps(folder.checkpoints), folder.events(), losses.bound);
  const good =
    step === null
      ? 'No checkpoint from before that is left.'
      : `The last good checkpoint is that after ${step} steps, ${checkpointFolder(folder.checkpoints, step)}.${trainsAdapter(settings.method) ? ' A new run goes on from its weights with `initialAdapter` and that path.' : ''}`;
  const verdict = `The run diverged: ${why}. ${good} Start a new run with a lower \`learningRate\` (it was ${settings.learningRate})${settings.warmupSteps === 0 ? ' and some `warmupSteps`' : ''}.`;
  journal.notice('diverged', verdict);
  return { how: 'diverged', verdict };
}

/** The newest of these checkpoints that the loss had not yet left its bound before; null where there is none. */
function lastGoodCheckpoint(steps: readonly number[], events: readonly RunEvent[], bound: number): number | null {
  const firstHigh = events.find((e) => e.type === 'step-end' && e.loss > bound);
  // A step's loss is that of the weights before it.
  const until = firstHigh?.type === 'step-end' ? firstHigh.step : Number.POSITIVE_INFINITY;
  return steps.findLast((step) => step > 0 && step < until) ?? null;
}
