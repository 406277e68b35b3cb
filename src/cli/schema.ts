/** `nomoat schema`: what the commands can be given, for programs. */
import type { Command } from 'commander';
import { commandNames, settingsSchema } from '../settings/json-schema.ts';
import { bare } from './bare-command.ts';

export function command(): Command {
  return bare('schema')
    .argument('[COMMAND...]', commandNames.join(', '))
    .action((words: string[]) => {
      const schema =
        words.length === 0
          ? Object.fromEntries(commandNames.map((name) => [name, settingsSchema(name)]))
          : settingsSchema(words.join(' '));
      process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
    });
}
