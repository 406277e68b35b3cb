/**
 * What is looked at: the adapter of a run, of one of its checkpoints, or one by itself, with the base that it was trained on. Promises: the
 * base is the one that the adapter names, or it is said that it is not.
 */

import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readAdapterBase } from '../adapter/adapter-base.ts';
import { readAdapter } from '../adapter/read-adapter.ts';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { type ResolvedChat, resolveChat } from '../library.ts';
import type { LoraAdapter } from '../lora/adapter.ts';
import { assertSameBase, baseWarning } from '../run/base-model.ts';
import { RunFolder, type RunRecord, runOfCheckpoint } from '../run/run-folder.ts';
import { runWarning } from '../run/run-result.ts';
import { adapterInside, isRun } from '../settings/load.ts';
import { trainsAdapter } from '../settings/methods.ts';
import { digestOf } from '../store/file-digest.ts';
import { findLocalModels, resolveModel } from '../store/local-models.ts';
import { assertGiven } from '../words/given.ts';
import { callWith } from '../words/program-words.ts';

/** An adapter on its base. Close the model. */
export interface InspectTarget {
  /** As it was given. */
  readonly name: string;
  /** The folder or file of the adapter. */
  readonly path: string;
  readonly adapter: LoraAdapter;
  readonly model: GgufFile;
  /** Of the run that made it, where that is known. */
  readonly record: RunRecord | null;
  readonly notes: readonly string[];
}

/** Where an adapter and its base lie. */
export interface FoundTarget {
  readonly path: string;
  readonly modelPath: string;
  readonly record: RunRecord | null;
  readonly notes: readonly string[];
}

/** A run's result; of a checkpoint, that checkpoint. */
async function ofRun(run: string, checkpoint: string | null): Promise<FoundTarget> {
  const folder = new RunFolder(run);
  const record = folder.read();
  if (!trainsAdapter(record.settings.method))
    throw new NomoatError({
      code: 'no-adapter',
      part: run,
      fault: 'trained every weight: it has no adapter to look into',
      remedy: 'Give a run that trained an adapter.',
    });
  if (checkpoint === null && !existsSync(folder.adapter))
    throw new NomoatError({
      code: 'run-unfinished',
      part: run,
      fault: `is a run without a result yet (${record.state})`,
      remedy: `Finish it first: ${callWith('resumeTune', run)}; or give one of its checkpoints.`,
    });
  await assertSameBase(run, record);
  const warning = checkpoint === null ? runWarning(run, record) : null;
  return {
    path: checkpoint ?? folder.adapter,
    modelPath: record.settings.modelPath,
    record,
    notes: warning === null ? [] : [warning],
  };
}

/** The model of this machine that the adapter at `path` names by its digest; null where there is none. */
async function namedBase(path: string): Promise<string | null> {
  const base = readAdapterBase(path);
  if (base === null) return null;
  for (const { bytes, path: model } of await findLocalModels())
    if (bytes === base.bytes && (await digestOf(model)) === base.sha256) return model;
  return null;
}

async function byItself(name: string, model: string | null): Promise<FoundTarget> {
  const path = adapterInside(resolve(name));
  if (!existsSync(path))
    throw new NomoatError({
      code: 'adapter-not-found',
      part: name,
      fault: 'there is no such run, file or folder',
      remedy: 'Give a run, a PEFT folder, a .safetensors file or a GGUF LoRA.',
    });
  const modelPath = model === null ? await namedBase(path) : (await resolveModel(model)).path;
  if (modelPath === null)
    throw new NomoatError({
      code: 'base-not-found',
      part: name,
      fault: 'does not say which model of this machine it was trained on',
      remedy: 'Give the base as `model`.',
    });
  const warning = await baseWarning(path, modelPath);
  const inside = dirname(path);
  const run = isRun(dirname(inside)) ? new RunFolder(dirname(inside)).read() : null;
  return { path, modelPath, record: run, notes: warning === null ? [] : [warning] };
}

/** Finds it; `model` is the base of an adapter that is no run's. Rejects with NomoatError. */
export async function findTarget(name: string, model: string | null = null): Promise<FoundTarget> {
  assertGiven('the adapter', name);
  const run = isRun(name) ? name : runOfCheckpoint(name);
  return run === null ? byItself(name, model) : ofRun(run, run === name ? null : resolve(name));
}

/** How the adapter's model is asked: as its run was trained, where it is a run's. */
export async function asChat(name: string, { modelPath }: FoundTarget): Promise<ResolvedChat> {
  const ofARun = isRun(name) || runOfCheckpoint(name) !== null;
  return resolveChat(ofARun ? { model: name } : { model: modelPath, adapter: name });
}

/** Opens it, as `findTarget` finds it. Rejects with NomoatError. */
export async function openTarget(name: string, model: string | null = null): Promise<InspectTarget> {
  const found = await findTarget(name, model);
  const base = openGguf(found.modelPath);
  const notes = [...found.notes];
  try {
    const adapter = readAdapter(found.path, base, { note: (text) => notes.push(text) });
    return { name, path: found.path, adapter, model: base, record: found.record, notes };
  } catch (error) {
    base.close();
    throw error;
  }
}
