/**
 * The library: the same runs and chats as the CLI's, from code.
 */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseStack, type StackedAdapter } from './adapter/stack.ts';
import type { Model } from './chat/chat-model.ts';
import { NomoatError } from './errors.ts';
import { physicalCores } from './machine/machine.ts';
import type { Confirm } from './plan/proposal.ts';
import { assertSameBase, baseWarning } from './run/base-model.ts';
import { followRun, type Run } from './run/run.ts';
import { modelFileName, RunFolder, runOfCheckpoint } from './run/run-folder.ts';
import { assertHasAdapter, runWarning } from './run/run-result.ts';
import { resumeRun, startRun } from './run/start-run.ts';
import { resolveChatTemplate, templateBeside } from './settings/chat-template.ts';
import { adapterInside, isRun, resolvePretrainSettings, resolveSettings } from './settings/load.ts';
import { trainsAdapter } from './settings/methods.ts';
import type { PretrainOptionValues, TuneOptionValues } from './settings/option-types.ts';
import { resolveModel } from './store/local-models.ts';
import type { SpecialTokens } from './tokens/encode-text.ts';
import { assertGiven } from './words/given.ts';
import { callWith } from './words/program-words.ts';

/** What a fine-tuning run is started with: `data`, and any of the options. */
export interface TuneOptions extends TuneOptionValues {
  /** Files or folders. */
  readonly data: string | readonly string[];
  /** A YAML file of options; those given here win. */
  readonly recipe?: string;
  /** Ends the run with a checkpoint: `result` rejects with code `run-interrupted`. */
  readonly signal?: AbortSignal;
  /** Asked once the plan is known and before anything is written; where it says no, the run has no events. */
  readonly confirm?: Confirm;
}

/** Callers without types may leave it out; then it is said that there is none. */
export const listOf = (data: string | readonly string[] | undefined): readonly string[] => {
  const list = typeof data === 'string' ? [data] : (data ?? []);
  const remedy = 'Give files or a folder.';
  if (Array.isArray(list) && list.length === 0)
    throw new NomoatError({ code: 'data-not-found', part: 'data', fault: 'none was given', remedy });
  if (Array.isArray(list) && list.every((path) => typeof path === 'string')) return list;
  throw new NomoatError({
    code: 'data-not-found',
    part: 'data',
    fault: 'is no path and no list of paths',
    remedy,
  });
};

/** Of whichever realm it comes. */
const isSignal = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value;

/** What callers without types get wrong, before a process is started that could not be ended. */
function assertOptions(options: { readonly signal?: unknown; readonly confirm?: unknown } | null | undefined): void {
  const fault =
    typeof options !== 'object' || options === null
      ? ['the options', 'were not given', 'Give an object.']
      : options.signal !== undefined && !isSignal(options.signal)
        ? ['signal', 'is no AbortSignal', 'Give that of an AbortController.']
        : options.confirm !== undefined && typeof options.confirm !== 'function'
          ? ['confirm', 'is no function', 'Give one that says whether to begin.']
          : null;
  if (fault) throw new NomoatError({ code: 'invalid-settings', part: fault[0]!, fault: fault[1]!, remedy: fault[2]! });
}

/**
 * Starts a run and returns at once: iterate it for its events, await its `result`. Aborting ends it with a checkpoint. Throws nothing:
 * what is wrong with the options is an event and an error as well.
 */
export function tune(given: TuneOptions): Run {
  const { data, recipe, signal, confirm, ...options } = { ...given };
  return followRun(async () => {
    assertOptions(given);
    const settings = await resolveSettings(listOf(data), options, recipe ?? null);
    return startRun(settings, { ...(signal ? { signal } : {}), ...(confirm ? { confirm } : {}) });
  });
}

/** What a pretraining run is started with: `data`, and any of the options. */
export interface PretrainOptions extends PretrainOptionValues, Pick<TuneOptions, 'data' | 'recipe' | 'signal'> {}

/** Trains a new model on plain text; returns at once, as `tune` does. */
export function pretrain(given: PretrainOptions): Run {
  const { data, recipe, signal, ...options } = { ...given };
  return followRun(() => {
    assertOptions(given);
    const settings = resolvePretrainSettings(listOf(data), options, recipe ?? null);
    return startRun(settings, signal ? { signal } : {});
  });
}

/** Continues an interrupted run; returns at once, as `tune` does. */
export function resumeTune(run: string, options: { readonly signal?: AbortSignal } = {}): Run {
  return followRun(() => {
    assertOptions(options);
    if (typeof run === 'string' && run !== '') return resumeRun(run, { ...options });
    throw new NomoatError({
      code: 'run-not-found',
      part: 'the run',
      fault: 'is no path',
      remedy: "Give an interrupted run's folder.",
    });
  });
}

/** What a model is opened with. */
export interface ChatOptions {
  /** A model's name or file, a run's folder, or one of its checkpoints (`runs/x/checkpoints/000088`). */
  readonly model: string;
  /** An adapter beside it: a run, a PEFT folder, mlx-lm's, a .safetensors or a .gguf file; or several with scales, as `a@0.7+b`. */
  readonly adapter?: string | null;
  /** A chat template instead of the model's own: a file, or one by name (chatml, llama3, ...). */
  readonly chatTemplate?: string | null;
  /** Threads to compute with, at most; by default one for each physical core. */
  readonly threads?: number;
  /** Tokens of prompt and answer together; by default 4096, or fewer where the model was trained on fewer. */
  readonly contextSize?: number;
  /** Answers that are computed side by side, at most; others wait. Each takes the memory of a whole context (default: 1). */
  readonly sequences?: number;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

/** What a chat is opened with. */
export interface ResolvedChat {
  readonly modelPath: string;
  readonly adapterPath: string | null;
  /** That the training conversations of a run shared; null for an adapter that is no run. */
  readonly systemPrompt: string | null;
  /** The text of the template that was trained with, where it is not the model's own. */
  readonly chatTemplate: string | null;
  /** What control tokens that are spelled in messages become, as in training. */
  readonly specialTokens: SpecialTokens;
  /** What a person should know before they read an answer, in sentences. */
  readonly warnings: readonly string[];
}

type Trained = Pick<ResolvedChat, 'systemPrompt' | 'chatTemplate' | 'specialTokens'>;

/** How a run, or the folder of an adapter, was trained to be asked. */
function trainedWith(path: string | null | undefined): Trained {
  if (!path) return { systemPrompt: null, chatTemplate: null, specialTokens: 'text' };
  if (!isRun(path)) return { systemPrompt: null, chatTemplate: templateBeside(path), specialTokens: 'text' };
  const { settings, systemPrompt } = new RunFolder(path).read();
  const { chatTemplate = null, specialTokens = 'control' } = settings;
  return { systemPrompt, chatTemplate, specialTokens: specialTokens === 'control' ? 'control' : 'text' };
}

/** What is to be said of the run at that path; nothing of an adapter that is no run. Throws where it has no result to be used. */
const runWarnings = (path: string | null | undefined): string[] =>
  path && isRun(path) ? [runWarning(path, new RunFolder(path).read()) ?? []].flat() : [];

/** The base and the adapter of a run's checkpoint, asked as that run was trained. */
async function resolveCheckpoint({ adapter, model }: ChatOptions, run: string): Promise<ResolvedChat> {
  const record = new RunFolder(run).read();
  const fault = adapter
    ? ['is a checkpoint, which is an adapter itself', 'Leave `adapter` out, or give the base and one adapter.']
    : trainsAdapter(record.settings.method)
      ? null
      : ['is a checkpoint of a run that trained every weight, and no model by itself', 'Give the run.'];
  if (fault) throw new NomoatError({ code: 'invalid-settings', part: model, fault: fault[0]!, remedy: fault[1]! });
  await assertSameBase(run, record);
  return { modelPath: record.settings.modelPath, adapterPath: resolve(model), ...trainedWith(run), warnings: [] };
}

/** What a run's folder, one of its checkpoints, or a model's name stands for. */
export async function resolveChat(options: ChatOptions): Promise<ResolvedChat> {
  assertGiven('`adapter`', options.adapter);
  assertGiven('`chatTemplate`', options.chatTemplate);
  const adapter = options.adapter ? adapterInside(resolve(options.adapter)) : null;
  const warnings = runWarnings(options.adapter);
  if (adapter !== null && isRun(options.adapter!))
    assertHasAdapter(options.adapter!, new RunFolder(options.adapter!).read(), adapter);
  const given = options.chatTemplate ? { chatTemplate: resolveChatTemplate(options.chatTemplate) } : {};
  const held = async (modelPath: string): Promise<void> => {
    const warning = adapter === null ? null : await baseWarning(adapter, modelPath);
    if (warning !== null) warnings.push(warning);
  };
  const checkpointed = runOfCheckpoint(options.model);
  if (checkpointed !== null) return { ...(await resolveCheckpoint(options, checkpointed)), ...given };
  if (!isRun(options.model)) {
    const { path: modelPath } = await resolveModel(options.model);
    await held(modelPath);
    return { modelPath, adapterPath: adapter, ...trainedWith(options.adapter), ...given, warnings };
  }
  warnings.push(...runWarnings(options.model));
  const folder = new RunFolder(options.model);
  const record = folder.read();
  const trained = { ...trainedWith(options.model), ...given };
  const inside = adapterInside(folder.path);
  const whole = trainsAdapter(record.settings.method) ? null : join(folder.model, modelFileName);
  if (!existsSync(whole ?? inside)) {
    throw new NomoatError({
      code: 'run-unfinished',
      part: options.model,
      fault: `is a run without a result yet (${record.state})`,
      remedy: `Finish it first: ${callWith('resumeTune', options.model)}`,
    });
  }
  await held(whole ?? record.settings.modelPath);
  if (adapter !== null && whole === null)
    warnings.push(`${options.model}: its own adapter is not used, since ${options.adapter} was given in its place.`);
  if (whole) return { modelPath: whole, adapterPath: adapter, ...trained, warnings };
  await assertSameBase(options.model, record);
  return { modelPath: record.settings.modelPath, adapterPath: adapter ?? inside, ...trained, warnings };
}

/** The same with every adapter of a stack; how it is asked is the first one's. */
async function resolveStack(
  options: ChatOptions,
): Promise<Omit<ResolvedChat, 'adapterPath'> & { readonly adapters: readonly StackedAdapter[] }> {
  const stack: (StackedAdapter | null)[] = options.adapter ? parseStack(options.adapter) : [null];
  const all: ResolvedChat[] = [];
  for (const part of stack) all.push(await resolveChat(part === null ? options : { ...options, adapter: part.path }));
  const { adapterPath: _, ...first } = all[0]!;
  const adapters = all.flatMap(({ adapterPath }, i) => (adapterPath === null ? [] : [{ path: adapterPath, scale: stack[i]?.scale ?? 1 }])); // biome-ignore format: one line
  return { ...first, warnings: [...new Set(all.flatMap(({ warnings }) => warnings))], adapters };
}

/** llama.cpp's own limit. */
const mostSequences = 256;

/**
 * Opens a model, with its adapter where a run is given: to generate, to stream, to score. Close it when done, or hold it with
 * `await using`. Several can be open at once; those on one base share its weights.
 */
export async function openModel(options: ChatOptions): Promise<Model> {
  const { model, sequences, signal, threads } = options ?? {};
  if (typeof model !== 'string')
    throw new NomoatError({
      code: 'model-not-found',
      part: 'model',
      fault: 'was not given',
      remedy: "Give a model's name or file, or a run's folder.",
    });
  for (const [
    part,
    count,
    most,
  ] of [['threads', threads, Number.MAX_SAFE_INTEGER], ['sequences', sequences, mostSequences]] as const) // biome-ignore format: pairs
    if (count !== undefined && !(Number.isSafeInteger(count) && count > 0 && count <= most))
      throw new NomoatError({
        code: 'invalid-settings',
        part,
        fault: `${count} is no whole number from 1${part === 'sequences' ? ` to ${most}` : ''}`,
        remedy: 'Give one.',
      });
  // Engines are loaded where they are needed: a program that trains in a process of its own does not wait for them.
  const { openChatModel } = await import('./llama/chat-engine.ts');
  try {
    signal?.throwIfAborted();
    const { warnings, ...resolved } = await resolveStack(options);
    return await openChatModel({
      ...resolved,
      notes: warnings,
      threads: threads ?? physicalCores(),
      contextSize: options.contextSize,
      sequences,
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new NomoatError({
      part: model,
      fault: 'was not opened: it was stopped',
      remedy: 'Open it again.',
      kind: 'interrupted',
      cause: error,
    });
  }
}

/** The same as `openModel`, by its name in 0.1. */
export const chat = openModel;
