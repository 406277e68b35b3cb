/** Which examples of a run's data are learnt, and which are held out: the same each time that it is asked. */
import { shuffled } from '../batches/order.ts';
import { NomoatError } from '../errors.ts';
import type { RequestedSettings } from '../settings/run-settings.ts';
import type { Example } from '../text/example.ts';
import { type Dataset, readExamples } from './dataset-files.ts';

/** Examples that are learnt and those that are held out. */
export interface Divided {
  readonly train: readonly Example[];
  readonly validation: readonly Example[];
  /** The file of `validation`. */
  readonly held: Dataset | null;
}

/** The settings that decide it. */
export type DivideSettings = Pick<
  RequestedSettings,
  'validation' | 'format' | 'promptColumn' | 'completionColumn' | 'textColumn' | 'seed'
>;

/** Examples for training and validation: a file, a folder's own, or a seeded fraction of the training examples. */
export async function divide(settings: DivideSettings, dataset: Dataset): Promise<Divided> {
  const { validation } = settings;
  if (typeof validation === 'string') {
    const held = await readExamples([validation], settings);
    return { train: dataset.train, validation: held.train, held };
  }
  if (validation === null || dataset.validation)
    return { train: dataset.train, validation: dataset.validation ?? [], held: null };
  const count = Math.round(dataset.train.length * validation);
  if (count < 1 || count >= dataset.train.length) {
    throw new NomoatError({
      part: '`validation`',
      fault: `${validation} of ${dataset.train.length} examples leaves ${count} for validation`,
      remedy: 'Give another fraction, or a file.',
    });
  }
  const held = new Set(shuffled(dataset.train.length, settings.seed).slice(0, count));
  return {
    train: dataset.train.filter((_, i) => !held.has(i)),
    validation: dataset.train.filter((_, i) => held.has(i)),
    held: null,
  };
}

/** The examples that a run of these settings learns. Rejects with NomoatError where its data is not there any more. */
export async function learntExamples(
  settings: DivideSettings & Pick<RequestedSettings, 'data'>,
): Promise<readonly Example[]> {
  const dataset = await readExamples(settings.data, settings);
  // A file of held-out examples takes none of the others, and may be gone.
  return typeof settings.validation === 'string' ? dataset.train : (await divide(settings, dataset)).train;
}

/** The examples that a run of these settings holds out; none where it holds out nothing. Rejects likewise. */
export async function heldOutExamples(
  settings: DivideSettings & Pick<RequestedSettings, 'data'>,
): Promise<readonly Example[]> {
  return (await divide(settings, await readExamples(settings.data, settings))).validation;
}
