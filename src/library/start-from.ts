/**
 * A run that goes on from somebody's adapter: brought here with its base, trained on with the recipe that came with it. Promises: settings of
 * one's own win; nothing of the other's machine is taken over; a base that is not here is said before data is read.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { NomoatError } from '../errors.ts';
import { listOf, type TuneOptions } from '../library.ts';
import { ofPlace } from '../run/recipe.ts';
import { followRun, type Run } from '../run/run.ts';
import { RunFolder } from '../run/run-folder.ts';
import { startRun } from '../run/start-run.ts';
import { chatTemplateFile } from '../settings/chat-template.ts';
import { type Given, isRun, resolveSettings, settingsWith } from '../settings/load.ts';
import { readRecipe } from '../settings/recipe.ts';
import type { RequestedSettings } from '../settings/run-settings.ts';
import { type Surroundings, surroundings } from '../store/model-folders.ts';
import type { OnPullProgress } from '../store/pull-progress.ts';
import { assertGiven } from '../words/given.ts';
import { callWith } from '../words/program-words.ts';
import { findBase } from './find-base.ts';
import { pullInto } from './pull.ts';
import { readShareUnit } from './share-unit.ts';

/** Where settings come from, beside those that are given. */
export interface SettingsSources {
  /** A YAML file of options. */
  readonly recipe?: string | null;
  /** An adapter to go on from: a run, a folder, `organisation/name` of the hub, or the address of a shared folder. */
  readonly from?: string | null;
  readonly onProgress?: OnPullProgress;
  readonly signal?: AbortSignal | undefined;
  readonly around?: Surroundings;
}

interface Start {
  /** What is trained on from: a run, a folder or a GGUF. */
  readonly adapter: string;
  /** The base's file; null where nobody knows where it is. */
  readonly model: string | null;
  readonly recipe: string | null;
  readonly chatTemplate: string | null;
}

const firstThere = (...paths: readonly string[]): string | null => paths.find((path) => existsSync(path)) ?? null;

/** What lies beside the adapter at `path`, or in the bundle around it. */
function beside(path: string): Pick<Start, 'recipe' | 'chatTemplate'> {
  const folder = path.endsWith('.gguf') ? dirname(path) : path;
  const recipe = firstThere(join(folder, 'recipe.yaml'), join(dirname(folder), 'recipe.yaml'));
  return { recipe, chatTemplate: firstThere(join(folder, chatTemplateFile)) };
}

async function startAt(from: string, sources: SettingsSources, bringsBase: boolean): Promise<Start> {
  const around = sources.around ?? surroundings();
  if (isRun(from)) {
    const { settings } = new RunFolder(from).read();
    return { ...beside(join(resolve(from), 'adapter')), adapter: resolve(from), model: settings.modelPath };
  }
  if (existsSync(from)) {
    const { adapter, base, facts } = readShareUnit(from);
    const found = await findBase({ file: base, id: facts.baseModel }, around);
    return { ...beside(adapter), adapter, model: found.path };
  }
  const { onProgress, signal } = sources;
  const pulled = await pullInto(from, {
    base: bringsBase,
    around,
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
  });
  if (pulled.kind === 'model')
    throw new NomoatError({
      code: 'unusable-adapter',
      part: '`from`',
      fault: `${from} is a model, not an adapter`,
      remedy: 'Give it as `model`.',
    });
  return { ...beside(pulled.path), adapter: pulled.path, model: pulled.base?.path ?? null };
}

/** Of their recipe what holds anywhere. */
const portable = (recipe: Given): Given =>
  Object.fromEntries(Object.entries(recipe).filter(([name, value]) => !ofPlace(name, value)));

/** The settings of a fine-tuning run, by those given, a recipe, and the adapter that it goes on from. Throws NomoatError. */
export async function tuneSettings(
  data: readonly string[],
  given: Given,
  sources: SettingsSources,
): Promise<RequestedSettings> {
  const { from = null, recipe = null } = sources;
  if (from === null) return resolveSettings(data, given, recipe);
  assertGiven('`from`', from);
  const ownRecipe = recipe === null ? {} : readRecipe(recipe);
  const own = { ...ownRecipe, ...given };
  if ((own['initialAdapter'] ?? null) !== null)
    throw new NomoatError({
      code: 'invalid-settings',
      part: 'settings',
      fault: '`from` and `initialAdapter` both say what the run goes on from',
      remedy: 'Give one of them.',
    });
  const start = await startAt(from, sources, (own['model'] ?? null) === null);
  const model = own['model'] ?? start.model;
  if (model === null)
    throw new NomoatError({
      code: 'base-not-found',
      part: from,
      fault: 'the base that it was trained on is not known, or not on this machine',
      remedy: `Give it as \`model\`, or bring it: ${callWith('pull', 'NAME')}`,
    });
  const theirs = start.recipe === null ? {} : portable(readRecipe(start.recipe));
  const template = start.chatTemplate === null ? {} : { chatTemplate: start.chatTemplate };
  // A recipe has settings of other methods, too; what is given has not.
  const all = { ...theirs, ...template, ...ownRecipe, model, initialAdapter: start.adapter };
  return settingsWith(data, given, all);
}

/**
 * Starts a run that goes on from somebody's adapter and returns at once, as `tune` does: `from` is a run, a folder, `organisation/name` of the
 * hub, or the address of a shared folder; it is pulled with its base, and its recipe holds where nothing else is given.
 */
export function tuneFrom(from: string, given: TuneOptions): Run {
  const { data, recipe, signal, confirm, ...options } = { ...given };
  return followRun(async () => {
    const settings = await tuneSettings(listOf(data), { ...options }, { from, recipe: recipe ?? null, signal });
    return startRun(settings, { ...(signal ? { signal } : {}), ...(confirm ? { confirm } : {}) });
  });
}
