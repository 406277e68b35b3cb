/** Which engine a run's steps are computed by: a run goes on by the one that it began with, since others round otherwise. */
import { NomoatError } from '../errors.ts';
import type { RunRecord } from './run-record.ts';

/** What NOMOAT_ENGINE asks for by name; null where it is not set. */
function named(): 'onnxruntime' | 'native' | null {
  const name = process.env.NOMOAT_ENGINE;
  return name ? (name === 'native' ? 'native' : 'onnxruntime') : null;
}

/** What to ask for: what is named, else what the run began with, else onnxruntime. */
export const wantedEngine = ({ engine }: Pick<RunRecord, 'engine'>): 'onnxruntime' | 'native' =>
  named() ?? (engine?.startsWith('native') ? 'native' : 'onnxruntime');

/**
 * What is to be said of a run with checkpoints that now goes on by `engine`: null where that is what it began with (onnxruntime in runs from before
 * it was written down). Throws NomoatError where nobody asked for another one by name.
 */
export function engineChange(run: string, began: string | undefined, engine: string): string | null {
  const before = began ?? 'onnxruntime';
  if (engine === before) return null;
  const fault = `began on the engine ${before}, and here is ${engine}: the same steps would not give the same numbers`;
  if (named() !== null) return `The run ${fault}; NOMOAT_ENGINE asks for it by name.`;
  throw new NomoatError({
    code: 'engine-changed',
    part: run,
    fault,
    remedy: `Resume it on a machine that has ${before}, or set NOMOAT_ENGINE=onnxruntime and go on all the same.`,
    fields: { began: before, now: engine },
  });
}
