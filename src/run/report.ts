/** What a run's report is made of: its record, its events, and what is known of its answers and its adapter. */

import { existsSync, statSync } from 'node:fs';
import type { LineageEntry } from '../adapter/lineage.ts';
import { readAncestry } from '../adapter/lineage-files.ts';
import { readPeft } from '../adapter/peft.ts';
import type { Evaluation } from '../evaluate/evaluation.ts';
import type { RunEvent } from '../events.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { type UpdateNorm, updateNorms } from '../inspect/update-norms.ts';
import { renderPage } from '../report/page.ts';
import { trainsAdapter } from '../settings/methods.ts';
import { recipeCommand, recipeOf } from './recipe.ts';
import type { RunFolder, RunRecord } from './run-folder.ts';
import { version } from './version.ts';

/** What was found out about a run beside what it says. */
export interface Found {
  readonly evaluation?: Evaluation | null;
  readonly updates?: readonly UpdateNorm[] | null;
  readonly lineage?: readonly LineageEntry[] | null;
}

/** Endings that leave something to evaluate. */
const answerable: readonly RunRecord['state'][] = ['done', 'stopped-early', 'proof-failed'];

/** The report of a run as a page. */
export function renderReport(run: RunRecord, events: readonly RunEvent[], found: Found = {}): string {
  const { evaluation = null, lineage = null, updates = null } = found;
  const canBeAsked = run.settings.method !== 'pretrain' && answerable.includes(run.state);
  return renderPage({
    run,
    events,
    evaluation,
    updates,
    lineage,
    repeat: { command: recipeCommand(run), recipe: recipeOf(run) },
    evaluate: (evaluation === null || isQuick(evaluation, events)) && canBeAsked ? 'nomoat eval RUN --data TEST' : null,
    version,
  });
}

/** Whether it is the one that the run ended with. */
const isQuick = ({ examples }: Evaluation, events: readonly RunEvent[]): boolean =>
  events.some((event) => event.type === 'verdict' && event.examples === examples);

/** Bytes of a base whose weights are read for the report: a minute of reading is no part of a run. */
const mostBaseBytes = 2e9;

/** What is known of the run's adapter: where it comes from, what it changes. */
export const adapterOf = (folder: RunFolder): Pick<Found, 'lineage' | 'updates'> => ({
  lineage: lineageOf(folder),
  updates: updatesOf(folder),
});

/** Null where there is no adapter, or nothing can be read of it. */
function lineageOf(folder: RunFolder): readonly LineageEntry[] | null {
  try {
    return existsSync(folder.adapter) ? readAncestry(folder.adapter).entries : null;
  } catch {
    return null;
  }
}

/** What the run's adapter changes; null where there is none, or its base is too large to be read for that, or cannot be read any more. */
function updatesOf(folder: RunFolder): UpdateNorm[] | null {
  try {
    const { settings } = folder.read();
    if (!trainsAdapter(settings.method) || !existsSync(folder.adapter)) return null;
    if (statSync(settings.modelPath).size > mostBaseBytes) return null;
    const model = openGguf(settings.modelPath);
    try {
      return updateNorms(readPeft(folder.adapter), model);
    } finally {
      model.close();
    }
  } catch {
    // A look inside is no reason for a run to fail.
    return null;
  }
}
