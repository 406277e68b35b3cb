/** `nomoat tune` and `nomoat pretrain`: parse, start the run, show its events. */
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { NomoatError } from '../errors.ts';
import type { Confirm, Proposal } from '../plan/proposal.ts';
import { notBegun } from '../run/run.ts';
import { type RunHandle, resumeRun, startRun } from '../run/start-run.ts';
import { commandSettings, recipeOption } from '../settings/command-settings.ts';
import { openText, toggle } from '../settings/fields.ts';
import { resolvePretrainSettings, resolveSettings } from '../settings/load.ts';
import { flagOf, pretrainOptions, tuneOptions } from '../settings/options.ts';
import { shellQuote } from '../words/shell-quote.ts';
import { commandName } from './command-name.ts';
import { addFlags, flagsOf, givenFlags } from './flags.ts';
import { onLostOutput } from './output.ts';
import { Progress } from './progress.ts';

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

/** As shells report a program that Ctrl-C ended. */
const interruptedCode = 130;

/** Errors of which an event on stdout has told already. */
const told = new WeakSet<object>();
export const wasTold = (error: unknown): boolean => typeof error === 'object' && error !== null && told.has(error);

/** Of a run that ended, but whose result is not to be trusted. */
const untrustedCode = 3;

/**
 * Calls `listener` when the terminal is closed; returns what takes that back. Who has no terminal loses none: under nohup the signal
 * changes nothing, though Node takes back what nohup asks for.
 */
function onHangUp(listener: () => void): () => void {
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  const heard = hasTerminal ? listener : (): void => {};
  process.on('SIGHUP', heard);
  return () => void process.off('SIGHUP', heard);
}

/** Shows a run until it ends; Ctrl-C once asks for a checkpoint, twice ends at once. Returns the exit code. */
export async function follow(
  handle: RunHandle,
  json: boolean,
  progress = new Progress(process.stderr),
): Promise<number> {
  let asked = false;
  const onSignal = (): void => {
    if (asked) handle.kill();
    else {
      asked = true;
      process.stderr.write('\nStopping with a checkpoint (Ctrl-C again stops at once) ...\n');
      handle.interrupt();
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const offHangUp = onHangUp(() => handle.interrupt());
  // Nobody sees what it says: it stops as at Ctrl-C, so that nothing that was computed is lost.
  const offLostOutput = onLostOutput(() => handle.interrupt());
  let code = 0;
  let ended = false;
  try {
    for await (const event of handle) {
      if (json) process.stdout.write(`${JSON.stringify(event)}\n`);
      else progress.show(event);
      if (event.type !== 'run-end') continue;
      ended = true;
      if (event.verdict !== undefined) {
        code = untrustedCode;
        if (!json) process.stderr.write(`Report: ${handle.run}/report.html\n`);
      } else if (event.state === 'interrupted') {
        code = interruptedCode;
        process.stderr.write(`Go on with: ${commandName()} tune --resume ${shellQuote(handle.run)}\n`);
      } else if (!json)
        process.stderr.write(
          `Report: ${handle.run}/report.html\nNext:   ${commandName()} chat ${shellQuote(handle.run)}\n`,
        );
    }
  } catch (error) {
    if (json) told.add(error as object);
    throw error;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    offHangUp();
    offLostOutput();
  }
  // Stopped before there was anything to stop.
  return asked && !ended ? interruptedCode : code;
}

const shown = { json: toggle(false, 'events on stdout, one JSON object a line') };
const pretrainControls = { ...recipeOption, ...shown };
const tuneControls = {
  ...recipeOption,
  resume: openText('DIR', 'continue the run in this folder'),
  ...shown,
  yes: toggle(false, 'do not ask before starting; default: ask on a terminal'),
};

export function tuneCommand(): Command {
  const command = new Command('tune').description(commandSettings.tune.summary).argument('[DATA...]');
  return addFlags(command, { ...tuneControls, ...tuneOptions }).action(async (data: string[]) => {
    const { json, recipe, resume, yes } = flagsOf(command, tuneControls);
    if (resume !== null) {
      const extra = Object.keys(givenFlags(command, tuneOptions)).map((name) => `--${flagOf(name)}`);
      if (data.length > 0 || recipe || extra.length > 0) {
        throw new NomoatError({
          part: '--resume',
          fault: `takes nothing else, but got ${[...data, ...(recipe ? ['--recipe'] : []), ...extra].join(', ')}`,
          remedy: 'A run goes on with the settings it was started with.',
        });
      }
      process.exitCode = await follow(resumeRun(resume), json);
      return;
    }
    const settings = await resolveSettings(data, givenFlags(command, tuneOptions), recipe);
    const progress = new Progress(process.stderr);
    const confirm: Confirm = (proposal, signal) => confirmed(progress, proposal, signal);
    const asks = !yes && !json && process.stdin.isTTY;
    process.exitCode = await follow(startRun(settings, asks ? { confirm } : {}), json, progress);
  });
}

export function pretrainCommand(): Command {
  const command = new Command('pretrain').description(commandSettings.pretrain.summary).argument('<TEXT...>');
  return addFlags(command, { ...pretrainControls, ...pretrainOptions }).action(async (data: string[]) => {
    const { json, recipe } = flagsOf(command, pretrainControls);
    const settings = resolvePretrainSettings(data, givenFlags(command, pretrainOptions), recipe);
    process.exitCode = await follow(startRun(settings), json);
  });
}
