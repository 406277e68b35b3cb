/**
 * What a run writes, and whether its disk holds that. Asked before the run's folder is made, so that nothing is begun that cannot end.
 * Promises: never too low for the checkpoints; the estimate of the rest leaves out what is small (logs, reports).
 */

import { NomoatError } from '../errors.ts';
import { diskFreeBytes } from '../machine/machine.ts';
import { trainsAdapter } from '../settings/methods.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { sizeText } from '../words/size-text.ts';

/** Checkpoints on disk at once: the two newest, the best one, and the one that is being written. */
const checkpointsOnDisk = 4;
const float32Bytes = 4;
/** Value and both moments. */
const checkpointBytesPerWeight = 3 * float32Bytes;
/** The result in F16, and the float32 copy that the parity proof needs for a while. */
const resultBytesPerWeight = 2 + float32Bytes;

/**
 * Bytes that a new run writes at most. `trained` and, for a run that starts with a model of its own, the weights of that; one that goes on
 * from an adapter (`goesOn`) keeps it, and `keepEpochs` checkpoints stay beside. A LoRA run's result is no larger than the checkpoint that is not being written any more then.
 */
export function runBytes(
  trained: number,
  method: RunSettings['method'],
  { goesOn = false, keepEpochs = 0 }: { readonly goesOn?: boolean; readonly keepEpochs?: number } = {},
): number {
  const checkpoints = trained * checkpointBytesPerWeight * (checkpointsOnDisk + keepEpochs);
  if (trainsAdapter(method)) return checkpoints + (goesOn ? trained * float32Bytes : 0);
  const start = method === 'pretrain' ? trained * float32Bytes : 0;
  return checkpoints + start + trained * resultBytesPerWeight;
}

/** Refuses a run that the disk of `path` (which need not exist yet) cannot hold. `free` is null where the system does not say. */
export function assertDiskHolds(path: string, needed: number, free: number | null = diskFreeBytes(path)): void {
  if (free === null || free >= needed) return;
  throw new NomoatError({
    code: 'too-little-memory',
    part: path,
    fault: `its disk has ${sizeText(free)} free, and the checkpoints and the result take up to ${sizeText(needed)}`,
    remedy: 'Free some space, or give a `run` on another disk.',
    fields: { neededBytes: needed, freeBytes: free },
  });
}
