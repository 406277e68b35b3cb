/** Which engine a run's steps are computed by: a run goes on by the one that it began with, since others round otherwise. */
import { NomoatError } from '../errors.ts';
import { type EngineSetting, namedEngine } from '../settings/engine.ts';
import type { RunRecord } from './run-record.ts';

/** What run.json has without the instruction set. */
export const engineName = (engine: string): EngineSetting => (engine.startsWith('native') ? 'native' : 'onnxruntime');

/** What to ask for: what the environment names, else what a run with checkpoints began with, else the setting. */
export const wantedEngine = (
  { engine = 'onnxruntime', settings }: Pick<RunRecord, 'engine' | 'settings'>,
  resumes: boolean,
): EngineSetting => namedEngine() ?? (resumes ? engineName(engine) : settings.engine);

/**
 * What is to be said of a run with checkpoints that now goes on by `engine`: null where that is what it began with (onnxruntime in runs from before
 * it was written down). Throws NomoatError where nobody asked for another one by name.
 */
export function engineChange(run: string, began: string | undefined, engine: string): string | null {
  const before = began ?? 'onnxruntime';
  if (engine === before) return null;
  const fault = `began on the engine ${before}, and here is ${engine}: the same steps would not give the same numbers`;
  if (namedEngine() !== null) return `The run ${fault}; NOMOAT_ENGINE asks for it by name.`;
  throw new NomoatError({
    code: 'engine-changed',
    part: run,
    fault,
    remedy: `Resume it on a machine that has ${before}, or set NOMOAT_ENGINE=${engineName(engine)} and go on all the same.`,
    fields: { began: before, now: engine },
  });
}
