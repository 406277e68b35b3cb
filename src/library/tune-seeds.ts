/** The same fine-tuning with several seeds, one run after the other. */
import { NomoatError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import { listOf, type TuneOptions } from '../library.ts';
import {
  createSeedSet,
  isSeedSet,
  openSeedSet,
  removeEmptySet,
  type SeedRun,
  type SeedSet,
  startNextSeed,
} from '../run/seed-set.ts';
import { resolveSettings } from '../settings/load.ts';
import type { RequestedSettings } from '../settings/run-settings.ts';

/** What repeats are started with. */
export interface TuneSeedsOptions extends TuneOptions {
  /** How many runs, with the seeds from `seed` on; all of them lie in the folder `run`. */
  readonly seeds: number;
  /** Told everything that each run says. */
  readonly onEvent?: (event: RunEvent, of: SeedRun) => void;
}

/** How an interrupted set of repeats goes on. */
export type ResumeSeedsOptions = Pick<TuneSeedsOptions, 'onEvent' | 'signal'>;

async function trainAll(
  set: SeedSet,
  settings: RequestedSettings | null,
  { confirm, onEvent, signal }: Partial<TuneSeedsOptions>,
): Promise<SeedSet> {
  const options = { ...(confirm ? { confirm } : {}), ...(signal ? { signal } : {}) };
  for (let next = startNextSeed(set, settings, options); next; next = startNextSeed(set, settings, options)) {
    let state: string | null = null;
    for await (const event of next.handle) {
      onEvent?.(event, next);
      if (event.type === 'run-end') state = event.state;
    }
    if (state !== null && state !== 'interrupted') continue;
    removeEmptySet(set);
    throw new NomoatError({
      part: set.path,
      fault: 'was stopped',
      remedy: 'What was trained is there: `resumeTuneSeeds` goes on.',
      kind: 'interrupted',
    });
  }
  return set;
}

/** Fine-tunes with several seeds, so that `evaluate` can tell their noise from an effect. Rejects with NomoatError, `interrupted` where it was stopped. */
export async function tuneSeeds(given: TuneSeedsOptions): Promise<SeedSet> {
  const { confirm: _confirm, data, onEvent: _onEvent, recipe, seeds, signal: _signal, ...options } = given;
  if (!Number.isInteger(seeds) || seeds < 1)
    throw new NomoatError({
      code: 'invalid-settings',
      part: '`seeds`',
      fault: `${seeds} is no whole number from 1`,
      remedy: 'Give how many runs to train.',
    });
  const settings = await resolveSettings(listOf(data), options, recipe ?? null);
  return trainAll(createSeedSet(settings, seeds), settings, given);
}

/** Goes on with repeats that were interrupted; those that are done stay as they are. */
export async function resumeTuneSeeds(folder: string, options: ResumeSeedsOptions = {}): Promise<SeedSet> {
  if (!isSeedSet(folder))
    throw new NomoatError({
      code: 'run-not-found',
      part: folder,
      fault: 'is no folder of repeats',
      remedy: 'Give the folder that `tuneSeeds` wrote.',
    });
  return trainAll(openSeedSet(folder), null, options);
}
