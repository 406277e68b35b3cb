/** What the adapter of a run says of where it comes from, once it is known how the run ended. */
import { basename } from 'node:path';
import { readAdapterBase } from '../adapter/adapter-base.ts';
import { type Begotten, lineageMachine } from '../adapter/lineage.ts';
import { writeLineage } from '../adapter/lineage-files.ts';
import { surroundings } from '../store/model-folders.ts';
import { sharedRecipeDigest, sharedSettings } from './recipe.ts';
import type { RunFolder, RunRecord } from './run-folder.ts';

/** Of the run in `folder`, whose record says how it ended. */
export function runBegotten(folder: RunFolder, record: RunRecord): Begotten {
  const { created, dataDigests, nomoat, parents = [], state, validationAfter, validationBefore, verdict } = record;
  const settings = sharedSettings(record, surroundings().home);
  return {
    how: 'tune',
    name: basename(folder.path),
    data: Object.entries(dataDigests).map(([file, sha256]) => ({ file: basename(file), sha256 })),
    settings,
    // Of the recipe as it is passed on: the run's own has paths of this machine.
    recipe: sharedRecipeDigest(settings),
    parents,
    tool: `nomoat ${nomoat}`,
    machine: lineageMachine(record.machine),
    created,
    verdict: { state, warning: verdict ?? null, before: validationBefore, after: validationAfter },
  };
}

/** Writes it beside the adapter. */
export const writeRunLineage = (folder: RunFolder, record: RunRecord): void =>
  writeLineage(
    folder.adapter,
    { base: readAdapterBase(folder.adapter), name: folder.adapter },
    runBegotten(folder, record),
  );
