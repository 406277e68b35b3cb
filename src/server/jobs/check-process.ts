/**
 * A process that checks one training file and says what it found. Started by file-checker.ts: making tokens of a large file takes minutes, in
 * which the server's own process would answer nobody.
 */
import { constants, setPriority } from 'node:os';
import type { TuningFileCheck } from '../../dataset/tuning-file.ts';
import { type CheckTuningFileOptions, checkTuningFile } from '../../library/tuning-file.ts';
import { answerCall } from '../child-answer.ts';
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

answerCall('the training file', async ({ nice, options, path }: CheckCommand): Promise<TuningFileCheck> => {
  if (nice) setPriority(constants.priority.PRIORITY_LOW);
  return await checkTuningFile(path, options);
});
