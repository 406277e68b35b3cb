/**
 * A process that checks one training file and says what it found. Started by file-checker.ts: making tokens of a large file takes minutes, in
 * which the server's own process would answer nobody.
 */
import { constants, setPriority } from 'node:os';
import type { TuningFileCheck } from '../../dataset/tuning-file.ts';
import { NomoatError } from '../../errors.ts';
import { errorEvent } from '../../events.ts';
import { type CheckTuningFileOptions, checkTuningFile } from '../../library/tuning-file.ts';
import type { ChildAnswer } from '../child-call.ts';

/** What is to be checked. */
export interface CheckCommand {
  readonly path: string;
  readonly options: Omit<CheckTuningFileOptions, 'signal'>;
  /** At the lowest priority. */
  readonly nice: boolean;
}
/** What came of it. */
export type CheckAnswer = ChildAnswer<TuningFileCheck>;

const known = (error: unknown): NomoatError =>
  error instanceof NomoatError
    ? error
    : new NomoatError({
        part: 'the training file',
        fault: error instanceof Error ? (error.stack ?? error.message) : String(error),
        remedy: 'This is a fault of nomoat: please report it.',
        kind: 'failed',
      });

// A server that is gone wants no answer.
process.on('disconnect', () => process.exit(1));
// Ctrl-C reaches the whole group; the server decides what it means.
process.on('SIGINT', () => {});

process.on('message', ({ nice, options, path }: CheckCommand) => {
  if (nice) setPriority(constants.priority.PRIORITY_LOW);
  void checkTuningFile(path, options)
    .then(
      (found): CheckAnswer => ({ found }),
      (error: unknown): CheckAnswer => ({ error: errorEvent(known(error)) }),
    )
    .then((answer) => process.send!(answer, () => process.exit(0)));
});
