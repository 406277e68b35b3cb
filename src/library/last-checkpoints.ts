/** The last checkpoints of runs, each of which is an adapter by itself: what an average of weights along a run is made of. */
import { join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { isRun } from '../settings/load.ts';
import { checkpointFolder, checkpointSteps } from '../train/checkpoint.ts';
import { withValues } from '../words/program-words.ts';

/** The folders of the last `count` checkpoints of each run, in order. Throws NomoatError where a path is no run, or has fewer. */
export function lastCheckpoints(runs: readonly string[], count: number): string[] {
  return runs.flatMap((run) => {
    const folder = join(run, 'checkpoints');
    const steps = isRun(run) ? checkpointSteps(folder) : null;
    if (steps !== null && steps.length >= count)
      return steps.slice(-count).map((step) => checkpointFolder(folder, step));
    throw new NomoatError({
      code: 'invalid-settings',
      part: '`lastCheckpoints`',
      fault:
        steps === null
          ? `${run} is no run, and only runs have checkpoints`
          : `${run} keeps ${steps.length} checkpoint${steps.length === 1 ? '' : 's'}, and ${count} are to be averaged`,
      remedy: `Train with ${withValues({ keepEpochs: count })}, which keeps those of the last ${count} epochs.`,
    });
  });
}
