/** `nomoat export`: a run's result in another format. */
import type { Command } from 'commander';
import { exportOptions } from '../settings/adapter-settings.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { printExported } from './print-exported.ts';

export function command(): Command {
  const command = bare('export').argument('<RUN>');
  return addFlags(command, exportOptions).action(async (run: string) => {
    const { exportRun, needlessFaults } = await import('../library/export-run.ts');
    const { type, ...requested } = flagsOf(command, exportOptions, { together: needlessFaults });
    const exported = await exportRun(run, { ...requested, ...(type === null ? {} : { type }) });
    printExported(exported);
  });
}
