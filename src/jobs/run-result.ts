/** Whether the result of a run may be used, asked wherever one is opened: chat, export, a run that begins with it. */
import { NomoatError } from '../errors.ts';
import type { RunRecord } from './run-folder.ts';

/**
 * What is to be said before the result of the run at `path` is used; null where nothing is. Throws NomoatError (untrusted) where it
 * is no result.
 */
export function doubtOf(path: string, { state, verdict }: Pick<RunRecord, 'state' | 'verdict'>): string | null {
  if (state === 'proof-failed') return `${path}: ${verdict ?? 'the proof of its result failed.'}`;
  if (state !== 'diverged') return null;
  throw new NomoatError({
    code: 'run-diverged',
    part: path,
    fault: 'this run diverged: it has no result that can be used',
    remedy: verdict ?? 'Start a new run with a lower --learning-rate.',
    kind: 'untrusted',
  });
}
