/**
 * The library: the same runs and chats as the CLI's, from code.
 */

import type { Model } from './chat/chat-model.ts';
import { NomoatError } from './errors.ts';
import { physicalCores } from './machine/machine.ts';
import type { Confirm } from './plan/proposal.ts';
import { type ChatOptions, resolveChat } from './run/resolve-chat.ts';
import { followRun, type Run } from './run/run.ts';
import { resumeRun, startRun } from './run/start-run.ts';
import { resolvePretrainSettings, resolveSettings } from './settings/load.ts';
import type { PretrainOptionValues, TuneOptionValues } from './settings/option-types.ts';

export { type ChatOptions, type ResolvedChat, resolveChat } from './run/resolve-chat.ts';

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
    const { warnings, ...resolved } = await resolveChat(options);
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
