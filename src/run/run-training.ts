/**
 * One run from settings to report, inside the training process, as stages that hand values on: opened (data, model, folder, decision), loaded
 * (weights, step, checkpoint), trained, finished (result, proof, samples), ended. Promises: every stage can be killed and resumed; the order is
 * such that nothing is said to be done before it is durable.
 */
import type { RunEndEvent, RunEvent } from '../events.ts';
import type { Proposal } from '../plan/proposal.ts';
import { assertAdapter } from '../runtime/onnxruntime-node/webgpu-adapter.ts';
import type { RequestedSettings, RunSettings } from '../settings/run-settings.ts';
import { beginningOf } from './begin-run.ts';
import { endRun } from './end-run.ts';
import { type Finished, finishRun } from './finish-run.ts';
import { Journal } from './journal.ts';
import { loadRun, type Running } from './load-run.ts';
import { asFailure, fail, type Opened, openPretraining, openTuning } from './open-run.ts';
import { type Outcome, trainRun } from './train-run.ts';

export interface RunOptions {
  readonly settings: RequestedSettings;
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
export async function runTraining({
  confirm,
  emit,
  resume,
  settings,
  shrunk,
  signal,
}: RunOptions): Promise<RunEndEvent | null> {
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
  const pacing = { started, signal, progress };
  // Pretraining leaves nothing open.
  const opened =
    settings.method === 'pretrain'
      ? await openPretraining(settings as RunSettings, resume, pacing)
      : await openTuning({ requested: settings, resume, ...pacing, confirm: confirm ? ask : null });
  if (!opened) return null;
  const { folder, model } = opened;
  try {
    const journal = new Journal(folder, emit);
    const running = await loadRun({ opened: withShrunk(opened, shrunk), journal, signal, started: started + waited });
    if (shrunk) folder.update({ microBatchTokens: shrunk.microBatchTokens });
    for (const event of beginningOf(running, shrunk?.message ?? null)) journal.emit(event);
    return end(running, await proven(running, await trainRun(running)));
  } catch (error) {
    const known = asFailure(error);
    fail(folder, known);
    throw known;
  } finally {
    folder.unlock();
    model.close();
  }
}

const withShrunk = (opened: Opened, shrunk: RunOptions['shrunk']): Opened =>
  shrunk ? { ...opened, decision: { ...opened.decision, microBatchTokens: shrunk.microBatchTokens } } : opened;

/** Whether there is a result; and how the run ends. */
interface Proven extends Finished {
  readonly hasResult: boolean;
}

async function proven(running: Running, trained: Outcome): Promise<Proven> {
  if (trained.how === 'interrupted' || trained.how === 'diverged') {
    await running.method.step.close();
    return { ...trained, evaluation: null, hasResult: false };
  }
  try {
    const finished = await finishRun(running, trained);
    return { ...finished, hasResult: finished.how !== 'diverged' };
  } catch (error) {
    // Whatever the engines call it: an interrupt. Resuming makes the result again from the last checkpoint.
    if (!running.signal.aborted) throw error;
    return { how: 'interrupted', verdict: null, evaluation: null, hasResult: false };
  }
}

const end = (
  { journal, meter, method, opened, state }: Running,
  { evaluation, hasResult, how, verdict }: Proven,
): RunEndEvent =>
  endRun({
    folder: opened.folder,
    how,
    verdict,
    evaluation,
    result: hasResult ? method.result : null,
    state,
    measured: meter.measured,
    emit: journal.emit,
  });
