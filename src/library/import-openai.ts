/**
 * Files of OpenAI's fine-tuning and evals (and of those who took its forms over) as they are here. Promises: every
 * JSONL, JSON, CSV and YAML file below the paths is told of, and every file that is given itself; data sets are held
 * against the rules that jobs of the server have; nothing is trained, written or fetched.
 */
import { type Dirent, readdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { type ImportContext, importFile, isImported } from '../migrate/import-file.ts';
import type { Imported } from '../migrate/imported.ts';
import { readModelConfig } from '../models/config.ts';
import { statOf } from '../records/byte-source.ts';
import { defaultModel } from '../settings/options.ts';
import { resolveModel } from '../store/local-models.ts';
import { assertGiven } from '../words/given.ts';
import { checkTuningFile } from './tuning-file.ts';

/** How files are brought over. */
export interface ImportOptions {
  /**
   * The model that is tuned here: data is held against its chat template, and jobs become calls of `tune` on it
   * (default: the packaged one, for jobs alone).
   */
  readonly model?: string;
  /** Stops the reading: then it rejects with NomoatError (interrupted). */
  readonly signal?: AbortSignal;
}

/** Files below a folder: more is no export of a platform, but a disk. */
const mostFiles = 10_000;

/** Files below `path`, in the order of their names; what is hidden is of other programs. */
function filesBelow(path: string, found: string[]): void {
  const entries: Dirent[] = readdirSync(path, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name))) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const inner = join(path, entry.name);
    if (entry.isDirectory()) filesBelow(inner, found);
    else if (isImported(entry.name)) found.push(inner);
    if (found.length > mostFiles)
      throw new NomoatError({
        part: path,
        fault: `holds more than ${mostFiles} files`,
        remedy: 'Give the folder of one export.',
      });
  }
}

function filesOf(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    assertGiven('a path', path);
    const stat = statOf(path);
    if (!stat)
      throw new NomoatError({ code: 'data-not-found', part: path, fault: 'does not exist', remedy: 'Check the path.' });
    if (!stat.isDirectory()) return [path];
    const found: string[] = [];
    filesBelow(path, found);
    return found;
  });
}

/** The file of an id: named for it, as people save what they fetch. */
const fileOf =
  (files: readonly string[]) =>
  (id: string): string | null =>
    files.find((path) => basename(path, extname(path)) === id) ??
    files.find((path) => basename(path).includes(id)) ??
    null;

/**
 * What the files at `paths` are, and below folders: data sets, jobs, result files, evals. Rejects with NomoatError
 * where a path does not exist, a model is not found, or it was told to stop; what is wrong with a file is in the
 * result.
 */
export async function importOpenAI(
  paths: string | readonly string[],
  options: ImportOptions = {},
): Promise<Imported[]> {
  const files = filesOf([paths].flat());
  const { model = defaultModel, signal } = options;
  const { path: modelPath } = await resolveModel(model);
  const file = openGguf(modelPath);
  try {
    const { architecture, modelWidth } = readModelConfig(file);
    const signalled = signal ? { signal } : {};
    const context: ImportContext = {
      target: { model, rates: { architecture, modelWidth, method: 'lora' }, fileOf: fileOf(files) },
      check: (path) => checkTuningFile(path, { ...signalled, ...(options.model === undefined ? {} : { model }) }),
    };
    const found: Imported[] = [];
    for (const path of files) found.push(...(await importFile(path, context)));
    return found;
  } finally {
    file.close();
  }
}
