/** The flags of a command, made from its settings; what was given by them is judged where they are parsed (settings/parse-settings.ts). */
import { type Command, Option as Flag } from 'commander';
import { z } from 'zod';
import { type Field, fieldOf } from '../settings/fields.ts';
import { flagOf, type OptionTable } from '../settings/options.ts';
import { type Given, type ParseOptions, parseSettings } from '../settings/parse-settings.ts';
import { inCommandWords } from './words.ts';

/** Every option says its default; some say in words what it comes of. */
function defaultText({ fallback, kind, words }: Field): string {
  if (fallback === undefined) return '';
  if (words.description.includes('default:') || (fallback === null && words.description.includes('default'))) return '';
  if (kind === 'boolean') return ' (default: no)';
  if (fallback === null) return ' (default: none)';
  return ` (default: ${Array.isArray(fallback) ? fallback.join() : fallback})`;
}

function flagFor(name: string, field: Field): Flag {
  const { choices, fallback, kind, words } = field;
  const flag = flagOf(name);
  const named = kind === 'choice' && words.argument === undefined ? `: ${choices.join(', ')}` : '';
  const help = `${inCommandWords(words.negated ?? words.description)}${named}${defaultText(field)}`;
  if (kind === 'boolean') return new Flag(fallback === true ? `--no-${flag}` : `--${flag}`, help);
  return new Flag(`--${flag} <${words.argument ?? 'NAME'}>`, help).makeOptionMandatory(fallback === undefined);
}

export function addFlags(command: Command, table: OptionTable): Command {
  for (const [name, schema] of Object.entries(table)) command.addOption(flagFor(name, fieldOf(schema)));
  return command;
}

/** The values of these flags, defaults filled in. Throws NomoatError with all that are wrong. */
export const flagsOf = <Shape extends OptionTable>(
  command: Command,
  table: Shape,
  options: Omit<ParseOptions, 'command'> = {},
): z.output<z.ZodObject<Shape>> =>
  parseSettings(
    z.object(table),
    { given: givenFlags(command, table) },
    { command: command.name(), lead: (name) => `--${flagOf(name)}:`, ...options },
  );

/** Those values that are not null: functions of the library have options that may be left out. */
export const stated = <Values extends Readonly<Record<string, unknown>>>(
  values: Values,
): { readonly [Name in keyof Values]?: NonNullable<Values[Name]> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as {
    readonly [Name in keyof Values]?: NonNullable<Values[Name]>;
  };

/** Only what the user wrote: commander gives negated flags a value of their own. */
export const givenFlags = (command: Command, table: OptionTable): Given =>
  Object.fromEntries(
    Object.keys(table)
      .filter((name) => command.getOptionValueSource(name) === 'cli')
      .map((name) => [name, command.getOptionValue(name)]),
  );
