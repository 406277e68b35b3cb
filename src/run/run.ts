/**
 * A run as a program holds it: there at once, its events for any number of readers, its result as a promise. Promises: what goes wrong
 * before the training process is up arrives as what goes wrong in it does; a result that nobody reads is no unhandled rejection;
 * whoever stops reading stops nothing. Knows nothing of how a run is started.
 */
import { join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { EventHistory } from '../event-history.ts';
import { type ExportParityEvent, errorEvent, type RunEndEvent, type RunEvent } from '../events.ts';
import type { SafetyEvent } from '../safety-event.ts';
import type { VerdictEvent } from '../verdict-event.ts';
import type { RunHandle } from './start-run.ts';

/** What a run came to. */
export interface RunResult {
  /** Absolute path of the run's folder. */
  readonly folder: string;
  /** `done`, or `stopped-early` where validation no longer got better. With `diverged` and `proof-failed` there is a `verdict`. */
  readonly state: 'done' | 'stopped-early' | 'diverged' | 'proof-failed';
  /** Folder of the PEFT adapter; null where every weight was trained, or where the run diverged. */
  readonly adapter: string | null;
  /** The GGUF model; null where an adapter was trained. */
  readonly model: string | null;
  /** Loss (nats per supervised token) before training and of the result; null where nothing was held out. */
  readonly validation: { readonly before: number | null; readonly after: number | null };
  /** How far llama.cpp is from what was trained; null where it was not compared. */
  readonly parity: Omit<ExportParityEvent, 'type'> | null;
  /** Whether it worked, on held-out examples; null where nothing was held out, or there was no time to ask. */
  readonly evaluation: Omit<VerdictEvent, 'type'> | null;
  /** Whether it still refuses what its base refuses, in a quick form; null where there was no time to ask, or nobody wanted it. */
  readonly safety: Omit<SafetyEvent, 'type'> | null;
  /** Optimizer steps that were made, and the one after which the result was taken; null for the last. */
  readonly steps: number;
  /** Steps after which the result was taken; null: after the last. */
  readonly bestStep: number | null;
  /** Why the result is not to be trusted, in sentences; null where it is. */
  readonly verdict: string | null;
  /** The report, as a page and for programs. */
  readonly report: { readonly html: string; readonly json: string };
  /** Of this process, all stages together. */
  readonly seconds: number;
  /** Of the training process and the one that shows its progress. */
  readonly peakMemoryBytes: number;
}

/** A run as a program holds it: iterate it for its events, by as many readers as like; await its `result`. */
export interface Run extends RunHandle {
  /** Absolute path of the run's folder. Throws NomoatError while the run has not chosen it: it is known with the first event. */
  readonly folder: string;
  /**
   * What the run came to. Rejects with NomoatError where it failed, was interrupted, or never began; a result that is not to be trusted
   * (diverged, proof failed) is one, and says so in `state` and `verdict`.
   */
  readonly result: Promise<RunResult>;
}

/** What is known of a run while it goes on. */
interface Seen {
  end: RunEndEvent | null;
  parity: ExportParityEvent | null;
  evaluation: VerdictEvent | null;
  safety: SafetyEvent | null;
}

const notChosen = (): NomoatError =>
  new NomoatError({
    part: 'the run',
    fault: 'has no folder yet',
    remedy: 'Its first event, or its result, comes after the folder was chosen.',
  });

/** The error of a run that was stopped, or answered with no, before it had a folder. */
export const notBegun = (): NomoatError =>
  new NomoatError({
    code: 'run-not-begun',
    part: 'the run',
    fault: 'was not begun',
    remedy: 'Nothing was written: start it again.',
    kind: 'interrupted',
  });

const stopped = (folder: string, { steps }: RunEndEvent): NomoatError =>
  new NomoatError({
    code: 'run-interrupted',
    part: folder,
    fault: `the run was stopped after ${steps} steps`,
    remedy: 'Its checkpoint is there: resume the run in this folder.',
    kind: 'interrupted',
    fields: { folder, steps },
  });

const known = (error: unknown): NomoatError =>
  error instanceof NomoatError
    ? error
    : new NomoatError({
        part: 'the run',
        fault: `could not be started (${error instanceof Error ? error.message : String(error)})`,
        remedy: 'Its cause has what was thrown.',
        kind: 'failed',
        cause: error,
      });

/** Starts what `start` starts, at once; `start` may take its time, and may fail. */
export function followRun(start: () => RunHandle | Promise<RunHandle>): Run {
  return new FollowedRun(start);
}

class FollowedRun implements Run {
  readonly result: Promise<RunResult>;
  private readonly history = new EventHistory<RunEvent>();
  private handle: RunHandle | null = null;
  private stop: 'no' | 'interrupt' | 'kill' = 'no';

  constructor(start: () => RunHandle | Promise<RunHandle>) {
    this.result = this.follow(start);
    // The events tell of it, too: a program that reads only those is not to die of a promise that it did not read.
    this.result.catch(() => {});
  }

  private async follow(start: () => RunHandle | Promise<RunHandle>): Promise<RunResult> {
    // What is wrong is said to whoever holds the run, never thrown at whoever asks for one.
    await null;
    let result: RunResult | NomoatError;
    try {
      this.handle = await start();
      if (this.stop === 'kill') this.handle.kill();
      if (this.stop === 'interrupt') this.handle.interrupt();
      result = resultOf(this.handle.run, await this.hear(this.handle));
    } catch (error) {
      const failure = known(error);
      this.emitFailure(failure);
      this.history.end(failure);
      throw failure;
    }
    this.history.end();
    if (result instanceof NomoatError) throw result;
    return result;
  }

  private async hear(handle: RunHandle): Promise<Seen> {
    const seen: Seen = { end: null, parity: null, evaluation: null, safety: null };
    for await (const event of handle) {
      if (event.type === 'run-end') seen.end = event;
      if (event.type === 'export-parity') seen.parity = event;
      if (event.type === 'verdict') seen.evaluation = event;
      if (event.type === 'safety') seen.safety = event;
      this.history.push(event);
    }
    return seen;
  }

  /** A fault from before the training process is an event as well, as one of that process is. */
  private emitFailure(failure: NomoatError): void {
    if (this.history.soFar.at(-1)?.type !== 'error') this.history.push(errorEvent(failure));
  }

  get run(): string {
    return this.folder;
  }

  get folder(): string {
    if (this.handle === null) throw notChosen();
    return this.handle.run;
  }

  get pid(): number | undefined {
    return this.handle?.pid;
  }

  interrupt(): void {
    if (this.stop === 'no') this.stop = 'interrupt';
    this.handle?.interrupt();
  }

  kill(): void {
    this.stop = 'kill';
    this.handle?.kill();
  }

  [Symbol.asyncIterator](): AsyncIterator<RunEvent> {
    return this.history[Symbol.asyncIterator]();
  }
}

/** An event without its name. */
function contentOf<Event extends { readonly type: string }>(event: Event | null): Omit<Event, 'type'> | null {
  if (event === null) return null;
  const { type: _, ...content } = event;
  return content;
}

function resultOf(folder: string, { end, evaluation, parity, safety }: Seen): RunResult | NomoatError {
  if (end === null) return notBegun();
  const { adapter, bestStep, model, peakMemoryBytes, seconds, state, steps, validationAfter, validationBefore } = end;
  if (state === 'interrupted' || state === 'failed') return stopped(folder, end);
  return {
    folder,
    state,
    adapter,
    model,
    validation: { before: validationBefore, after: validationAfter },
    parity: contentOf(parity),
    evaluation: contentOf(evaluation),
    safety: contentOf(safety),
    steps,
    bestStep,
    verdict: end.verdict ?? null,
    report: { html: join(folder, 'report.html'), json: join(folder, 'report.json') },
    seconds,
    peakMemoryBytes,
  };
}
