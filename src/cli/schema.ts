/** `nomoat schema`: what the commands can be given, for programs. */
import { Command } from 'commander';
import { commandNames, settingsSchema } from '../settings/json-schema.ts';

export function schemaCommand(): Command {
  return new Command('schema')
    .description('the settings of a command as JSON Schema, for programs; without COMMAND, of all commands by name')
    .argument('[COMMAND]', commandNames.join(', '))
    .action((command?: string) => {
      const schema =
        command === undefined
          ? Object.fromEntries(commandNames.map((name) => [name, settingsSchema(name)]))
          : settingsSchema(command);
      process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
    });
}
