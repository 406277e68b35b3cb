/** `nomoat push`: an adapter to the hub or into a shared folder. */
import type { Command } from 'commander';
import { pushOptions } from '../settings/command-settings.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { interruption } from './interruption.ts';
import { print } from './print.ts';
import { tell, transferProgress } from './transfer-progress.ts';

export function command(): Command {
  const command = bare('push').argument('<RUN|BUNDLE|ADAPTER>');
  return addFlags(command, pushOptions).action(async (source: string) => {
    const { push } = await import('../library/push.ts');
    const { baseModel, license, notes, revision, sent, url } = await push(source, {
      ...flagsOf(command, pushOptions),
      onProgress: transferProgress(tell),
      signal: interruption(),
    });
    for (const note of notes) tell(note);
    tell(sent.length === 0 ? 'All of it was there already.' : `Sent: ${sent.join(', ')}`);
    tell(`License: ${license}; base: ${baseModel}; revision ${revision}`);
    print(url);
  });
}
