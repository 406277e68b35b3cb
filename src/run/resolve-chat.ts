/**
 * What a name stands for that somebody chats with, evaluates or serves: a model's file, its adapters with their scales, and how they were
 * trained to be asked.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type LoadedAdapter, withFrozen } from '../adapter/frozen-stack.ts';
import { NomoatError } from '../errors.ts';
import { resolveChatTemplate, templateBeside } from '../settings/chat-template.ts';
import { adapterInside, isRun } from '../settings/load.ts';
import { trainsAdapter } from '../settings/methods.ts';
import { resolveModel } from '../store/local-models.ts';
import { parseModelStack, parseStack, type StackedAdapter } from '../store/stack.ts';
import type { SpecialTokens } from '../tokens/encode-text.ts';
import { assertGiven } from '../words/given.ts';
import { assertSameBase, baseWarning } from './base-model.ts';
import { modelFileName, RunFolder, runOfCheckpoint } from './run-folder.ts';
import { assertHasAdapter, runWarning, unfinished } from './run-result.ts';

/** What a model is opened with. */
export interface ChatOptions {
  /**
   * A model's name or file, a run's folder, or one of its checkpoints (`runs/x/checkpoints/000088`); or one of these with further adapters
   * and scales, as `runs/a@0.7+b`.
   */
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
  /** All that are added to it, what they were trained on top of among them; none for a model by itself. */
  readonly adapters: readonly LoadedAdapter[];
  /** That the training conversations of a run shared; null for an adapter that is no run. */
  readonly systemPrompt: string | null;
  /** The text of the template that was trained with, where it is not the model's own. */
  readonly chatTemplate: string | null;
  /** What control tokens that are spelled in messages become, as in training. */
  readonly specialTokens: SpecialTokens;
  /** What a person should know before they read an answer, in sentences. */
  readonly warnings: readonly string[];
}

/** The same with one adapter at most. */
type ResolvedOne = Omit<ResolvedChat, 'adapters'> & { readonly adapterPath: string | null };

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
async function resolveCheckpoint({ adapter, model }: ChatOptions, run: string): Promise<ResolvedOne> {
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

/** What a run's folder, one of its checkpoints, or a model's name stands for, with one adapter. */
async function resolveOne(options: ChatOptions): Promise<ResolvedOne> {
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
  if (!existsSync(whole ?? inside)) throw unfinished(options.model, record);
  await held(whole ?? record.settings.modelPath);
  if (adapter !== null && whole === null)
    warnings.push(`${options.model}: its own adapter is not used, since ${options.adapter} was given in its place.`);
  if (whole) return { modelPath: whole, adapterPath: adapter, ...trained, warnings };
  await assertSameBase(options.model, record);
  return { modelPath: record.settings.modelPath, adapterPath: adapter ?? inside, ...trained, warnings };
}

/** Throws NomoatError where a stack's first part has a scale, and no adapter that it could be of. */
function assertScaled(part: string, scale: number, adapterPath: string | null): void {
  if (adapterPath !== null || scale === 1) return;
  throw new NomoatError({
    code: 'invalid-settings',
    part,
    fault: `is a model without an adapter, and has a scale (${scale})`,
    remedy: 'Give the scale behind an adapter.',
  });
}

/** The parts of a stack, the first one with the model. */
async function resolveParts(options: ChatOptions): Promise<{ one: ResolvedOne; scale: number }[]> {
  const named = parseModelStack(options.model);
  // A model may have a name with a plus.
  const isName =
    named === null ||
    (await resolveModel(options.model).then(
      () => true,
      () => false,
    ));
  if (named === null || isName) {
    const stack: (StackedAdapter | null)[] = options.adapter ? parseStack(options.adapter) : [null];
    const parts: { one: ResolvedOne; scale: number }[] = [];
    for (const part of stack)
      parts.push({
        one: await resolveOne(part === null ? options : { ...options, adapter: part.path }),
        scale: part?.scale ?? 1,
      });
    return parts;
  }
  if (options.adapter)
    throw new NomoatError({
      code: 'invalid-settings',
      part: options.model,
      fault: 'names its adapters itself',
      remedy: 'Leave `adapter` out.',
    });
  const { adapter: _, ...others } = options;
  const first = await resolveOne({ ...others, model: named.first.path });
  assertScaled(named.first.path, named.first.scale, first.adapterPath);
  const parts = [{ one: first, scale: named.first.scale }];
  for (const { path, scale } of named.adapters)
    parts.push({ one: await resolveOne({ ...others, model: first.modelPath, adapter: path }), scale });
  return parts;
}

/** What a model's name, a run, one of its checkpoints, or a stack stands for; a stack is asked as its first adapter was trained to be. */
export async function resolveChat(options: ChatOptions): Promise<ResolvedChat> {
  assertGiven('the model', options.model);
  assertGiven('`adapter`', options.adapter);
  const parts = await resolveParts(options);
  const { one } = parts.find(({ one: { adapterPath } }) => adapterPath !== null) ?? parts[0]!;
  const { adapterPath: _, ...asked } = one;
  const adapters = parts.flatMap(({ one: { adapterPath }, scale }) =>
    adapterPath === null ? [] : [{ path: adapterPath, scale }],
  );
  return {
    ...asked,
    adapters: await withFrozen(adapters),
    warnings: [...new Set(parts.flatMap(({ one: { warnings } }) => warnings))],
  };
}
