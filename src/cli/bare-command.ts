/** A command by its name, with its summary: what the help of the program says of it. */
import { Command } from 'commander';
import { summaries } from '../settings/command-summaries.ts';

export type CommandName = Exclude<keyof typeof summaries, 'inspect data'>;

/** Without argument, flags and action. */
export const bare = (name: CommandName): Command => new Command(name).description(summaries[name]);
