/**
 * Starts a run in a process of its own and hands on its events; where that process dies for want of memory, another one goes on with
 * smaller micro-batches. Knows nothing of terminals.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { NomoatError } from '../errors.ts';
import { errorEvent, type RunEvent } from '../events.ts';
import type { Confirm, Proposal } from '../plan/proposal.ts';
import { startModelName } from '../settings/options.ts';
import type { RequestedSettings } from '../settings/run-settings.ts';
import { programPath } from '../store/package-root.ts';
import { microBatchTokens, minMicroBatchTokens } from '../train/pack-options.ts';
import { callWithOptions } from '../words/program-words.ts';
import { assertInputsThere } from './provenance.ts';
import { RunFolder, removeHalfRun } from './run-folder.ts';
import type { Shrunk, WorkerCommand, WorkerMessage } from './worker.ts';
import {
  type Death,
  deathError,
  endedFromOutside,
  lookAtMemory,
  type MemoryLook,
  memoryEvidence,
  memoryKills,
} from './worker-death.ts';

/** A training process. */
export interface RunHandle extends AsyncIterable<RunEvent> {
  /** Absolute path of the run's folder. */
  readonly run: string;
  /** Undefined until the process is up. */
  readonly pid: number | undefined;
  /** Asks for a checkpoint and the end. */
  interrupt(): void;
  /** Ends at once; what happened since the last checkpoint is computed again on resuming. */
  kill(): void;
}

/**
 * From this size on, glibc gives an allocation pages of its own, which go back to the system when it is freed. It begins with the same
 * size, but raises it to that of what was freed last, and a run's peak was a third higher: what quantizing had freed stayed. With 1 MB the
 * arrays of a small model's blocks stayed, and the peak was 80 MB higher. Others ignore the variable.
 */
const ownMappingBytes = String(128 << 10);

const workerPath = (): string => programPath('run/worker.js', import.meta.url);

/** Throws NomoatError where the training process's program is not to be found, as in a bundle away from the package. */
export function assertWorkerThere(path = workerPath()): void {
  if (existsSync(path)) return;
  throw new NomoatError({
    part: 'nomoat',
    fault: `its training process ${path} is not there`,
    remedy:
      'A bundle needs the package nomoat installed where it runs, since it starts a file of its own; in a source tree, npm run build makes it.',
    kind: 'failed',
  });
}

export interface StartOptions {
  readonly resume?: boolean;
  readonly signal?: AbortSignal;
  /** Asked before a new fine-tuning run begins; where it says no, nothing is written, and iterating ends without an event. */
  readonly confirm?: Confirm;
}

/** Starts (or resumes) the run. Iterating it ends after `run-end`, and throws NomoatError after an `error` event. */
export function startRun(settings: RequestedSettings, options: StartOptions = {}): RunHandle {
  assertWorkerThere();
  const { confirm = null, resume = false, signal } = options;
  const stop = (): void => handle.interrupt();
  const handle = new ForkedRun(settings, resume, confirm, () => signal?.removeEventListener('abort', stop));
  if (signal?.aborted) stop();
  else signal?.addEventListener('abort', stop, { once: true });
  return handle;
}

/** Resumes the run in `path` with the settings it was started with. */
export function resumeRun(path: string, options: { signal?: AbortSignal } = {}): RunHandle {
  const folder = new RunFolder(path);
  const record = folder.read();
  if (record.state === 'done' || record.state === 'stopped-early') {
    const remedy = `Use it: ${callWithOptions('openModel', { model: path })}`;
    throw new NomoatError({ code: 'run-done', part: folder.path, fault: 'this run is done', remedy });
  }
  if (record.state === 'diverged')
    throw new NomoatError({
      code: 'run-diverged',
      part: folder.path,
      fault: 'this run diverged, and would again',
      remedy: record.verdict ?? 'Start a new run with a lower `learningRate`.',
      kind: 'untrusted',
    });
  assertInputsThere(folder.path, record);
  const { settings } = record;
  // Where the run is now: it may have been moved, and a pretraining run's model is inside.
  const modelPath = settings.method === 'pretrain' ? folder.file(startModelName) : settings.modelPath;
  return startRun({ ...settings, modelPath, run: folder.path }, { ...options, resume: true });
}

/** A process that is just ending breaks the pipe while it is written to; `close` tells of it, so that is no error of its own. */
function send(child: ChildProcess, command: WorkerCommand): void {
  if (child.connected) child.send(command, () => {});
}

/** Of what a dying process says, this much is kept: V8 and the C library fill a screen. */
const keptStderr = 4000;
/** Whoever stops a run while it prepares or ends waits no longer than this: a tokenizer, a BPE and an engine compute without listening. */
const graceMilliseconds = 1500;
/** How often the process's memory is looked at: what it held at the last look says what it died of. */
const lookMilliseconds = 1000;

const isLast = ({ type }: RunEvent): boolean => type === 'run-end' || type === 'error';

const stderrNotice = (text: string): RunEvent => ({
  type: 'notice',
  code: 'worker-output',
  message: `The training process printed: ${text.trim()}`,
});

class ForkedRun implements RunHandle {
  readonly run: string;
  private readonly settings: RequestedSettings;
  private child: ChildProcess;
  private readonly waiting: RunEvent[] = [];
  private wake: () => void = () => {};
  private ended = false;
  private stopped = false;
  private killed = false;
  private steps = 0;
  private done = 0;
  private stage: 'opening' | 'training' | 'finishing' = 'opening';
  private maxTokens = microBatchTokens;
  private kills = memoryKills();
  private look: MemoryLook | null = null;
  /** Called once, when nothing comes any more. */
  private readonly onOver: () => void;
  private readonly confirm: Confirm | null;
  /** Tells whoever is asked that the run is over. */
  private readonly over = new AbortController();
  private unanswered: unknown = null;

  constructor(settings: RequestedSettings, resume: boolean, confirm: Confirm | null, onOver: () => void) {
    this.settings = settings;
    this.confirm = confirm;
    this.run = settings.run;
    this.onOver = onOver;
    this.child = this.spawn(resume, null);
  }

  /** Nothing comes after what is waiting. */
  private finish(): void {
    this.ended = true;
    this.over.abort();
    this.onOver();
  }

  private spawn(resume: boolean, shrunk: Shrunk | null): ChildProcess {
    this.stage = 'opening';
    // Not the host's own: with `node -e` that is the program itself, which each worker would run again.
    // V8's own threads would mark its small heap again at each few arrays of weights: a tenth of the processor time to the first step.
    const execArgv = ['--expose-gc', '--single-threaded-gc'];
    const env = { MALLOC_MMAP_THRESHOLD_: ownMappingBytes, ...process.env };
    const child = fork(workerPath(), [], { env, execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let heard = '';
    const looks = setInterval(() => {
      this.look = (child.pid === undefined ? null : lookAtMemory(child.pid)) ?? this.look;
    }, lookMilliseconds);
    looks.unref();
    child.stderr!.on('data', (chunk: Buffer) => {
      heard = (heard + chunk.toString()).slice(-keptStderr);
    });
    child.on('message', (message: WorkerMessage) => {
      if ('proposal' in message) void this.propose(message.proposal);
      else if ('end' in message) this.finish();
      else {
        // The host's own stderr is not a run's to write to: what engines print there is an event, before the last one.
        if (isLast(message.event) && heard.trim() !== '') {
          this.hear(stderrNotice(heard));
          heard = '';
        }
        this.hear(message.event);
      }
      this.wake();
    });
    // `close` comes after the last words on stderr.
    child.on('close', (code, signal) => {
      clearInterval(looks);
      if (!this.ended) this.die(code, signal, heard);
      this.wake();
    });
    // A process that never began; `close` does not come then.
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      clearInterval(looks);
      this.die(null, null, String(error));
      this.wake();
    });
    send(child, { type: 'start', settings: this.settings, resume, shrunk, asks: this.confirm !== null && !resume });
    return child;
  }

  /** Where asking itself fails, nothing begins, and iterating tells why. */
  private async propose(proposal: Proposal): Promise<void> {
    let begins = false;
    try {
      begins = await this.confirm!(proposal, this.over.signal);
    } catch (error) {
      this.unanswered = error;
    }
    send(this.child, { type: 'answer', begins });
  }

  private hear(event: RunEvent): void {
    if (event.type === 'data-ready') {
      this.steps = event.steps;
      this.stage = 'training';
    }
    // The last checkpoint: the result is made again from it.
    if (event.type === 'checkpoint-saved' && event.step >= this.steps) this.stage = 'finishing';
    if (event.type === 'step-end') this.done = event.step + 1;
    this.waiting.push(event);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  interrupt(): void {
    if (this.ended || this.stopped) return;
    this.stopped = true;
    send(this.child, { type: 'interrupt' });
    if (this.stage === 'training') return;
    // Nothing that was computed is lost by an end at once, and what computes does not listen.
    setTimeout(() => {
      if (!this.ended && this.stage !== 'training') this.kill();
    }, graceMilliseconds).unref();
  }

  kill(): void {
    this.stopped = true;
    this.killed = true;
    this.child.kill('SIGKILL');
  }

  /** The process is gone. Where memory ran out while training, another one goes on with smaller micro-batches. */
  private die(code: number | null, signal: NodeJS.Signals | null, lastWords: string): void {
    const kills = memoryKills();
    const kernelKilled = kills === null || this.kills === null ? null : kills > this.kills;
    this.kills = kills;
    const death: Death = { code, signal, lastWords, kernelKilled, look: this.look };
    const evidence = memoryEvidence(death);
    const training = this.stage === 'training' && this.steps > 0 && this.done < this.steps;
    this.maxTokens = Math.min(this.maxTokens, this.recordedTokens());
    if (evidence !== null && training && !this.stopped && this.maxTokens > minMicroBatchTokens) {
      this.maxTokens >>= 1;
      const message = `Memory ran out in step ${this.done}, and the training process died (${signal ?? `code ${code}`}: ${evidence}); going on from the last checkpoint with micro-batches of up to ${this.maxTokens} tokens.`;
      this.child = this.spawn(true, { microBatchTokens: this.maxTokens, message });
      return;
    }
    removeHalfRun(this.run);
    const error = this.killed
      ? endedFromOutside(this.run, 'was stopped at once')
      : deathError(this.run, death, evidence);
    this.waiting.push(errorEvent(error));
    this.finish();
  }

  /** The process may have made its micro-batches smaller itself before it died. */
  private recordedTokens(): number {
    try {
      return new RunFolder(this.run).read().microBatchTokens ?? microBatchTokens;
    } catch {
      return microBatchTokens;
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<RunEvent> {
    try {
      for (;;) {
        const event = this.waiting.shift();
        if (event) {
          yield event;
          if (event.type === 'error') throw new NomoatError(event);
        } else if (this.ended) {
          if (this.unanswered !== null) throw this.unanswered;
          return;
        } else
          await new Promise<void>((resolve) => {
            this.wake = resolve;
          });
      }
    } finally {
      // Whoever stops listening early wants the run to stop too.
      this.interrupt();
    }
  }
}
