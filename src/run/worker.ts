/**
 * The training process. Started by start-run.ts, which sends `start` and may send `interrupt`; answers with events, and with a
 * proposal that it waits for an answer to where it was told to ask.
 * A lost parent counts as an interrupt: the run ends with a checkpoint.
 */
import { constants, setPriority } from 'node:os';
import { errorEvent, type RunEvent } from '../events.ts';
import type { Proposal } from '../plan/proposal.ts';
import type { RequestedSettings } from '../settings/run-settings.ts';
import { asFailure } from './open-run.ts';
import { runTraining } from './run-training.ts';

/** What the process before this one died of, and how small the micro-batches shall be instead. */
export interface Shrunk {
  readonly microBatchTokens: number;
  readonly message: string;
}
export type WorkerCommand =
  | {
      readonly type: 'start';
      readonly settings: RequestedSettings;
      readonly resume: boolean;
      readonly shrunk: Shrunk | null;
      /** Whether it waits for an answer to its proposal. */
      readonly asks: boolean;
    }
  | { readonly type: 'answer'; readonly begins: boolean }
  | { readonly type: 'interrupt' };
export type WorkerMessage = { readonly event: RunEvent } | { readonly proposal: Proposal } | { readonly end: true };

const abort = new AbortController();
const stop = (): void => abort.abort();
// Ctrl-C reaches the whole group; the parent decides what it means.
process.on('SIGINT', () => {});
// So does the end of the terminal; a parent that dies of it is a lost one.
process.on('SIGHUP', () => {});
process.on('SIGTERM', stop);
process.on('disconnect', stop);

const send = (message: WorkerMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.connected) process.send!(message, () => resolve());
    else resolve();
  });

let answer: (begins: boolean) => void = () => {};
/** Where it is interrupted, or nobody is there any more to answer, the answer is no. */
const confirm = (proposal: Proposal): Promise<boolean> =>
  new Promise((resolve) => {
    answer = resolve;
    if (abort.signal.aborted) resolve(false);
    abort.signal.addEventListener('abort', () => resolve(false), { once: true });
    void send({ proposal });
  });

process.on('message', (command: WorkerCommand) => {
  if (command.type === 'answer') {
    answer(command.begins);
    return;
  }
  if (command.type === 'interrupt') {
    stop();
    return;
  }
  const { asks, settings, resume, shrunk } = command;
  // Before the engine starts its threads: on Linux each has a priority of its own, which it takes from the thread that started it.
  if (settings.nice) setPriority(constants.priority.PRIORITY_LOW);
  const emit = (event: RunEvent): void => void send({ event });
  void runTraining({ settings, resume, shrunk, signal: abort.signal, emit, confirm: asks ? confirm : null })
    .catch((error: unknown) => {
      return send({ event: errorEvent(asFailure(error)) });
    })
    .then(() => send({ end: true }))
    .then(() => process.exit(0));
});
