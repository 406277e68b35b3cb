/** `nomoat pull`: a model from the hub or PyPI. */
import type { Command } from 'commander';
import { pullOptions } from '../settings/command-settings.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { print } from './print.ts';
import { inCommandWords } from './words.ts';

export function command(): Command {
  const command = bare('pull').argument('<NAME>');
  return addFlags(command, pullOptions).action(async (name: string) => {
    const { source } = flagsOf(command, pullOptions);
    const { pullModel } = await import('../library/models.ts');
    let shown = 0;
    const { path, license } = await pullModel(name, {
      ...(source ? { source } : {}),
      onProgress: ({ message, receivedBytes, totalBytes }) => {
        if (message) process.stderr.write(`${inCommandWords(message)}\n`);
        else if (Date.now() - shown > 2000) {
          shown = Date.now();
          process.stderr.write(
            `${(receivedBytes / 1e6).toFixed(0)}${totalBytes ? ` of ${(totalBytes / 1e6).toFixed(0)}` : ''} MB\n`,
          );
        }
      },
    });
    process.stderr.write(`License: ${license}\n`);
    print(path);
  });
}
