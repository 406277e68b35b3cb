/** Repeats of a fine-tuning on the terminal, one run after the other. */
import type { Confirm } from '../plan/proposal.ts';
import { endedRuns, removeEmptySet, type SeedSet, startNextSeed } from '../run/seed-set.ts';
import type { RequestedSettings } from '../settings/run-settings.ts';
import { shellQuote } from '../words/shell-quote.ts';
import { commandName } from './command-name.ts';
import { follow, untrustedCode } from './follow.ts';
import { Progress } from './progress.ts';

/** How they are shown. */
interface Shown {
  readonly json: boolean;
  readonly progress?: Progress;
  readonly confirm?: Confirm;
}

/** Shows the runs of a set until all have ended or one is stopped. Returns the exit code: of one that is not to be trusted, that one. */
export async function followSeeds(
  set: SeedSet,
  settings: RequestedSettings | null,
  { confirm, json, progress }: Shown,
): Promise<number> {
  const say = (text: string): void => void (json || process.stderr.write(`${text}\n`));
  const { length } = set.runs;
  say(`${length} runs, one after the other: each takes about as long as the plan of the first says.`);
  let worst = 0;
  const begin = () => startNextSeed(set, settings, confirm ? { confirm } : {});
  for (let next = begin(); next; next = begin()) {
    const before = endedRuns(set).length;
    say(`\nRun ${before + 1} of ${length}, seed ${next.seed}`);
    const code = await follow(
      next.handle,
      json,
      before === 0 && progress ? progress : new Progress(process.stderr),
      set.path,
    );
    // Stopped, or not begun at all.
    if (endedRuns(set).length === before) {
      removeEmptySet(set);
      return code;
    }
    if (code === untrustedCode) worst = code;
  }
  say(
    `\nAll ${length} runs are there. Whether they are better: ${commandName()} eval ${shellQuote(set.path)} --data TEST`,
  );
  return worst;
}
