/** When a run validates, and which of its checkpoints are kept. Pure. */
import { stepsPerEpoch } from '../batches/order.ts';
import type { RunSettings } from '../settings/run-settings.ts';

/** Where nothing else is asked for, this many times in a run. */
const validationsInRun = 4;

type Cadence = Pick<RunSettings, 'batchSize' | 'keepEpochs' | 'validateEvery'>;

/** Steps between validations of a run with that many training rows. */
export function validationInterval(
  { batchSize, keepEpochs, validateEvery }: Cadence,
  steps: number,
  rows: number,
): number {
  if (validateEvery !== null) return validateEvery;
  return keepEpochs > 0 ? stepsPerEpoch(rows, batchSize) : Math.max(1, Math.ceil(steps / validationsInRun));
}

/** Whether an epoch whose checkpoint is kept ends after `step`. */
export const endsKeptEpoch = (step: number, perEpoch: number, keepEpochs: number): boolean =>
  keepEpochs > 0 && step > 0 && step % perEpoch === 0;

/** Steps of the last `keepEpochs` epochs that have ended by `step`. */
export function keptEpochEnds(step: number, perEpoch: number, keepEpochs: number): number[] {
  const last = Math.floor(step / perEpoch);
  return Array.from({ length: Math.min(keepEpochs, last) }, (_, i) => (last - i) * perEpoch);
}
