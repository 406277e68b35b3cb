/**
 * Starts a run in a process of its own and hands on its events. Knows nothing of terminals.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NomoatError } from '../errors.ts';
import type { RunEvent } from './events.ts';
import { RunFolder } from './run-folder.ts';
import type { RunSettings } from './run-settings.ts';
import type { WorkerCommand, WorkerMessage } from './worker.ts';

export interface RunHandle extends AsyncIterable<RunEvent> {
  readonly run: string;
  readonly pid: number | undefined;
  /** Asks for a checkpoint and the end. */
  interrupt(): void;
  /** Ends at once; what happened since the last checkpoint is computed again on resuming. */
  kill(): void;
}

/** The worker as built: Node cannot fork TypeScript, so a source tree uses its dist. */
function workerPath(): string {
  const built = import.meta.url.endsWith('.ts') ? '../../dist/jobs/worker.js' : './worker.js';
  return fileURLToPath(new URL(built, import.meta.url));
}

/** Starts (or resumes) the run. Iterating it ends after `run-end`, and throws NomoatError after an `error` event. */
export function startRun(settings: RunSettings, options: { resume?: boolean; signal?: AbortSignal } = {}): RunHandle {
  const child = fork(workerPath(), [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const handle = new ForkedRun(child, settings.run);
  const command: WorkerCommand = { type: 'start', settings, resume: options.resume ?? false };
  child.send(command);
  if (options.signal?.aborted) handle.interrupt();
  options.signal?.addEventListener('abort', () => handle.interrupt(), { once: true });
  return handle;
}

/** Resumes the run in `path` with the settings it was started with. */
export function resumeRun(path: string, options: { signal?: AbortSignal } = {}): RunHandle {
  const folder = new RunFolder(path);
  const record = folder.read();
  if (record.state === 'done' || record.state === 'stopped-early') {
    throw new NomoatError({ part: folder.path, fault: 'this run is done', remedy: `Use it: nomoat chat ${path}` });
  }
  return startRun({ ...record.settings, run: folder.path }, { ...options, resume: true });
}

class ForkedRun implements RunHandle {
  readonly run: string;
  private readonly child: ChildProcess;
  private readonly waiting: RunEvent[] = [];
  private wake: () => void = () => {};
  private ended = false;

  constructor(child: ChildProcess, run: string) {
    this.child = child;
    this.run = run;
    child.on('message', (message: WorkerMessage) => {
      if ('end' in message) this.ended = true;
      else this.waiting.push(message.event);
      this.wake();
    });
    child.on('exit', (code, signal) => {
      if (!this.ended) this.waiting.push(this.lost(code, signal));
      this.ended = true;
      this.wake();
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  interrupt(): void {
    if (this.child.connected) this.child.send({ type: 'interrupt' } satisfies WorkerCommand);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private lost(code: number | null, signal: string | null): RunEvent {
    const error = new NomoatError({
      part: 'the training process',
      fault:
        signal === 'SIGKILL'
          ? 'was killed; if you did not do that, the system ran out of memory'
          : `ended without a word (${signal ?? `code ${code}`})`,
      remedy: `Its checkpoints are safe: nomoat tune --resume ${this.run}. Out of memory? Start a run with a smaller --micro-batch-size or --sequence-length.`,
      kind: 'failed',
    });
    return { type: 'error', ...error.toJSON() } as unknown as RunEvent;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<RunEvent> {
    try {
      for (;;) {
        const event = this.waiting.shift();
        if (event) {
          yield event;
          if (event.type === 'error') throw new NomoatError({ ...event, kind: event.kind as 'failed' });
        } else if (this.ended) return;
        else
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
