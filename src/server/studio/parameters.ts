/** Parameters of the studio's routes. Data are files that were uploaded, by their ids: no request names a path of this machine. */
import { z } from 'zod';
import { settingsSchema } from '../../settings/json-schema.ts';
import { resolveOptions } from '../../settings/load.ts';
import type { Given } from '../../settings/parse-settings.ts';
import { wrongParameter } from '../api-error.ts';
import { open } from '../parameters.ts';
import { wholeText } from '../routes/query.ts';

/** A folder that is dropped has some; more are one file before they are here. */
const mostFiles = 200;
/** Rows as tokens at once: more nobody reads, and each is drawn. */
const mostRows = 200;
const mostName = 64;
/** Repeats wait for each other: more are a night. */
const mostSeeds = 20;
const mostBytes = 999_999_999;

const data = z
  .array(z.string().min(1))
  .min(1)
  .max(mostFiles)
  .describe('ids of files (`POST /v1/files`, purpose `user_data`)');
const model = z.string().min(1).describe('a name that `GET /v1/models` lists');
const settings = open(z.record(z.string(), z.unknown())).describe(
  'options of `tune` by name, as `GET /studio/v1/settings` lists them; those that name files are refused',
);

export const previewParameters = z.object({
  data,
  model,
  settings,
  rows: open(z.int().min(0).max(mostRows)).describe(`rows to show, 0 to ${mostRows}; all are counted`),
  limit: open(z.int().min(1)).describe('examples to look at, the first of the data; default: all'),
});
export const inspectParameters = z.object({ data, model: open(model), settings });
export const planParameters = z.object({ data, model, settings });
export const runParameters = z.object({
  data,
  model,
  settings,
  name: open(z.string().trim().min(1).max(mostName)).describe(`of the run, 1 to ${mostName} characters`),
  seeds: open(z.int().min(1).max(mostSeeds)).describe(
    `repeats, 1 to ${mostSeeds}: runs with the seeds from \`settings.seed\` on, one after the other; default 1`,
  ),
});
export const eventsParameters = z.object({
  after: wholeText(0, mostBytes).optional().describe('what the answer before said'),
  mark: z.string().optional().describe('likewise'),
});

/** Options that name a place on this machine or beyond it, or that the server decides itself. */
const refusedSettings = [
  'run',
  'model',
  'data',
  'recipe',
  'from',
  'initialAdapter',
  'frozenAdapter',
  'basePrompts',
  'threads',
  'nice',
];
/** Those that may name a place, and something else. */
const mayNamePlaces = ['validation', 'chatTemplate'];

/** The settings of `tune` that a page may give, as JSON Schema. */
export function pageSettings() {
  const { properties, ...schema } = settingsSchema('tune');
  const kept = Object.entries(properties ?? {}).filter(([name]) => !refusedSettings.includes(name));
  return { ...schema, properties: Object.fromEntries(kept) };
}

/** The options as they were given. Throws ApiError for one that names a place, NomoatError for one that will not do. */
export function settingsOf(given: Given | null | undefined): Given {
  const settings = given ?? {};
  const refused = Object.keys(settings).find((name) => refusedSettings.includes(name));
  if (refused !== undefined)
    throw wrongParameter(
      `settings.${refused}`,
      'unsupported_parameter',
      `Unsupported parameter: 'settings.${refused}': it is not for a page to say.`,
    );
  for (const name of mayNamePlaces)
    if (typeof settings[name] === 'string' && /[/\\.]/.test(settings[name]))
      throw wrongParameter(
        `settings.${name}`,
        'unsupported_parameter',
        `Unsupported parameter: 'settings.${name}': no path of this machine may be named.`,
      );
  resolveOptions(settings);
  return settings;
}
