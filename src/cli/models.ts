/** `nomoat models`: models here and to pull, and the cache. */
import type { Command } from 'commander';
import { modelsOptions } from '../settings/command-settings.ts';
import { toggle } from '../settings/fields.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { print } from './print.ts';

const cacheShown = { json: toggle(false, 'one JSON object') };

export function command(): Command {
  const command = bare('models');
  return addFlags(command, { ...modelsOptions, ...cacheShown }).action(async () => {
    const { cache, json, prune } = flagsOf(command, { ...modelsOptions, ...cacheShown });
    if (cache || prune) {
      const { showCache } = await import('./cache.ts');
      print(await showCache({ prune, json }));
      return;
    }
    const { listModels } = await import('../library/models.ts');
    const size = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`.padStart(8);
    const { catalogue, local } = await listModels();
    if (json) {
      const toPull = catalogue.map(({ bytes, license, name }) => ({ name, bytes, license }));
      print(JSON.stringify({ type: 'models', local, toPull }));
      return;
    }
    const widest = Math.max(0, ...[...local, ...catalogue].map(({ name }) => name.length));
    print(local.length > 0 ? 'On this machine:' : 'On this machine: none');
    for (const { bytes, name, path } of local) print(`  ${name.padEnd(widest)} ${size(bytes)}  ${path}`);
    print('To pull (sizes are approximate):');
    for (const { bytes, license, name } of catalogue)
      print(`  ${name.padEnd(widest)} ${size(bytes)}  license ${license}`);
  });
}
