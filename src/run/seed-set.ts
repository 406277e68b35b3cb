/**
 * Repeats of one fine-tuning with other seeds: a folder with a run for each, trained one after the other. Promises: all but the seed is the same in
 * each, what the data decided too; what was interrupted goes on where it was.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { writeFileAtomic } from '../formats/atomic-write.ts';
import { assertKnownVersion } from '../formats/file-version.ts';
import { isRun } from '../settings/load.ts';
import type { RequestedSettings } from '../settings/run-settings.ts';
import { RunFolder } from './run-folder.ts';
import { type RunHandle, resumeRun, type StartOptions, startRun } from './start-run.ts';

const recordName = 'seeds.json';
const version = 1;
const setRecord = z.object({ version: z.number(), seeds: z.array(z.number().int()).min(1) });

/** One run of the set. */
export interface SeedRun {
  readonly seed: number;
  /** Absolute path of its folder, which may not be there yet. */
  readonly run: string;
}

/** The folder of the repeats. */
export interface SeedSet {
  /** Absolute path. */
  readonly path: string;
  readonly runs: readonly SeedRun[];
}

const setOf = (path: string, seeds: readonly number[]): SeedSet => ({
  path,
  runs: seeds.map((seed) => ({ seed, run: join(path, `seed-${seed}`) })),
});

/** Whether the folder is that of repeats. */
export const isSeedSet = (path: string): boolean => path !== '' && existsSync(join(path, recordName));

/** Begins a set at the path of the settings' run, of `count` seeds from theirs on. */
export function createSeedSet({ run, seed }: Pick<RequestedSettings, 'run' | 'seed'>, count: number): SeedSet {
  const set = setOf(
    run,
    Array.from({ length: count }, (_, i) => seed + i),
  );
  mkdirSync(run, { recursive: true });
  writeFileAtomic(join(run, recordName), `${JSON.stringify({ version, seeds: set.runs.map((each) => each.seed) })}\n`);
  return set;
}

/** The set in a folder. Throws NomoatError where its record cannot be read. */
export function openSeedSet(path: string): SeedSet {
  const file = join(path, recordName);
  const broken = (cause?: unknown): NomoatError =>
    new NomoatError({
      part: file,
      fault: 'is not as nomoat writes it',
      remedy: 'Name the runs in its folder one by one.',
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw broken(error);
  }
  assertKnownVersion(file, value, version);
  const { data, error } = setRecord.safeParse(value);
  if (!data) throw broken(error);
  return setOf(resolve(path), data.seeds);
}

/** The runs that came to an end, in the order of their seeds. */
export const endedRuns = ({ runs }: SeedSet): SeedRun[] => runs.filter(({ run }) => isRun(run) && hasEnded(run));

const hasEnded = (run: string): boolean =>
  !['running', 'interrupted', 'failed'].includes(new RunFolder(run).read().state);

/** A run of the set as it goes on. */
export interface StartedSeed extends SeedRun {
  readonly handle: RunHandle;
}

/**
 * Starts the next run that has not ended, or resumes it; null where all have. `settings` are those of a set that begins; later ones take what the
 * first run was trained with.
 */
export function startNextSeed(
  set: SeedSet,
  settings: RequestedSettings | null,
  options: Omit<StartOptions, 'resume'> = {},
): StartedSeed | null {
  const next = set.runs.find(({ run }) => !isRun(run) || !hasEnded(run));
  if (next === undefined) return null;
  const { confirm, signal } = options;
  const stop = signal ? { signal } : {};
  if (isRun(next.run)) return { ...next, handle: resumeRun(next.run, stop) };
  const [first] = set.runs;
  const begun = isRun(first!.run) ? new RunFolder(first!.run).read().settings : settings;
  if (begun === null)
    throw new NomoatError({
      part: set.path,
      fault: 'has no run that had begun',
      remedy: 'Remove the folder and start again.',
    });
  const asks = confirm && next === first ? { confirm } : {};
  return { ...next, handle: startRun({ ...begun, seed: next.seed, run: next.run }, { ...stop, ...asks }) };
}

/** Takes a set away of which no run has begun. */
export function removeEmptySet({ path }: SeedSet): void {
  const others = readdirSync(path).filter((name) => name !== recordName);
  if (others.length === 0) rmSync(path, { recursive: true });
}
