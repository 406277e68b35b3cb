/** Which model is looked at whole, and what it was made from. Promises: a run's base is the one that it began with, or it is said that it is not. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { assertSameBase } from '../run/base-model.ts';
import { modelFileName, RunFolder, runOfCheckpoint } from '../run/run-folder.ts';
import { runWarning, unfinished } from '../run/run-result.ts';
import { isRun } from '../settings/load.ts';
import { trainsAdapter } from '../settings/methods.ts';
import { resolveModel } from '../store/local-models.ts';
import { callWith } from '../words/program-words.ts';

/** Where the model and its base lie. */
export interface ModelTarget {
  readonly path: string;
  /** Null where none is known. */
  readonly basePath: string | null;
  readonly notes: readonly string[];
}

const isGgufAdapter = (path: string): boolean => {
  const file = openGguf(path);
  try {
    return file.string('general.type') === 'adapter';
  } finally {
    file.close();
  }
};

/**
 * Whether `name` means a whole model: a run that trained every weight, a GGUF file that is no adapter, or, where nothing lies at it, the name
 * of a model of this machine. Throws NomoatError where a file cannot be read.
 */
export async function isWholeModel(name: string): Promise<boolean> {
  if (isRun(name)) return !trainsAdapter(new RunFolder(name).read().settings.method);
  if (runOfCheckpoint(name) !== null) return false;
  // `statSync` throws where a part of the path is no folder.
  const stat = existsSync(resolve(name)) ? statSync(resolve(name)) : null;
  if (stat?.isFile()) return name.toLowerCase().endsWith('.gguf') && !isGgufAdapter(resolve(name));
  if (stat) return false;
  return resolveModel(name).then(
    () => true,
    () => false,
  );
}

/** The result of a run that trained every weight, and the model that it began with. */
async function ofRun(name: string, base: string | null): Promise<ModelTarget> {
  const folder = new RunFolder(name);
  const record = folder.read();
  const path = join(folder.model, modelFileName);
  if (!existsSync(path)) throw unfinished(name, record);
  const warning = runWarning(name, record);
  const notes = warning === null ? [] : [warning];
  if (base !== null) return { path, basePath: (await resolveModel(base)).path, notes };
  await assertSameBase(name, record);
  return { path, basePath: record.settings.modelPath, notes };
}

/** Finds it; `base` is given, or a run's own. Rejects with NomoatError. */
export async function findModelTarget(name: string, base: string | null): Promise<ModelTarget> {
  if (isRun(name)) return ofRun(name, base);
  const { path } = await resolveModel(name);
  if (isGgufAdapter(path))
    throw new NomoatError({
      code: 'unusable-model',
      part: name,
      fault: 'is an adapter, not a model',
      remedy: `Look into it as one: ${callWith('inspectAdapter', name)}`,
    });
  return { path, basePath: base === null ? null : (await resolveModel(base)).path, notes: [] };
}
