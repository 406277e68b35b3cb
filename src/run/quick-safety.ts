/**
 * What a run's result refuses beside its base: the safety check in a bounded share of the run's time. Promises: the share is kept, or 20 seconds where it
 * is less, and 25 at most;
 * why there is none is said; whoever stops the run now has a finished one.
 */
import type { Prepared } from '../dataset/prepared.ts';
import { safetyPrompts } from '../safety/prompts.ts';
import { quickBudget } from '../safety/quick-budget.ts';
import { quickCheck } from '../safety/quick-check.ts';
import type { Running } from './load-run.ts';
import type { BeforeAndAfter } from './samples.ts';

/** Runs from before there was one get none; nor do new models, which have no base. */
export const safetyShareOf = ({ settings }: Prepared): number =>
  settings.method === 'pretrain' ? 0 : (settings.safetyShare ?? 0);

/** Checks and says what was found, or why nothing was. */
export async function quickSafety(running: Running, { after, before }: BeforeAndAfter): Promise<void> {
  const { journal, meter, opened, signal } = running;
  const share = safetyShareOf(opened.prepared);
  if (share === 0) return;
  const { seconds, secondsBefore } = meter.measured;
  const budget = quickBudget(seconds + secondsBefore, share);
  const none = (why: string): void =>
    journal.notice('no-safety-check', `No safety check: ${why}. \`check()\` takes the time that it needs.`);
  try {
    const pair = { model: after, base: before, system: opened.prepared.systemPrompt };
    const found = await quickCheck(pair, safetyPrompts(), { seconds: budget, signal });
    if (found === null) none(`${budget.toFixed(1)} seconds were too few for any requests`);
    else journal.emit(found);
  } catch (error) {
    // A sentence of its own, as errors here are, loses its full stop.
    const why = error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
    none(signal.aborted ? 'it was stopped' : why);
  }
}
