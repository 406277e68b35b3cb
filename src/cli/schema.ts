/** `nomoat schema`: what the commands can be given, for programs. */
import type { Command } from 'commander';
import { commandNames, settingsSchema } from '../settings/json-schema.ts';
import { bare } from './bare-command.ts';

export function command(): Command {
  return bare('schema')
    .argument('[COMMAND]', commandNames.join(', '))
    .action((command?: string) => {
      const schema =
        command === undefined
          ? Object.fromEntries(commandNames.map((name) => [name, settingsSchema(name)]))
          : settingsSchema(command);
      process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
    });
}
