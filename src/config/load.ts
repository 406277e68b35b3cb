/**
 * Settings from flags, a recipe and the defaults, in this order of precedence. Promises: all faults are reported together, and an
 * unknown key names the nearest right one.
 */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { NomoatError } from '../errors.ts';
import { assertGiven, emptyText } from '../files/given.ts';
import { resolveModel } from '../files/local-models.ts';
import { nearestNames } from '../files/nearest-name.ts';
import type { AskedSettings, RunSettings } from '../jobs/run-settings.ts';
import { type PretrainSizeName, pretrainSizes } from '../models/sizes.ts';
import { shellQuote } from '../shell-quote.ts';
import { resolveChatTemplate } from './chat-template.ts';
import {
  flagOf,
  type Option,
  type OptionTable,
  type PretrainOptionName,
  pretrainOptions,
  startModelName,
  type TuneOptionName,
  tuneOptions,
} from './options.ts';
import { type Given, readRecipe } from './recipe.ts';

export type { Given } from './recipe.ts';

/** Powers of ten, as disks and the rest of nomoat count. */
const sizeUnits: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
/** Node and the engine alone take more than this. */
const leastMemory = 200e6;

/** `8GB`, `1.5 g`, `900MB` or a number of bytes. */
function parseSize(value: unknown): { value: number } | string {
  const [, digits, unit] = /^\s*([\d.]+)\s*([kmgt]?)i?b?\s*$/i.exec(String(value)) ?? [];
  const bytes = Number(digits) * (sizeUnits[unit?.toLowerCase() ?? ''] ?? Number.NaN);
  if (!Number.isFinite(bytes)) return `${JSON.stringify(value)} is no size such as 8GB`;
  return bytes < leastMemory
    ? `${bytes} bytes are less than nomoat takes for itself (${leastMemory / 1e6} MB)`
    : { value: bytes };
}

/** A value of one option, or the fault as text. */
function parseValue(option: Option, value: unknown): { value: unknown } | string {
  switch (option.kind) {
    case 'number': {
      const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      if (typeof parsed !== 'number' || !Number.isFinite(parsed)) return `${JSON.stringify(value)} is no number`;
      if (option.whole && !Number.isInteger(parsed)) return `${parsed} is no whole number`;
      return parsed < option.least || parsed > option.most
        ? `${parsed} is not from ${option.least} to ${option.most}`
        : { value: parsed };
    }
    case 'size':
      return parseSize(value);
    case 'boolean':
      return typeof value === 'boolean' ? { value } : `${JSON.stringify(value)} is neither true nor false`;
    case 'choice':
      return option.choices.includes(String(value))
        ? { value }
        : `${JSON.stringify(value)} is none of ${option.choices.join(', ')}`;
    case 'list': {
      const items = Array.isArray(value)
        ? value.map(String)
        : String(value)
            .split(',')
            .map((item) => item.trim());
      if (items.join() === 'all') return { value: option.choices };
      if (items.length === 0) return `is empty; choose of ${option.choices.join(', ')}`;
      const unknown = items.filter((item) => !option.choices.includes(item));
      if (unknown.length > 0)
        return `${unknown.map((item) => `${item} (nearest: ${nearestNames(item, option.choices, 1)[0] ?? option.choices[0]})`).join(', ')} is none of ${option.choices.join(', ')}`;
      return { value: option.choices.filter((choice) => items.includes(choice)) };
    }
    case 'text':
      if (typeof value !== 'string' && typeof value !== 'number') return `${JSON.stringify(value)} is no text`;
      return String(value).trim() === '' ? emptyText : { value: String(value) };
  }
}

/** Options that only one method has. In a recipe they may stand for the other one, too: a recipe serves many runs. */
const methodOf: Readonly<Record<string, 'lora' | 'full'>> = {
  rank: 'lora',
  alpha: 'lora',
  dropout: 'lora',
  rslora: 'lora',
  targetModules: 'lora',
  initialAdapter: 'lora',
  precision: 'lora',
  outputType: 'full',
};

const methodFaults = (flags: Given, method: string): string[] =>
  Object.entries(flags).flatMap(([name, value]) =>
    value !== undefined && value !== null && methodOf[name] && methodOf[name] !== method
      ? [`--${flagOf(name)}: only --method ${methodOf[name]} has it`]
      : [],
  );

/** Values of all options; faults of flags and recipe are thrown together. */
export function resolveOptions<Name extends string = TuneOptionName>(
  flags: Given,
  recipe: Given = {},
  table: OptionTable = tuneOptions,
): Record<Name, unknown> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  const names = Object.keys(table);
  for (const [source, given] of [
    ['recipe', recipe],
    ['option', flags],
  ] as const) {
    // biome-ignore format: a table
    for (const [name, raw] of Object.entries(given)) {
      const label = source === 'recipe' ? `recipe key ${name}` : `--${flagOf(name)}`;
      const option = Object.hasOwn(table, name) ? table[name] : undefined;
      if (!option) {
        const near = nearestNames(name, names, 1)[0];
        faults.push(`${label} does not exist${near ? ` (did you mean ${near}?)` : ''}`);
      } else if (raw !== undefined && raw !== null) {
        const parsed = parseValue(option, raw);
        if (typeof parsed === 'string') faults.push(`${label}: ${parsed}`);
        else values[name] = parsed.value;
      }
    }
  }
  if (table === tuneOptions)
    faults.push(...methodFaults(flags, String(values['method'] ?? tuneOptions.method.default)));
  if (values['device'] === 'webgpu' && values['precision'] === 'int8')
    faults.push('--precision int8: --device webgpu computes in float32, the graphics card has no int8 kernels here');
  const validation = values['validation'] ?? table['validation']?.default;
  if (typeof validation === 'string' && /^[\d.]+$/.test(validation) && !existsSync(validation)) {
    const fraction = Number(validation);
    if (fraction > 0 && fraction < 1) values['validation'] = fraction;
    else faults.push(`--validation: ${validation} is no file and no fraction between 0 and 1`);
  }
  if (faults.length > 0) {
    throw new NomoatError({
      part: 'settings',
      fault: faults.join('; '),
      remedy: `\`nomoat ${table === tuneOptions ? 'tune' : 'pretrain'} --help\` lists every option with its default.`,
      fields: { faults },
    });
  }
  const defaults = Object.fromEntries(Object.entries(table).map(([name, option]) => [name, option.default]));
  return { ...defaults, ...values } as Record<Name, unknown>;
}

/** A folder of that name that does not exist yet. */
function freeFolder(stem: string): string {
  for (let n = 1; ; n++) {
    const path = resolve('runs', n === 1 ? stem : `${stem}-${n}`);
    if (!existsSync(path)) return path;
  }
}

const stemOf = (path: string): string =>
  path
    .replace(/[/\\]+$/, '')
    .replace(/^.*[/\\]/, '')
    .replace(/\.\w+$/, '')
    .replace(/[^\w.-]+/g, '-');

function assertData(data: readonly string[], usage: string): void {
  if (data.length === 0)
    throw new NomoatError({ part: 'DATA', fault: 'no data was given', remedy: `Give a file or a folder: ${usage}` });
  for (const path of data) assertGiven('DATA', path);
  const missing = data.filter((path) => !existsSync(path));
  if (missing.length > 0)
    throw new NomoatError({ part: missing.join(', '), fault: 'does not exist', remedy: 'Check the path.' });
}

function newRun(given: unknown, stem: string): string {
  const run = given === null ? freeFolder(stem) : resolve(String(given));
  assertFree(run);
  return run;
}

/** Whether the folder is a run's. */
export const isRun = (folder: string): boolean => folder !== '' && existsSync(join(folder, 'run.json'));

/** Throws NomoatError where something stands at the path of a new run. */
export function assertFree(run: string): void {
  if (!existsSync(run)) return;
  throw new NomoatError({
    part: run,
    fault: 'exists already, and runs are never overwritten',
    remedy: `Give another --run${isRun(run) ? `, or continue that one: nomoat tune --resume ${shellQuote(run)}` : '.'}`,
  });
}

const absolute = (path: unknown): string | null => (path === null ? null : resolve(String(path)));

/** Everything a fine-tuning run needs but what its data decides, paths made absolute. Throws NomoatError. */
export async function resolveSettings(
  data: readonly string[],
  flags: Given,
  recipePath: string | null,
): Promise<AskedSettings> {
  const options = resolveOptions(flags, recipePath === null ? {} : readRecipe(recipePath));
  assertData(data, 'nomoat tune examples.jsonl');
  const model = await resolveBase(String(options.model));
  const run = newRun(options.run, `${stemOf(data[0]!)}-${stemOf(model.name)}`);
  return {
    ...(options as unknown as AskedSettings),
    pretrain: null,
    data: data.map((path) => resolve(path)),
    model: model.name,
    modelPath: model.path,
    run,
    validation:
      typeof options.validation === 'string' ? absolute(options.validation) : (options.validation as number | null),
    initialAdapter: peftInside(absolute(options.initialAdapter)),
    chatTemplate: resolveChatTemplate(options.chatTemplate as string | null),
  };
}

/** A model by name or path; of a run that trained every weight, its result. */
async function resolveBase(name: string): Promise<{ name: string; path: string }> {
  if (!isRun(name)) return resolveModel(name);
  const path = join(resolve(name), 'model', 'model.gguf');
  // The result's card names it: where it lies here is nobody's business.
  if (existsSync(path)) return { name: basename(resolve(name)), path };
  throw new NomoatError({
    part: name,
    fault: 'is a run that holds no model of its own',
    remedy: 'Go on from its adapter with --initial-adapter, or merge it: nomoat export RUN --to merged-gguf.',
  });
}

/** Everything a pretraining run needs. Throws NomoatError. */
export function resolvePretrainSettings(data: readonly string[], flags: Given, recipePath: string | null): RunSettings {
  const { size, tokenizer, vocabulary, init, ...options } = resolveOptions<PretrainOptionName>(
    flags,
    recipePath === null ? {} : readRecipe(recipePath),
    pretrainOptions,
  );
  if (tokenizer !== null && vocabulary !== null) {
    throw new NomoatError({
      part: 'settings',
      fault: '--vocabulary is the size of a trained tokenizer, and --tokenizer takes one that is trained already',
      remedy: 'Give one of them.',
    });
  }
  assertData(data, 'nomoat pretrain story.txt --size nano');
  const name = size as PretrainSizeName;
  const run = newRun(options.run, `${stemOf(data[0]!)}-${name}`);
  const { model: _, ...rest } = resolveOptions({});
  return {
    ...(rest as unknown as RunSettings),
    ...(options as unknown as RunSettings),
    method: 'pretrain',
    // There is no adapter.
    rank: 0,
    pretrain: {
      size: name,
      vocabulary: (vocabulary as number | null) ?? pretrainSizes[name].vocabulary,
      tokenizer: absolute(tokenizer),
      init: init as NonNullable<RunSettings['pretrain']>['init'],
    },
    data: data.map((path) => resolve(path)),
    model: `nomoat-${name}`,
    modelPath: join(run, startModelName),
    run,
    validation: typeof options.validation === 'string' ? absolute(options.validation) : (options.validation as number),
    supervise: 'all',
    tooLong: 'split',
  };
}

/** The PEFT folder of a run folder, or the path itself. */
const peftInside = (path: string | null): string | null =>
  path !== null && isRun(path) ? join(path, 'adapter') : path;

/** The adapter of a run folder, or the path itself. */
export function adapterInside(path: string): string {
  return isRun(path) ? join(path, 'adapter', 'adapter.gguf') : path;
}
