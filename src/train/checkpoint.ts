/**
 * A checkpoint: a folder with the trained parameters, the optimizer's moments and where the run stands. Promises: it appears whole or not at all,
 * and a run that goes on from it computes the same bits as one that never stopped.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { replaceFolderAtomic, writeFileAtomic } from '../files/atomic-write.ts';
import { readSafetensors, writeSafetensors } from '../files/safetensors.ts';
import type { AdamWState } from './optimizer.ts';
import type { Parameter } from './step.ts';

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

export interface SavedState extends TrainerState {
  /** Bytes of events.jsonl that belong to this state; what follows is cut off when resuming. */
  readonly eventBytes: number;
}

const folderName = (step: number): string => String(step).padStart(6, '0');
const stateName = 'state.json';
/** One newest checkpoint could be the one that a fault is in; the one before it is kept too. */
const keptCheckpoints = 2;

/** Steps of the whole checkpoints in `folder`, ascending. */
export function checkpointSteps(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^\d{6,}$/.test(name) && existsSync(join(folder, name, stateName)))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Writes a checkpoint and then removes those no longer needed. Returns its path. */
export function saveCheckpoint(
  folder: string,
  parameters: readonly Parameter[],
  optimizer: AdamWState,
  state: SavedState,
): string {
  const path = join(folder, folderName(state.step));
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
    writeFileAtomic(
      join(temporary, stateName),
      `${JSON.stringify({ ...state, updates: optimizer.updates }, null, 2)}\n`,
    );
  });
  const steps = checkpointSteps(folder);
  for (const step of steps.slice(0, -keptCheckpoints)) {
    if (step !== state.bestStep) rmSync(join(folder, folderName(step)), { recursive: true });
  }
  return path;
}

/** Fills the parameters with those of the checkpoint at `step`. */
export function loadParameters(folder: string, step: number, parameters: readonly Parameter[]): void {
  const path = join(folder, folderName(step), 'parameters.safetensors');
  const { tensors } = readSafetensors(path);
  for (const { name, value } of parameters) copy(path, name, tensors.get(name)?.float32(), value);
}

function copy(path: string, name: string, from: Float32Array | undefined, to: Float32Array): void {
  if (from?.length !== to.length) {
    throw new NomoatError({
      part: path,
      fault: `holds no ${name} of ${to.length} values`,
      remedy: 'The checkpoint is not of this run; start a new run.',
    });
  }
  to.set(from);
}

/** Fills parameters and optimizer from the newest checkpoint; null where there is none. */
export function loadLatest(folder: string, parameters: readonly Parameter[], optimizer: AdamWState): SavedState | null {
  const step = checkpointSteps(folder).at(-1);
  if (step === undefined) return null;
  loadParameters(folder, step, parameters);
  const path = join(folder, folderName(step), 'optimizer.safetensors');
  const { tensors } = readSafetensors(path);
  parameters.forEach(({ name }, i) => {
    copy(path, name, tensors.get(`first.${name}`)?.float32(), optimizer.first[i]!);
    copy(path, name, tensors.get(`second.${name}`)?.float32(), optimizer.second[i]!);
  });
  const { updates, ...state } = JSON.parse(
    readFileSync(join(folder, folderName(step), stateName), 'utf8'),
  ) as SavedState & { updates: number };
  optimizer.updates = updates;
  return state;
}
