/** `nomoat pack`: an adapter as a bundle for others. */
import type { Command } from 'commander';
import { packOptions } from '../settings/bundle-settings.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { printExported } from './print-exported.ts';

export function command(): Command {
  const command = bare('pack').argument('<RUN|ADAPTER>');
  return addFlags(command, packOptions).action(async (path: string) => {
    const { packBundle } = await import('../library/pack-bundle.ts');
    printExported(await packBundle(path, flagsOf(command, packOptions)));
  });
}
