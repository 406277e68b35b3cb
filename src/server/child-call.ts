/** A call in a process of its own. Promises: an abort ends it at once; a process that dies is an error that says so. */
import { fork } from 'node:child_process';
import { NomoatError } from '../errors.ts';
import type { ErrorEvent } from '../events.ts';
import { programPath } from '../store/package-root.ts';

/** What such a process answers, once; before that, any number of times how far it is. */
export type ChildAnswer<Found> =
  | { readonly found: Found }
  | { readonly error: ErrorEvent }
  | { readonly progress: object };

/** What ends a call in such a process, so that it removes what it has begun to write. */
export const stopMessage = 'stop';

export interface ChildCall {
  /** Of the package, such as `server/jobs/check-process.js`. */
  readonly program: string;
  /** What the process is called where it dies. */
  readonly part: string;
  /** What it is sent. */
  readonly command: object;
  /** Told how far it is. */
  readonly onProgress?: (progress: object) => void;
  /** From the abort until it is ended, whatever it does; by default it is at once. */
  readonly graceMilliseconds?: number;
}

/** Of what a dying process says, this much is kept. */
const keptStderr = 2000;

const died = (part: string, how: string, lastWords: string): NomoatError =>
  new NomoatError({
    code: 'worker-died',
    part,
    fault: `ended without a word (${how})${lastWords === '' ? '' : `: ${lastWords}`}`,
    remedy: 'Try again; if it comes again, please report it.',
    kind: 'failed',
  });

/** What the process found. Rejects with NomoatError, and with the signal's reason where that is aborted. */
export function callInChild<Found>(call: ChildCall, signal: AbortSignal): Promise<Found> {
  const { command, graceMilliseconds = 0, onProgress, part, program } = call;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // Not the host's own flags: with `node -e` they are the program itself.
    const child = fork(programPath(program, import.meta.url), [], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let lastWords = '';
    const stop = (): void => {
      if (graceMilliseconds > 0) {
        child.send(stopMessage, () => {});
        setTimeout(() => child.kill('SIGKILL'), graceMilliseconds).unref();
      } else child.kill('SIGKILL');
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
    child.stderr!.on('data', (chunk: Buffer) => {
      lastWords = `${lastWords}${chunk}`.slice(-keptStderr);
    });
    child.on('message', (answer: ChildAnswer<Found>) => {
      if ('progress' in answer) onProgress?.(answer.progress);
      else if ('found' in answer) resolve(answer.found);
      else reject(new NomoatError(answer.error));
    });
    child.on('error', reject);
    child.on('close', (code, how) => {
      signal.removeEventListener('abort', stop);
      reject(died(part, how ?? `code ${code}`, lastWords.trim()));
    });
    // A process that is just ending breaks the pipe; `close` tells of it.
    child.send(command, () => {});
  });
}
