/**
 * The settings of every command, as zod schemas: those of `tune` and `pretrain` are in options.ts. `nomoat schema` shows them all. Does not
 * know how they are given (cli/flags.ts) nor what only concerns a terminal, such as `json`.
 */
import { z } from 'zod';
import { keyScopes } from '../store/key-scopes.ts';
import { convertOptions, exportOptions, extractOptions, mergeOptions } from './adapter-settings.ts';
import { lineageOptions, packOptions, reproduceOptions, signingKeyOptions, verifyOptions } from './bundle-settings.ts';
import { chatModel, chatOptions } from './chat-settings.ts';
import { checkOptions } from './check-settings.ts';
import { collectOptions } from './collect-settings.ts';
import { summaries } from './command-summaries.ts';
import { cardOptions, evalOptions } from './evaluation-settings.ts';
import { choice, fieldWords, notNegative, openText, requiredText, text, toggle, wholeFrom } from './fields.ts';
import { inspectDataOptions, inspectOptions } from './inspect-settings.ts';
import { type OptionTable, pretrainOptions, tuneOptions, tuneSettings } from './options.ts';
import { serveOptions, studioOptions } from './serve-settings.ts';
import { fromOption, pullOptions, pushOptions } from './sharing-settings.ts';

export { chatOptions, chatSettings, samplingFault, samplingOptions, samplingSettings } from './chat-settings.ts';
export { checkOptions, checkSettings } from './check-settings.ts';
export { type CollectKind, collectKinds, collectOptions, collectSettings } from './collect-settings.ts';
export { cardOptions, cardSettings, evalOptions, evalSettings } from './evaluation-settings.ts';
export { fromOption, pullOptions, pullSettings, pushOptions, pushSettings } from './sharing-settings.ts';
/**
 * A laptop with a busy processor: 28 to 45 W of the package and 10 to 20 W of the rest. A household's kilowatt-hour costs about 0.29
 * EUR in the EU and 0.17 USD in the US; a rented machine with four virtual processors and 16 GB about 0.20 an hour. Nothing depends on
 * the currency.
 */
export const priceOptions = {
  watts: notNegative(60, 'what the machine draws while it trains', { unit: 'W' }),
  pricePerKwh: notNegative(0.3, 'of electricity', { unit: 'a kWh' }),
  pricePerHour: notNegative(0.2, 'of a rented machine as fast as this one', { unit: 'an hour' }),
};
export const priceSettings = z.object(priceOptions);

/** Settings from a file, which recipes do not have themselves. */
export const recipeOption = { recipe: openText('FILE.yaml', 'settings from a file; options given beside it win') };

export const planOptions = { ...priceOptions, ...tuneOptions };
export const planSettings = z.object(planOptions);

/** Those of `tune` that decide what is trained on. */
export const { shape: rowsOptions } = tuneSettings.pick({
  model: true,
  format: true,
  promptColumn: true,
  completionColumn: true,
  textColumn: true,
  sequenceLength: true,
  tooLong: true,
  supervise: true,
  specialTokens: true,
  chatTemplate: true,
});
const shownRows = 3;
export const previewOptions = {
  rows: wholeFrom(shownRows, 0, 'rows to show', { unit: 'rows' }),
  limit: wholeFrom(null, 1, 'examples to look at, the first of the data; default: all', { unit: 'examples' }),
  ...rowsOptions,
};
export const previewSettings = z.object(previewOptions);

export { serveOptions, serveSettings, studioOptions, studioSettings } from './serve-settings.ts';

export const jobsActions = ['list', 'follow', 'cancel', 'pause', 'resume'] as const;
export const jobsOptions = {
  server: text(
    'http://127.0.0.1:8080',
    'URL',
    'where the server is; the key that it wants is taken from NOMOAT_API_KEY',
  ),
};
export const jobsSettings = z.object(jobsOptions);

export const importOptions = {
  model: openText(
    'NAME|FILE.gguf',
    "hold data against this model too, and tune it in the place of OpenAI's; default: the packaged one, for jobs alone",
  ),
};
export const importSettings = z.object(importOptions);
export const keysOptions = {
  scope: choice(
    'chat',
    keyScopes,
    'what the key opens: models and answers; files and fine-tuning as well; or everything',
  ),
  requestsPerMinute: wholeFrom(null, 1, 'requests in any 60 seconds; default: no limit', { unit: 'requests a minute' }),
  tokensPerDay: wholeFrom(null, 1, 'tokens of prompts and answers in a day of UTC; default: no limit', {
    unit: 'tokens a day',
  }),
};
export const keysSettings = z.object(keysOptions);
/** What is done with keys. */
export const keysActions = ['add', 'list', 'remove', 'new'] as const;

export const modelsOptions = {
  cache: toggle(
    false,
    'list what is kept for the next time instead (copies of bases for proofs, data sets as tokens), least recently used first',
  ),
  prune: toggle(false, 'remove all that, but for what a run is using'),
};
export const modelsSettings = z.object(modelsOptions);

/** What a command takes. */
export interface CommandSettings {
  readonly summary: string;
  /** What it is called with, beside its options. */
  readonly argument: Readonly<Record<string, z.ZodType>>;
  readonly options: OptionTable;
}

const pathOrPaths = () => z.union([z.string(), z.array(z.string()).min(1)]);
const run = { run: requiredText('RUN', 'the folder of a run') };
const data = { data: pathOrPaths().register(fieldWords, { description: 'files or a folder' }) };

/** Beside the options of a run: what repeats it. */
export const seedsOption = {
  seeds: wholeFrom(
    1,
    1,
    'runs with as many seeds, from the seed on, in one folder; `evaluate` then tells their noise from an effect',
    { unit: 'runs' },
  ),
};

/** By name, as they are called. */
export const commandSettings = {
  tune: {
    summary: summaries.tune,
    argument: data,
    options: { ...recipeOption, ...fromOption, ...seedsOption, ...tuneOptions },
  },
  pretrain: {
    summary: summaries.pretrain,
    argument: data,
    options: { ...recipeOption, ...pretrainOptions },
  },
  plan: {
    summary: summaries.plan,
    argument: data,
    options: { ...recipeOption, ...fromOption, ...planOptions },
  },
  preview: {
    summary: summaries.preview,
    argument: data,
    options: previewOptions,
  },
  chat: {
    summary: summaries.chat,
    argument: { model: chatModel },
    options: chatOptions,
  },
  serve: { summary: summaries.serve, argument: {}, options: serveOptions },
  studio: { summary: summaries.studio, argument: {}, options: studioOptions },
  jobs: {
    summary: summaries.jobs,
    argument: { id: openText('ID', 'of the job, or the end of it; without one, the newest is followed') },
    options: jobsOptions,
  },
  'import-openai': {
    summary: summaries['import-openai'],
    argument: { paths: pathOrPaths().register(fieldWords, { description: 'files or folders' }) },
    options: importOptions,
  },
  collect: {
    summary: summaries.collect,
    argument: {
      sources: pathOrPaths().register(fieldWords, { description: 'files of saved conversations, or folders of them' }),
    },
    options: collectOptions,
  },
  keys: {
    summary: summaries.keys,
    argument: { name: requiredText('NAME', 'what the key is called') },
    options: { ...keysOptions, ...signingKeyOptions },
  },
  export: { summary: summaries.export, argument: run, options: exportOptions },
  convert: {
    summary: summaries.convert,
    argument: {
      adapter: requiredText('ADAPTER', "a PEFT folder, a .safetensors file, mlx-lm's folder, a GGUF LoRA or a run"),
    },
    options: convertOptions,
  },
  merge: {
    summary: summaries.merge,
    argument: { adapters: pathOrPaths().register(fieldWords, { description: 'adapters of any kind, two or more' }) },
    options: mergeOptions,
  },
  extract: {
    summary: summaries.extract,
    argument: {
      tuned: requiredText('TUNED', 'a fully tuned model: a name that `listModels()` lists, or a GGUF file'),
      base: requiredText('BASE', 'the model that it was tuned from'),
    },
    options: extractOptions,
  },
  eval: {
    summary: summaries.eval,
    argument: { model: chatModel },
    options: evalOptions,
  },
  check: {
    summary: summaries.check,
    argument: {
      model: requiredText('MODEL|RUN|ADAPTER', 'a model by name or file, a run, one of its checkpoints, or an adapter'),
    },
    options: checkOptions,
  },
  inspect: {
    summary: summaries.inspect,
    argument: {
      adapter: requiredText(
        'RUN|ADAPTER|MODEL',
        'a run, one of its checkpoints, a PEFT folder, a .safetensors file, a GGUF LoRA or a whole model',
      ),
    },
    options: inspectOptions,
  },
  card: { summary: summaries.card, argument: run, options: cardOptions },
  lineage: {
    summary: summaries.lineage,
    argument: {
      adapter: requiredText(
        'RUN|ADAPTER',
        'a run, a PEFT folder, one of mlx-lm, a .safetensors file, a GGUF LoRA or a bundle',
      ),
    },
    options: lineageOptions,
  },
  pack: {
    summary: summaries.pack,
    argument: {
      adapter: requiredText('RUN|ADAPTER', 'a run, a PEFT folder, one of mlx-lm, a .safetensors file or a GGUF LoRA'),
    },
    options: packOptions,
  },
  reproduce: { summary: summaries.reproduce, argument: run, options: reproduceOptions },
  verify: {
    summary: summaries.verify,
    argument: { bundle: requiredText('BUNDLE', 'the folder of a bundle, or an OCI image layout of one') },
    options: verifyOptions,
  },
  'inspect data': { summary: summaries['inspect data'], argument: data, options: inspectDataOptions },
  pull: {
    summary: summaries.pull,
    argument: {
      name: requiredText(
        'NAME',
        'a name that `listModels()` lists, organisation/name of the hub, or the address of a shared folder',
      ),
    },
    options: pullOptions,
  },
  push: {
    summary: summaries.push,
    argument: { source: requiredText('RUN|BUNDLE|ADAPTER', 'a run, a bundle, or the folder of an adapter') },
    options: pushOptions,
  },
  index: {
    summary: summaries.index,
    argument: { folder: requiredText('DIR', 'the folder that holds folders of adapters') },
    options: {},
  },
  models: { summary: summaries.models, argument: {}, options: modelsOptions },
} satisfies Record<string, CommandSettings>;
/** A command that has settings, by its name: `tune`, `pretrain`, `chat` and so on. */
export type CommandName = keyof typeof commandSettings;
