/** Checks training files in a process of their own. Promises: an abort ends it at once; a process that dies is an error that says so. */
import { fork } from 'node:child_process';
import type { TuningFileCheck } from '../../dataset/tuning-file.ts';
import { NomoatError } from '../../errors.ts';
import { programPath } from '../../store/package-root.ts';
import type { CheckAnswer, CheckCommand } from './check-process.ts';

/** Of what a dying process says, this much is kept. */
const keptStderr = 2000;

const died = (how: string, lastWords: string): NomoatError =>
  new NomoatError({
    code: 'worker-died',
    part: 'the process that checks training files',
    fault: `ended without a word (${how})${lastWords === '' ? '' : `: ${lastWords}`}`,
    remedy: 'Create the job again; if it comes again, please report it.',
    kind: 'failed',
  });

/** What is wrong with the file. Rejects with NomoatError, and with the signal's reason where that is aborted. */
export function checkInProcess(command: CheckCommand, signal: AbortSignal): Promise<TuningFileCheck> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // Not the host's own flags: with `node -e` they are the program itself.
    const child = fork(programPath('server/jobs/check-process.js', import.meta.url), [], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let lastWords = '';
    const stop = (): void => {
      child.kill('SIGKILL');
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
    child.stderr!.on('data', (chunk: Buffer) => {
      lastWords = `${lastWords}${chunk}`.slice(-keptStderr);
    });
    child.on('message', (answer: CheckAnswer) => {
      if ('found' in answer) resolve(answer.found);
      else reject(new NomoatError(answer.error));
    });
    child.on('error', reject);
    child.on('close', (code, how) => {
      signal.removeEventListener('abort', stop);
      reject(died(how ?? `code ${code}`, lastWords.trim()));
    });
    // A process that is just ending breaks the pipe; `close` tells of it.
    child.send(command, () => {});
  });
}
