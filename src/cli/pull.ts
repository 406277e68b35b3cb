/** `nomoat pull`: a model or an adapter from the hub, PyPI, a web server or a folder. */
import type { Command } from 'commander';
import { pullOptions } from '../settings/command-settings.ts';
import { callWith } from '../words/program-words.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { interruption } from './interruption.ts';
import { print } from './print.ts';
import { tell, transferProgress } from './transfer-progress.ts';

export function command(): Command {
  const command = bare('pull').argument('<NAME>');
  return addFlags(command, pullOptions).action(async (name: string) => {
    const { pull } = await import('../library/pull.ts');
    const { base, kind, license, notes, path } = await pull(name, {
      ...flagsOf(command, pullOptions),
      onProgress: transferProgress(tell),
      signal: interruption(),
    });
    for (const note of notes) tell(note);
    tell(`License: ${license ?? 'not stated'}`);
    if (kind === 'adapter' && base) {
      const what = base.file?.file ?? base.id ?? 'not stated';
      const where =
        base.path ??
        (base.pullName === null ? 'not on this machine' : `not on this machine: ${callWith('pull', base.pullName)}`);
      tell(`Base: ${what} (${where})`);
    }
    print(path);
  });
}
