/** What a run's report is made of: its record, its events, and what is known of its answers. */
import type { Evaluation } from '../evaluate/evaluation.ts';
import type { RunEvent } from '../events.ts';
import { renderPage } from '../report/page.ts';
import { recipeCommand, recipeOf } from './recipe.ts';
import type { RunRecord } from './run-folder.ts';
import { version } from './version.ts';

/** Endings that leave something to evaluate. */
const answerable: readonly RunRecord['state'][] = ['done', 'stopped-early', 'proof-failed'];

/** The report of a run as a page. */
export const renderReport = (
  run: RunRecord,
  events: readonly RunEvent[],
  evaluation: Evaluation | null = null,
): string =>
  renderPage({
    run,
    events,
    evaluation,
    repeat: { command: recipeCommand(run), recipe: recipeOf(run) },
    evaluate: evaluation === null && run.settings.method !== 'pretrain' && answerable.includes(run.state) ? 'nomoat eval RUN --data TEST' : null, // biome-ignore format: one line
    version,
  });
