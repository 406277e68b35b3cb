/** `nomoat convert`: an adapter of any kind in another format. */
import type { Command } from 'commander';
import { convertOptions } from '../settings/adapter-settings.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf, stated } from './flags.ts';
import { moduleProgress } from './module-progress.ts';
import { printExported } from './print-exported.ts';

export function command(): Command {
  const command = bare('convert').argument('<ADAPTER>');
  return addFlags(command, convertOptions).action(async (adapter: string) => {
    const { needlessFaults } = await import('../library/export-run.ts');
    const { convertAdapter } = await import('../library/convert-adapter.ts');
    const { alpha, out, rank, type, ...always } = flagsOf(command, convertOptions, { together: needlessFaults });
    const exported = await convertAdapter(adapter, {
      ...always,
      ...stated({ alpha, out, rank, type }),
      ...moduleProgress(),
    });
    printExported(exported);
  });
}
