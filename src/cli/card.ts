/** `nomoat card`: a run's model card for the Hugging Face hub. */
import type { Command } from 'commander';
import { cardOptions } from '../settings/command-settings.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { print } from './print.ts';
import { inCommandWords } from './words.ts';

export function command(): Command {
  const command = bare('card').argument('<RUN>');
  return addFlags(command, cardOptions).action(async (run: string) => {
    const { card } = await import('../library/card.ts');
    const { files, readme, warnings } = card(run, flagsOf(command, cardOptions));
    for (const warning of warnings) process.stderr.write(`${harmless(inCommandWords(warning))}\n`);
    // Without a place the card itself, for a pipe.
    if (files.length === 0) print(harmless(readme.trimEnd()));
    for (const path of files) print(path);
  });
}
