/**
 * The settings of a command as JSON Schema (draft 2020-12), for editors, servers and studios: names as recipes and the library have them,
 * with what is said of each (`description`), what it counts (`unit`) and its default.
 */
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { nearestNames } from '../words/nearest-name.ts';
import { type CommandName, type CommandSettings, commandSettings } from './command-settings.ts';
import { fieldWords } from './fields.ts';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The commands that have settings. */
export const commandNames = Object.keys(commandSettings) as readonly CommandName[];

const isCommand = (name: unknown): name is CommandName =>
  typeof name === 'string' && Object.hasOwn(commandSettings, name);

function schemaOf(command: CommandName): JsonSchema {
  const { argument, options, summary }: CommandSettings = commandSettings[command];
  const schema = z.toJSONSchema(z.strictObject({ ...argument, ...options }), {
    io: 'input',
    metadata: fieldWords,
    override: ({ jsonSchema }) => {
      // Words of the command line, and what a list is in TypeScript.
      for (const name of ['argument', 'negated', 'readOnly']) delete jsonSchema[name];
      // Every whole number in JavaScript has it.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  const { $schema, ...rest } = schema;
  return { $schema, title: `nomoat ${command}`, description: summary, ...rest };
}

/** What `command` can be given. Throws NomoatError where it has no settings. */
export function settingsSchema(command: CommandName | (string & {})): JsonSchema {
  if (isCommand(command)) return schemaOf(command);
  const near = nearestNames(String(command), commandNames, 1)[0];
  throw new NomoatError({
    part: 'schema',
    fault: `${String(command)} is no command with settings${near ? ` (did you mean ${near}?)` : ''}`,
    remedy: `Those are ${commandNames.join(', ')}.`,
  });
}
