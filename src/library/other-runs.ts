/** The runs that an adapter is compared with when its spectrum is looked at. Promises: never the run that the adapter is of. */
import { isAbsolute, relative } from 'node:path';
import type { ListedRun } from '../run/run-folder.ts';
import { trainsAdapter } from '../settings/methods.ts';

/** Whether `path` is the folder or lies in it; `runs/ab` is not in `runs/a`. Both absolute. */
function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way.split(/[/\\]/)[0] !== '..' && !isAbsolute(way);
}

/** Which run is looked at: on what base, and the absolute path of its folder or of an adapter in it. */
interface LookedAt {
  readonly modelDigest: string;
  readonly path: string;
}

/** Paths of those `runs` that have ended well with an adapter on the same base, but the one that is looked at. */
export const otherRuns = (runs: readonly ListedRun[], { modelDigest, path }: LookedAt): string[] =>
  runs
    .filter(({ record }) => record?.modelDigest === modelDigest && trainsAdapter(record.settings.method))
    .filter(({ state }) => state === 'done' || state === 'stopped-early')
    .map(({ path: run }) => run)
    .filter((run) => !isWithin(run, path));
