/** `nomoat export`: a run's result in another format. */
import type { Command } from 'commander';
import { exportOptions } from '../settings/command-settings.ts';
import { flagOf } from '../settings/options.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { print } from './print.ts';

export function command(): Command {
  const command = bare('export').argument('<RUN>');
  return addFlags(command, exportOptions).action(async (run: string) => {
    const { exportRun, needlessFaults } = await import('../library/export-run.ts');
    const asFlag = (fault: string): string =>
      fault.replace(/^\w+/, (name) => `--${flagOf(name)}`).replace(' with to: ', ' with --to ');
    const { type, ...asked } = flagsOf(command, exportOptions, {
      together: (values) => needlessFaults(values).map(asFlag),
    });
    const { files, notes } = await exportRun(run, { ...asked, ...(type === null ? {} : { type }) });
    for (const note of notes) process.stderr.write(`${harmless(note)}\n`);
    for (const path of files) print(path);
  });
}
