/**
 * What flags, a recipe and a program give, as the settings of a schema. Promises: all faults of a call are thrown together, each with the name
 * that it was given by, and an unknown name with the nearest right one. null and undefined stand for what was not given.
 */
import type { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { emptyRemedy, emptyText } from '../words/given.ts';
import { nearestNames } from '../words/nearest-name.ts';
import { callWith } from '../words/program-words.ts';
import { type Field, fieldOf } from './fields.ts';
import type { OptionTable } from './options.ts';
import { readText } from './read-text.ts';

/** Values by camelCase name, not looked at yet. */
export type Given = Readonly<Record<string, unknown>>;

/** How a fault names the setting that it is of. */
export type Label = (name: string) => string;
/** By its name in a program; the command line makes the flag of it (cli/words.ts). */
export const optionLabel: Label = (name) => `\`${name}\``;
export const recipeLabel: Label = (name) => `recipe key ${name}`;

/** The fault as a clause; those of a list's items are one. */
function faultText({ issues }: z.core.$ZodError, { choices }: Field): string {
  const items = issues.filter(({ path }) => path.length > 0).map(({ message }) => message);
  if (choices.length === 0) return issues[0]!.message;
  return items.length > 0 ? `${items.join(', ')} is none of ${choices.join(', ')}` : issues[0]!.message;
}

/** How a fault of a value begins. */
export type Lead = (name: string, value: unknown) => string;
const optionLead: Lead = (name) => `${optionLabel(name)}:`;
const recipeLead: Lead = (name) => `${recipeLabel(name)}:`;

/** Of a share that texts write as 10%, the number; all else as it is. */
function percentOf({ words }: Field, value: unknown): unknown {
  const isShare = words.argument?.endsWith('%') && typeof value === 'string';
  const percent = isShare ? /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(value)?.[1] : undefined;
  return percent === undefined ? value : Number(percent) / 100;
}

/** The values among `given` that are ones of the table, and the faults of the others. */
export function readGiven(
  table: OptionTable,
  given: Given,
  label: Label,
  lead: Lead,
): { values: Given; faults: string[] } {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, raw] of Object.entries(given)) {
    const schema = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!schema) {
      const near = nearestNames(name, Object.keys(table), 1)[0];
      faults.push(`${label(name)} does not exist${near ? ` (did you mean ${near}?)` : ''}`);
    } else if (raw !== undefined && raw !== null) {
      const field = fieldOf(schema);
      const value = readText(field, percentOf(field, raw));
      const { error } = schema.safeParse(value);
      if (error) faults.push(`${lead(name, value)} ${faultText(error, field)}`);
      else values[name] = value;
    }
  }
  return { values, faults };
}

export interface Sources {
  readonly given: Given;
  /** What is not given is taken from here. */
  readonly recipe?: Given;
}

export interface ParseOptions {
  /** Whose settings they are. */
  readonly command: string;
  /** How faults of values begin, where not by the option's name. */
  readonly lead?: Lead;
  /** Faults of values that are right one by one, from the right ones. */
  readonly together?: (values: Given) => readonly string[];
}

/** The settings in full. Throws NomoatError with all faults. */
export function parseSettings<Shape extends z.core.$ZodLooseShape>(
  schema: z.ZodObject<Shape>,
  { given, recipe = {} }: Sources,
  { command, lead = optionLead, together }: ParseOptions,
): z.output<z.ZodObject<Shape>> {
  const table: OptionTable = Object.fromEntries(Object.entries(schema.shape));
  const fromRecipe = readGiven(table, recipe, recipeLabel, recipeLead);
  const fromFlags = readGiven(table, given, optionLabel, lead);
  const values = { ...fromRecipe.values, ...fromFlags.values };
  const faults = [...fromRecipe.faults, ...fromFlags.faults, ...(together?.(values) ?? [])];
  if (faults.length > 0)
    throw settingsFault(faults, `${callWith('settingsSchema', command)} lists every option with its default.`);
  return schema.parse(values);
}

/** What helps where all faults end alike. */
const remedyOfAll = [
  ['is no number', 'Give numbers.'],
  [`: ${emptyText}`, emptyRemedy],
] as const;

export const settingsFault = (faults: readonly string[], remedy: string): NomoatError =>
  new NomoatError({
    code: 'invalid-settings',
    part: 'settings',
    fault: faults.join('; '),
    remedy: remedyOfAll.find(([end]) => faults.every((fault) => fault.endsWith(end)))?.[1] ?? remedy,
    fields: { faults },
  });
