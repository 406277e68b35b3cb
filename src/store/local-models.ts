/**
 * The model that a name or path means, among those on this machine.
 * Promises: a path to a file always wins over a name; a name that means two different files is an error, not a guess;
 * what is only in the catalogue says how to fetch it, what is nowhere names the nearest. Fetches nothing itself.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { NomoatError } from '../errors.ts';
import { convertRemedy } from '../formats/foreign-model.ts';
import { standsForModel } from '../formats/gguf/part-names.ts';
import { assertGiven } from '../words/given.ts';
import { nearestNames } from '../words/nearest-name.ts';
import { callWith } from '../words/program-words.ts';
import { type CatalogueEntry, findInCatalogue, isModelGguf, modelCatalogue } from './catalogue.ts';
import { ggufStem, type LocalModel, type ModelSource, scanLocalModels, statOrNull } from './local-scan.ts';
import { type Surroundings, surroundings } from './model-folders.ts';
import { frozenStackName, isAdapterGguf } from './shared-folder.ts';

export type { LocalModel, ModelSource } from './local-scan.ts';

/** Every whole GGUF model in the known folders, sorted by name; one file is listed once. */
export async function findLocalModels(around: Surroundings = surroundings()): Promise<LocalModel[]> {
  return scanLocalModels(around).models;
}

/**
 * The model that a user's words mean: an existing file; a folder with one GGUF; a catalogue name; an Ollama tag, a
 * file's name with or without `.gguf`, or `org/name`, of a model on this machine.
 * Throws a NomoatError: what is only in the catalogue names `pullModel()`, what is nowhere names the nearest.
 */
export async function resolveModel(
  nameOrPath: string,
  around: Surroundings = surroundings(),
): Promise<{ path: string; name: string }> {
  assertGiven('the model', nameOrPath);
  const path = resolve(nameOrPath.replace(/^~(?=[/\\])/, around.home));
  const stats = statOrNull(path);
  if (stats?.isFile()) return { path, name: ggufStem(path) };
  const { models } = scanLocalModels(around);
  const entry = findInCatalogue(nameOrPath);
  const matching = models.filter((model) => namesOf(model).has(nameOrPath.toLowerCase()));
  const found = oneOf(nameOrPath, matching);
  if (found !== null) return { path: found.path, name: entry?.name ?? found.name };
  if (stats?.isDirectory()) return onlyModelIn(path);
  if (entry !== null) throw onlyInCatalogue(entry);
  throw notFound(nameOrPath, path, models);
}

/** The names, in lower case, under which a model may be asked for. */
function namesOf({ name, path, repo, source }: LocalModel): Set<string> {
  const names = [name];
  if (source === 'ollama') names.push(...(name.endsWith(':latest') ? [name.slice(0, -':latest'.length)] : []));
  else names.push(basename(path), ggufStem(path));
  if (repo !== null) names.push(repo);
  return new Set(names.map((each) => each.toLowerCase()));
}

/** The order in which equal names win: the package's own, then what was pulled for nomoat. */
const sourceOrder: readonly ModelSource[] = ['packaged', 'hugging-face', 'nomoat', 'lm-studio', 'ollama'];

/** The one that is meant; the same file in several programs' folders is one model. null when there is none. */
function oneOf(name: string, models: readonly LocalModel[]): LocalModel | null {
  const [first, ...others] = [...models].sort(
    (left, right) => sourceOrder.indexOf(left.source) - sourceOrder.indexOf(right.source),
  );
  if (first === undefined) return null;
  const isAmbiguous = others.some((other) => other.source === first.source && other.bytes !== first.bytes);
  if (!isAmbiguous) return first;
  throw new NomoatError({
    code: 'ambiguous-model',
    part: `model ${name}`,
    fault: `means ${models.length} different files on this machine`,
    remedy: `Give the path of one: ${models.map((model) => model.path).join(', ')}.`,
    fields: { paths: models.map((model) => model.path) },
  });
}

/** Names of the models' files in a folder, of divided ones that of the first part. */
const modelsIn = (folder: string): string[] =>
  readdirSync(folder).filter((name) => isModelGguf(name) && standsForModel(join(folder, name)));

function onlyModelIn(folder: string): { path: string; name: string } {
  let files: string[] = [];
  try {
    files = modelsIn(folder).sort();
  } catch (error) {
    throw new NomoatError({ part: folder, fault: `cannot be read (${String(error)})`, remedy: 'Give a GGUF file.' });
  }
  const isAdapter = statOrNull(join(folder, 'adapter_config.json')) !== null;
  // A bundle has its adapter as a GGUF as well.
  if (isAdapter) files = files.filter((name) => name !== frozenStackName && !isAdapterGguf(name));
  const [only] = files;
  if (only !== undefined && files.length === 1) return { path: join(folder, only), name: ggufStem(only) };
  if (files.length === 0 && isAdapter)
    throw new NomoatError({
      part: folder,
      fault: 'holds an adapter, no model',
      remedy: 'Give it with `adapter` (to train on, `initialAdapter`), and its base as the model.',
    });
  if (files.length === 0 && readdirSync(folder).some((name) => /\.(safetensors|bin|pth?)$/i.test(name)))
    throw new NomoatError({
      part: folder,
      fault: 'holds weights in other formats, and no GGUF file',
      remedy: convertRemedy,
    });
  throw new NomoatError({
    code: files.length === 0 ? 'model-not-found' : 'ambiguous-model',
    part: folder,
    fault: files.length === 0 ? 'is a folder without a GGUF file' : `is a folder with ${files.length} GGUF files`,
    remedy:
      files.length === 0
        ? 'Give the path of a GGUF file.'
        : `Give one of them: ${files.map((file) => join(folder, file)).join(', ')}.`,
    fields: { files },
  });
}

function onlyInCatalogue(entry: CatalogueEntry): NomoatError {
  return new NomoatError({
    code: 'model-not-pulled',
    part: `model ${entry.name}`,
    fault: `is not on this machine yet (about ${Math.round(entry.bytes / 1e6)} MB, ${entry.license})`,
    remedy: `Fetch it: ${callWith('pullModel', entry.name)}`,
    fields: { name: entry.name },
  });
}

/** Names that are offered for one that is not known. */
const shownNames = 3;

function notFound(nameOrPath: string, path: string, models: readonly LocalModel[]): NomoatError {
  const looksLikePath = /[/\\]|\.gguf$/i.test(nameOrPath);
  // Given as it would have to be given.
  const beside = nearestNames(basename(path), ggufsBeside(path)).map((name) => join(dirname(nameOrPath), name));
  const known = [...models.map((model) => model.name), ...modelCatalogue.map((entry) => entry.name)];
  const nearest = [...beside, ...nearestNames(nameOrPath, known)].slice(0, shownNames);
  const link = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink();
  return new NomoatError({
    code: 'model-not-found',
    part: `model ${nameOrPath}`,
    fault: looksLikePath
      ? link
        ? `${path} is a link to a file that is not there`
        : `there is no file ${path}, nor a model of that name on this machine`
      : 'is neither a file, nor on this machine, nor in the catalogue',
    remedy:
      nearest.length > 0
        ? `Did you mean ${nearest.join(' or ')}?`
        : 'See `listModels()`, or give the path of a GGUF file.',
    fields: { path, nearest },
  });
}

function ggufsBeside(path: string): string[] {
  try {
    const folder = dirname(path);
    return modelsIn(folder).filter((name) => statOrNull(join(folder, name))?.isFile());
  } catch {
    return [];
  }
}
