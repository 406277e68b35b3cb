/** `nomoat pretrain`: parse, start the run, show its events. */
import type { Command } from 'commander';
import { startRun } from '../run/start-run.ts';
import { recipeOption } from '../settings/command-settings.ts';
import { toggle } from '../settings/fields.ts';
import { resolvePretrainSettings } from '../settings/load.ts';
import { pretrainOptions } from '../settings/options.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf, givenFlags } from './flags.ts';
import { follow } from './follow.ts';

const controls = { ...recipeOption, json: toggle(false, 'events on stdout, one JSON object a line') };

export function command(): Command {
  const command = bare('pretrain').argument('<TEXT...>');
  return addFlags(command, { ...controls, ...pretrainOptions }).action(async (data: string[]) => {
    const { json, recipe } = flagsOf(command, controls);
    const settings = resolvePretrainSettings(data, givenFlags(command, pretrainOptions), recipe);
    process.exitCode = await follow(startRun(settings), json);
  });
}
