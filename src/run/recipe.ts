/** A run's settings as a recipe that repeats it. Pure. */
import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { pretrainOptions, tuneOptions } from '../settings/options.ts';
import { shellQuote } from '../words/shell-quote.ts';
import { engineName } from './engine.ts';
import type { RunRecord } from './run-record.ts';
import { shareable } from './shareable.ts';

/** The command that repeats the run with its recipe. */
export const recipeCommand = ({ settings }: Pick<RunRecord, 'settings'>): string =>
  `nomoat ${settings.method === 'pretrain' ? 'pretrain' : 'tune'} ${settings.data.map((path) => shellQuote(path)).join(' ')} --recipe recipe.yaml --run NEW`;

/** The settings that a recipe states, as far as they are known. */
export function settingsOf({ chosenPrecision, engine, settings }: RunRecord): Record<string, unknown> {
  const values: Readonly<Record<string, unknown>> = {
    ...settings,
    ...settings.pretrain,
    model: settings.modelPath,
    // `auto` measures, and may come to something else the next time.
    precision: chosenPrecision ?? settings.precision,
    engine: engine ? engineName(engine) : settings.engine,
  };
  const names = Object.keys(settings.method === 'pretrain' ? pretrainOptions : tuneOptions).filter(
    (name) => name !== 'run',
  );
  return Object.fromEntries(names.flatMap((name) => (values[name] === null ? [] : [[name, values[name]]])));
}

/** The settings, with the command as a comment. */
export function recipeOf(record: RunRecord): string {
  const { chosenFromData, settings } = record;
  const chosen = chosenFromData === undefined ? '' : `# ${chosenFromData}\n`;
  return `# Repeats the run: ${recipeCommand({ settings })}\n${chosen}${stringify(settingsOf(record))}`;
}

/** Settings that hold for one machine: where things lie on it, and what it can do. */
const placeNames: ReadonlySet<string> = new Set([
  'model',
  'initialAdapter',
  'frozenAdapter',
  'chatTemplate',
  'basePrompts',
  'threads',
  'memory',
  'nice',
  'device',
  'engine',
]);

/** Whether a setting means nothing to another machine; a share of the data held out means the same everywhere. */
export const ofPlace = (name: string, value: unknown): boolean =>
  placeNames.has(name) || (name === 'validation' && typeof value !== 'number');

/** Settings as a recipe for others, as a bundle has it: nothing of this machine. A lineage names it by its digest. */
export function sharedRecipe(settings: Readonly<Record<string, unknown>>): string {
  const shared = Object.entries(settings).filter(([name, value]) => !ofPlace(name, value));
  // As a lineage's JSON has them, where what is undefined is absent.
  const stated = JSON.parse(JSON.stringify(Object.fromEntries(shared))) as unknown;
  return `# What it was made with, but for what holds for one machine.\n${stringify(stated)}`;
}

/** By which a lineage names the recipe of a run with these settings. */
export const sharedRecipeDigest = (settings: Readonly<Record<string, unknown>>): string =>
  createHash('sha256').update(sharedRecipe(settings)).digest('hex');

/** Of a run; what it names lies somewhere else elsewhere, and is named without its path. `home` is the user's folder. */
export const sharedRecipeOf = (record: RunRecord, home: string): string => sharedRecipe(sharedSettings(record, home));

/** The settings that a run's lineage states. */
export const sharedSettings = (record: RunRecord, home: string): Record<string, unknown> =>
  settingsOf(shareable(record, [], home).record);
