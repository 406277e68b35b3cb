/** `nomoat extract`: an adapter of a fully tuned model. */
import type { Command } from 'commander';
import { extractOptions } from '../settings/adapter-settings.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { moduleProgress } from './module-progress.ts';
import { printExported } from './print-exported.ts';

export function command(): Command {
  const command = bare('extract').argument('<TUNED>').argument('<BASE>');
  return addFlags(command, extractOptions).action(async (tuned: string, base: string) => {
    const { extractAdapter } = await import('../library/extract-adapter.ts');
    printExported(await extractAdapter(tuned, base, { ...flagsOf(command, extractOptions), ...moduleProgress() }));
  });
}
