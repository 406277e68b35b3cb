/** `nomoat index`: the catalogue of a folder of adapters. */
import type { Command } from 'commander';
import { bare } from './bare-command.ts';
import { print } from './print.ts';
import { tell } from './transfer-progress.ts';

export function command(): Command {
  return bare('index')
    .argument('<DIR>')
    .action(async (folder: string) => {
      const { indexFolder } = await import('../library/index-folder.ts');
      const { names, notes, path } = await indexFolder(folder);
      for (const note of notes) tell(note);
      tell(`${names.length} adapters: ${names.join(', ')}`);
      print(path);
    });
}
