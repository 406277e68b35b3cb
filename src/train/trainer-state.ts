/**
 * Where a run stands between two steps, and as a checkpoint's state.json keeps it. Promises: what is read has the shape that it should, or a
 * NomoatError names what has not.
 */
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { readBoundedJson } from '../formats/bounded-json.ts';
import { assertKnownVersion, versionField } from '../formats/file-version.ts';

/** Where a run stands between two steps. */
export interface TrainerState {
  /** Optimizer steps done. */
  step: number;
  validationBefore: number | null;
  /** The step of the last validation that was finished. */
  validatedStep: number | null;
  bestLoss: number | null;
  bestStep: number | null;
  /** Validations since the best one. */
  withoutImprovement: number;
  /** Training time so far, seconds. */
  seconds: number;
}

/** Of a run that has made no step. */
export const noSteps = (): TrainerState => ({
  step: 0,
  validationBefore: null,
  validatedStep: null,
  bestLoss: null,
  bestStep: null,
  withoutImprovement: 0,
  seconds: 0,
});

export interface SavedState extends TrainerState {
  /** Bytes of events.jsonl that belong to this state; what follows is cut off when resuming. */
  readonly eventBytes: number;
}

/** Of state.json. */
export const stateVersion = 1;

const broken = 'The checkpoint is broken.';
/** A real state.json has less than 1 kB. */
const maxBytes = 1 << 20;

const count = z.int().nonnegative();
const loss = z.number().nullable();
/** What the file holds. Runs from before it was kept have no validatedStep. */
const schema = z.looseObject({
  version: versionField(stateVersion),
  step: count,
  validationBefore: loss,
  validatedStep: count.nullable().default(null),
  bestLoss: loss,
  bestStep: count.nullable(),
  withoutImprovement: count,
  seconds: z.number().nonnegative(),
  eventBytes: count,
  updates: count,
});

/** The state at `path`, which should be that after `step` steps, with the optimizer's number of updates. Throws NomoatError. */
export function readState(path: string, step: number): SavedState & { readonly updates: number } {
  const refuse = (fault: string): NomoatError =>
    new NomoatError({ code: 'unreadable-run', part: path, fault, remedy: broken });
  const parsed = readBoundedJson(path, maxBytes, { remedy: broken, code: 'unreadable-run' });
  assertKnownVersion(path, parsed, stateVersion);
  const { data, error } = schema.safeParse(parsed);
  if (!data)
    throw refuse(error.issues.map(({ message, path: at }) => `${at.join('.') || 'it'}: ${message}`).join('; '));
  if (data.step !== step) throw refuse(`says that it is of step ${data.step}`);
  const { version: _, ...state } = data;
  return state;
}
