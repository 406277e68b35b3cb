/** Checks training files in a process of their own: its end is that of the check, however it comes. */
import type { TuningFileCheck } from '../../dataset/tuning-file.ts';
import { callInChild } from '../child-call.ts';
import type { CheckCommand } from './check-process.ts';

/** What is wrong with the file. Rejects with NomoatError, and with the signal's reason where that is aborted. */
export const checkInProcess = (command: CheckCommand, signal: AbortSignal): Promise<TuningFileCheck> =>
  callInChild(
    { program: 'server/jobs/check-process.js', part: 'the process that checks training files', command },
    signal,
  );
