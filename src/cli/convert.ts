/** `nomoat convert`: an adapter of any kind in another format. */
import type { Command } from 'commander';
import { convertOptions } from '../settings/command-settings.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf, stated } from './flags.ts';
import { printExported } from './print-exported.ts';
import { StatusLine } from './status-line.ts';

export function command(): Command {
  const command = bare('convert').argument('<ADAPTER>');
  return addFlags(command, convertOptions).action(async (adapter: string) => {
    const { needlessFaults } = await import('../library/export-run.ts');
    const { convertAdapter } = await import('../library/convert-adapter.ts');
    const { alpha, out, rank, type, ...always } = flagsOf(command, convertOptions, { together: needlessFaults });
    const status = new StatusLine(process.stderr);
    const abort = new AbortController();
    process.once('SIGINT', () => abort.abort());
    const exported = await convertAdapter(adapter, {
      ...always,
      ...stated({ alpha, out, rank, type }),
      signal: abort.signal,
      onProgress: ({ done, total }) => status.progress(done, total, `${done} of ${total} modules`),
    });
    printExported(exported);
  });
}
