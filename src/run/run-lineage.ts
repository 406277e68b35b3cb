/** What the adapter of a run says of where it comes from, once it is known how the run ended. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { readAdapterBase } from '../adapter/adapter-base.ts';
import { type Begotten, lineageMachine } from '../adapter/lineage.ts';
import { writeLineage } from '../adapter/lineage-files.ts';
import { sha256OfFile } from '../store/file-digest.ts';
import { surroundings } from '../store/model-folders.ts';
import { settingsOf } from './recipe.ts';
import type { RunFolder, RunRecord } from './run-folder.ts';
import { shareable } from './shareable.ts';

/** Of the run in `folder`, whose record says how it ended. */
export function runBegotten(folder: RunFolder, record: RunRecord): Begotten {
  const { created, dataDigests, nomoat, parents = [], state, validationAfter, validationBefore, verdict } = record;
  const recipe = folder.file('recipe.yaml');
  return {
    how: 'tune',
    name: basename(folder.path),
    data: Object.entries(dataDigests).map(([file, sha256]) => ({ file: basename(file), sha256 })),
    settings: settingsOf(shareable(record, [], surroundings().home).record),
    recipe: existsSync(recipe) ? sha256OfFile(recipe) : null,
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
