/**
 * Settings from flags, a recipe and the defaults, in this order of precedence. Promises: all faults are reported together, and an
 * unknown key names the nearest right one.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { NomoatError } from '../errors.ts';
import { pretrainSizes } from '../models/sizes.ts';
import { resolveModel } from '../store/local-models.ts';
import { withPaths } from '../store/stack.ts';
import { assertGiven } from '../words/given.ts';
import { callWith, callWithOptions } from '../words/program-words.ts';
import { resolveChatTemplate } from './chat-template.ts';
import { combinationFaults } from './combinations.ts';
import { namedEngine } from './engine.ts';
import { type PretrainValues, pretrainSettings, startModelName, type TuneValues, tuneSettings } from './options.ts';
import { type Given, parseSettings } from './parse-settings.ts';
import { readRecipe } from './recipe.ts';
import type { RequestedSettings, RunSettings } from './run-settings.ts';

export type { Given } from './parse-settings.ts';

/** 0.1, 1e-2, and what is meant so: 10%, -0.1, 0,1. */
const looksLikeNumber = /^[-+]?[\d.,]+(e[-+]?\d+)?\s*%?$/i;

/** The fraction that a number stands for, unless it is the name of a file; null for all else. */
const fractionIn = (validation: unknown): number | null =>
  typeof validation === 'number' ||
  (typeof validation === 'string' && looksLikeNumber.test(validation) && !existsSync(validation))
    ? Number(validation)
    : null;

function validationFaults({ validation }: Given): string[] {
  const fraction = fractionIn(validation);
  return fraction === null || (fraction > 0 && fraction < 1)
    ? []
    : [`\`validation\`: ${validation} is no file and no fraction between 0 and 1, such as 0.1`];
}

/** Values of all options of `tune`; faults of flags and recipe are thrown together. */
export function resolveOptions(flags: Given, recipe: Given = {}): TuneValues {
  const together = (values: Given): string[] => [...combinationFaults(flags, values), ...validationFaults(values)];
  const values = parseSettings(tuneSettings, { given: flags, recipe }, { command: 'tune', together });
  return { ...values, validation: fractionIn(values.validation) ?? values.validation };
}

/** Values of all options of `pretrain`, likewise. */
function resolvePretrainOptions(flags: Given, recipe: Given): PretrainValues {
  const values = parseSettings(
    pretrainSettings,
    { given: flags, recipe },
    { command: 'pretrain', together: validationFaults },
  );
  return { ...values, validation: fractionIn(values.validation) ?? values.validation };
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
    throw new NomoatError({
      code: 'data-not-found',
      part: '`data`',
      fault: 'no data was given',
      remedy: `Give a file or a folder: ${usage}`,
    });
  for (const path of data) assertGiven('`data`', path);
  const missing = data.filter((path) => !existsSync(path));
  if (missing.length > 0)
    throw new NomoatError({
      code: 'data-not-found',
      part: missing.join(', '),
      fault: 'does not exist',
      remedy: 'Check the path.',
    });
}

function newRun(given: string | null, stem: string): string {
  const run = given === null ? freeFolder(stem) : resolve(given);
  assertFree(run);
  return run;
}

/** Whether the folder is a run's. */
export const isRun = (folder: string): boolean => folder !== '' && existsSync(join(folder, 'run.json'));

/** Throws NomoatError where something stands at the path of a new run. */
export function assertFree(run: string): void {
  if (!existsSync(run)) return;
  throw new NomoatError({
    code: 'run-exists',
    part: run,
    fault: 'exists already, and runs are never overwritten',
    remedy: `Give another \`run\`${isRun(run) ? `, or continue that one: ${callWith('resumeTune', run)}` : '.'}`,
  });
}

const absolute = (path: string | null): string | null => (path === null ? null : resolve(path));
/** A file's path; a fraction as it is. */
const heldOut = (validation: string | number | null): string | number | null =>
  typeof validation === 'string' ? resolve(validation) : validation;

/** Everything a fine-tuning run needs but what its data decides, with a recipe from a file. Rejects with NomoatError. */
export async function resolveSettings(
  data: readonly string[],
  flags: Given,
  recipe: string | null,
): Promise<RequestedSettings> {
  return await settingsWith(data, flags, recipe === null ? {} : readRecipe(recipe));
}

/** The same with what a recipe says; paths are made absolute. Rejects with NomoatError. */
export async function settingsWith(data: readonly string[], flags: Given, recipe: Given): Promise<RequestedSettings> {
  const options = resolveOptions(flags, recipe);
  assertData(data, callWithOptions('tune', { data: 'examples.jsonl' }));
  const model = await resolveBase(options.model);
  const run = newRun(options.run, `${stemOf(data[0]!)}-${stemOf(model.name)}`);
  return {
    ...options,
    engine: namedEngine() ?? options.engine,
    pretrain: null,
    data: data.map((path) => resolve(path)),
    model: model.name,
    modelPath: model.path,
    run,
    validation: heldOut(options.validation),
    initialAdapter: adaptersInside(options.initialAdapter),
    frozenAdapter: adaptersInside(options.frozenAdapter),
    basePrompts: absolute(options.basePrompts),
    chatTemplate: resolveChatTemplate(options.chatTemplate),
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
    remedy: "Go on from its adapter with `initialAdapter`, or merge it: `exportRun(run, { to: 'merged-gguf' })`.",
  });
}

/** Everything a pretraining run needs. Throws NomoatError. */
export function resolvePretrainSettings(data: readonly string[], flags: Given, recipePath: string | null): RunSettings {
  const { size, tokenizer, vocabulary, init, ...options } = resolvePretrainOptions(
    flags,
    recipePath === null ? {} : readRecipe(recipePath),
  );
  if (tokenizer !== null && vocabulary !== null) {
    throw new NomoatError({
      code: 'invalid-settings',
      part: 'settings',
      fault: '`vocabulary` is the size of a trained tokenizer, and `tokenizer` takes one that is trained already',
      remedy: 'Give one of them.',
    });
  }
  assertData(data, callWithOptions('pretrain', { data: 'story.txt', size: 'nano' }));
  const run = newRun(options.run, `${stemOf(data[0]!)}-${size}`);
  const { model: _, ...rest } = resolveOptions({});
  return {
    ...rest,
    ...options,
    method: 'pretrain',
    // There is no adapter.
    rank: 0,
    pretrain: {
      size,
      vocabulary: vocabulary ?? pretrainSizes[size].vocabulary,
      tokenizer: absolute(tokenizer),
      init,
    },
    data: data.map((path) => resolve(path)),
    model: `nomoat-${size}`,
    modelPath: join(run, startModelName),
    run,
    validation: heldOut(options.validation),
    supervise: 'all',
    tooLong: 'split',
  };
}

/** A stack with the adapters of its runs, paths made absolute. */
const adaptersInside = (stack: string | null): string | null =>
  stack === null ? null : withPaths(stack, (path) => peftInside(resolve(path)));

/** The PEFT folder of a run folder, or what the path stands for. */
const peftInside = (path: string): string => (isRun(path) ? join(path, 'adapter') : loneGguf(path));

/** The adapter of a run folder, or what the path stands for. */
export function adapterInside(path: string): string {
  return isRun(path) ? join(path, 'adapter', 'adapter.gguf') : loneGguf(path);
}

/** The one GGUF file in a folder that holds no adapter of PEFT's, as an export for Ollama is; else the path itself. */
function loneGguf(path: string): string {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch {
    // A file, or nothing that can be read, which is said where it is opened.
    return path;
  }
  const [only, ...others] = names.filter((name) => name.toLowerCase().endsWith('.gguf'));
  if (only === undefined || others.length > 0 || names.some((name) => /^adapter(_config\.json)?$/.test(name)))
    return path;
  return join(path, only);
}
