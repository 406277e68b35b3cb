/** `nomoat tune`: parse, start the run, show its events. */
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { NomoatError } from '../errors.ts';
import type { Confirm, Proposal } from '../plan/proposal.ts';
import { notBegun } from '../run/run.ts';
import { createSeedSet, isSeedSet, openSeedSet } from '../run/seed-set.ts';
import { resumeRun, startRun } from '../run/start-run.ts';
import { fromOption, recipeOption, seedsOption } from '../settings/command-settings.ts';
import { openText, toggle } from '../settings/fields.ts';
import { type Given, resolveSettings } from '../settings/load.ts';
import { flagOf, tuneOptions } from '../settings/options.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf, givenFlags } from './flags.ts';
import { follow } from './follow.ts';
import { followSeeds } from './follow-seeds.ts';
import { interruption } from './interruption.ts';
import { Progress } from './progress.ts';
import { tell, transferProgress } from './transfer-progress.ts';

/** Shows a run's plan and asks whether it shall begin: Enter and yes do. Throws NomoatError at Ctrl-C. */
async function confirmed(progress: Progress, proposal: Proposal, signal: AbortSignal): Promise<boolean> {
  progress.propose(proposal);
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const stop = (): void => ask.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      ask.once('SIGINT', () => reject(notBegun()));
      // The end of input is no answer.
      ask.once('close', () => resolve(false));
      ask.question('Start? [Y/n] ', (answer) => resolve(/^(y(es)?)?$/i.test(answer.trim())));
    });
  } finally {
    signal.removeEventListener('abort', stop);
    ask.close();
  }
}

const shown = { json: toggle(false, 'events on stdout, one JSON object a line') };
const tuneControls = {
  ...recipeOption,
  ...fromOption,
  ...seedsOption,
  resume: openText('DIR', 'continue the run in this folder'),
  ...shown,
  yes: toggle(false, 'do not ask before starting; default: ask on a terminal'),
};

/** The settings, what `from` names brought here first. */
async function settingsFrom(data: string[], given: Given, sources: { from: string | null; recipe: string | null }) {
  if (sources.from === null) return resolveSettings(data, given, sources.recipe);
  const { tuneSettings } = await import('../library/start-from.ts');
  return tuneSettings(data, given, { ...sources, onProgress: transferProgress(tell), signal: interruption() });
}

export function command(): Command {
  const command = bare('tune').argument('[DATA...]');
  return addFlags(command, { ...tuneControls, ...tuneOptions }).action(async (data: string[]) => {
    const { from, json, recipe, resume, seeds, yes } = flagsOf(command, tuneControls);
    if (resume !== null) {
      const extra = Object.keys(givenFlags(command, tuneOptions)).map((name) => `--${flagOf(name)}`);
      if (data.length > 0 || recipe || from || seeds > 1 || extra.length > 0) {
        throw new NomoatError({
          part: '--resume',
          fault: `takes nothing else, but got ${[...data, ...(recipe ? ['--recipe'] : []), ...(from ? ['--from'] : []), ...(seeds > 1 ? ['--seeds'] : []), ...extra].join(', ')}`,
          remedy: 'A run goes on with the settings it was started with.',
        });
      }
      process.exitCode = isSeedSet(resume)
        ? await followSeeds(openSeedSet(resume), null, { json })
        : await follow(resumeRun(resume), json);
      return;
    }
    const given = givenFlags(command, tuneOptions);
    const settings = await settingsFrom(data, given, { from, recipe });
    const progress = new Progress(process.stderr);
    const confirm: Confirm = (proposal, signal) => confirmed(progress, proposal, signal);
    const asks = !yes && !json && process.stdin.isTTY;
    const asked = asks ? { confirm } : {};
    process.exitCode =
      seeds > 1
        ? await followSeeds(createSeedSet(settings, seeds), settings, { json, progress, ...asked })
        : await follow(startRun(settings, asked), json, progress);
  });
}
