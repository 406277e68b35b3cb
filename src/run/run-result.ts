/** Whether the result of a run may be used, asked wherever one is opened: chat, export, a run that begins with it. */

import { existsSync } from 'node:fs';
import { NomoatError } from '../errors.ts';
import { trainsAdapter } from '../settings/methods.ts';
import { callWith } from '../words/program-words.ts';
import type { RunRecord } from './run-folder.ts';

/**
 * What is to be said before the result of the run at `path` is used; null where nothing is. Throws NomoatError (untrusted) where it
 * is no result.
 */
export function runWarning(path: string, { state, verdict }: Pick<RunRecord, 'state' | 'verdict'>): string | null {
  if (state === 'proof-failed') return `${path}: ${verdict ?? 'the proof of its result failed.'}`;
  if (state !== 'diverged') return null;
  throw new NomoatError({
    code: 'run-diverged',
    part: path,
    fault: 'this run diverged: it has no result that can be used',
    remedy: verdict ?? 'Start a new run with a lower `learningRate`.',
    kind: 'untrusted',
  });
}

/** The error of a run at `path` that has no result yet, where one is asked for. */
export const unfinished = (path: string, { state }: Pick<RunRecord, 'state'>): NomoatError =>
  new NomoatError({
    code: 'run-unfinished',
    part: path,
    fault: `is a run without a result yet (${state})`,
    remedy: `Finish it first: ${callWith('resumeTune', path)}`,
  });

/** Throws NomoatError where the run at `path` has no adapter at `adapter`: it did not get there, or trained every weight. */
export function assertHasAdapter(path: string, { settings, state }: RunRecord, adapter: string): void {
  if (existsSync(adapter)) return;
  const isWhole = !trainsAdapter(settings.method);
  throw new NomoatError({
    part: path,
    fault: isWhole
      ? 'is a run that trained every weight: it has no adapter'
      : `is a run without an adapter yet (${state})`,
    remedy: isWhole
      ? 'Give it as the model.'
      : `Finish it first: ${callWith('resumeTune', path)}. Or give one of the folders in its checkpoints.`,
  });
}
