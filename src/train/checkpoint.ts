/**
 * A checkpoint: a folder with the trained parameters, the optimizer's moments and where the run stands. Promises: it appears whole or not at all,
 * a run that goes on from it computes the same bits as one that never stopped, and a broken one is passed over for an older whole one, by name.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { replaceFolderAtomic, writeFileAtomic } from '../formats/atomic-write.ts';
import { readSafetensors, writeSafetensors } from '../formats/safetensors.ts';
import type { AdamWState } from './optimizer.ts';
import type { Parameter } from './step.ts';
import { readState, type SavedState, stateVersion } from './trainer-state.ts';

const folderName = (step: number): string => String(step).padStart(6, '0');
/** Where a checkpoint after `step` steps is, in the folder of a run's checkpoints. */
export const checkpointFolder = (folder: string, step: number): string => join(folder, folderName(step));
const stateName = 'state.json';
/** One newest checkpoint could be the one that a fault is in; the one before it is kept too. */
const keptCheckpoints = 2;

/** Steps of all checkpoints in `folder`, ascending, those that lack a part among them. */
function namedSteps(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^\d{6,}$/.test(name) && folderName(Number(name)) === name)
    .map(Number)
    .sort((a, b) => a - b);
}

/** Steps of the checkpoints in `folder` that have a state, ascending. */
export const checkpointSteps = (folder: string): number[] =>
  namedSteps(folder).filter((step) => existsSync(join(checkpointFolder(folder, step), stateName)));

/** All that a run goes on from. */
export interface Saved {
  readonly parameters: readonly Parameter[];
  readonly optimizer: AdamWState;
  readonly state: SavedState;
}

/** What is special about a run's checkpoints. */
export interface CheckpointUse {
  /** Puts more into the folder of one. */
  readonly describe?: (folder: string) => void;
  /** Steps of those that are kept beside the ones that a run needs. */
  readonly keep?: readonly number[];
}

/** Writes a checkpoint, and then removes those no longer needed. Returns its path. */
export function saveCheckpoint(folder: string, saved: Saved, use: CheckpointUse = {}): string {
  const { describe = () => {}, keep = [] } = use;
  const { optimizer, parameters, state } = saved;
  const path = checkpointFolder(folder, state.step);
  const named = (arrays: readonly Float32Array[], prefix: string) =>
    parameters.map(({ name, shape }, i) => ({ name: `${prefix}${name}`, shape, values: arrays[i]! }));
  replaceFolderAtomic(path, (temporary) => {
    writeSafetensors(
      join(temporary, 'parameters.safetensors'),
      named(
        parameters.map(({ value }) => value),
        '',
      ),
    );
    writeSafetensors(join(temporary, 'optimizer.safetensors'), [
      ...named(optimizer.first, 'first.'),
      ...named(optimizer.second, 'second.'),
    ]);
    describe(temporary);
    writeFileAtomic(
      join(temporary, stateName),
      `${JSON.stringify({ version: stateVersion, ...state, updates: optimizer.updates }, null, 2)}\n`,
    );
  });
  const steps = checkpointSteps(folder);
  for (const step of steps.slice(0, -keptCheckpoints)) {
    if (step !== state.bestStep && !keep.includes(step)) rmSync(checkpointFolder(folder, step), { recursive: true });
  }
  return path;
}

/** The values where they are those of a parameter of `length`. Throws NomoatError. */
function whole(path: string, name: string, values: Float32Array | undefined, length: number): Float32Array {
  const refuse = (fault: string): NomoatError =>
    new NomoatError({
      code: 'unreadable-run',
      part: path,
      fault,
      remedy: 'The checkpoint is not of this run, or broken.',
    });
  if (values?.length !== length) throw refuse(`holds no ${name} of ${length} values`);
  // A run that goes on from such numbers has none but such numbers.
  for (let i = 0; i < length; i++)
    if (!Number.isFinite(values[i])) throw refuse(`${name} holds ${values[i]}, which is not finite`);
  return values;
}

type Take = (parameter: Parameter, values: Float32Array) => void;

/** Hands `take` each parameter's values in the checkpoint at `step`. */
function readParameters(folder: string, step: number, parameters: readonly Parameter[], take: Take): void {
  const path = join(checkpointFolder(folder, step), 'parameters.safetensors');
  const { tensors } = readSafetensors(path);
  for (const parameter of parameters) {
    const { name, value } = parameter;
    take(parameter, whole(path, name, tensors.get(name)?.float32(), value.length));
  }
}

/** Fills the parameters with those of the checkpoint at `step`. Throws NomoatError where it is not whole. */
export const loadParameters = (folder: string, step: number, parameters: readonly Parameter[]): void =>
  readParameters(folder, step, parameters, ({ value }, values) => value.set(values));

function loadMoments(folder: string, step: number, parameters: readonly Parameter[], optimizer: AdamWState): void {
  const path = join(checkpointFolder(folder, step), 'optimizer.safetensors');
  const { tensors } = readSafetensors(path);
  parameters.forEach(({ name: parameter }, i) => {
    for (const moment of ['first', 'second'] as const) {
      const [name, values] = [`${moment}.${parameter}`, optimizer[moment][i]!];
      values.set(whole(path, name, tensors.get(name)?.float32(), values.length));
    }
  });
}

/** A checkpoint that could not be used. */
export interface BrokenCheckpoint {
  readonly step: number;
  readonly fault: string;
}

export interface Loaded {
  readonly state: SavedState;
  /** Newer ones that were passed over, newest first. */
  readonly broken: readonly BrokenCheckpoint[];
  /** The best one by validation, where it is gone or broken: the state then knows of no best one. */
  readonly lostBest: BrokenCheckpoint | null;
}

/** What `load` throws as a fault of that checkpoint; null where it does not. */
function faultOf(step: number, load: () => void): BrokenCheckpoint | null {
  try {
    load();
    return null;
  } catch (error) {
    return { step, fault: error instanceof NomoatError ? `${error.part}: ${error.fault}` : String(error) };
  }
}

/**
 * Fills parameters and optimizer from the newest whole checkpoint; null where there is none at all. Throws NomoatError where all are
 * broken.
 */
export function loadLatest(folder: string, parameters: readonly Parameter[], optimizer: AdamWState): Loaded | null {
  const broken: BrokenCheckpoint[] = [];
  for (const step of namedSteps(folder).reverse()) {
    let state: SavedState | null = null;
    const fault = faultOf(step, () => {
      const { updates, ...read } = readState(join(checkpointFolder(folder, step), stateName), step);
      loadParameters(folder, step, parameters);
      loadMoments(folder, step, parameters, optimizer);
      optimizer.updates = updates;
      state = read;
    });
    if (fault) broken.push(fault);
    else return { ...withoutLostBest(folder, parameters, state!), broken };
  }
  if (broken.length === 0) return null;
  throw new NomoatError({
    code: 'unreadable-run',
    part: folder,
    fault: `none of its ${broken.length} checkpoints is whole: ${broken.map(({ fault }) => fault).join('; ')}`,
    remedy: 'Put one back from a copy, or start a new run: recipe.yaml beside them repeats this one.',
    fields: { broken },
  });
}

/** The state; a best checkpoint that is gone or broken is forgotten, so that the run does not fail of it at its end. */
function withoutLostBest(
  folder: string,
  parameters: readonly Parameter[],
  state: SavedState,
): Pick<Loaded, 'state' | 'lostBest'> {
  const { bestStep } = state;
  if (bestStep === null || bestStep === state.step) return { state, lostBest: null };
  const lostBest = faultOf(bestStep, () => readParameters(folder, bestStep, parameters, () => {}));
  if (!lostBest) return { state, lostBest };
  return { state: { ...state, bestStep: null, bestLoss: null, withoutImprovement: 0 }, lostBest };
}
