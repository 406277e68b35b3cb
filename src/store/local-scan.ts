/**
 * Finds the models that are already on this machine.
 * Promises: looks into the Hugging Face cache, LM Studio's, Ollama's and nomoat's folders without changing anything;
 * survives links that go in circles, folders that may not be read and broken manifests (each is reported, none ends
 * the search); one file is listed once. Does not know what is inside a GGUF beyond its magic.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { missingParts, parsePartName, partPaths, standsForModel } from '../formats/gguf/part-names.ts';
import { chooseGguf, findInCatalogue, isModelGguf, modelCatalogue } from './catalogue.ts';
import { cachedCommit } from './hub-cache.ts';
import {
  hubCacheFolder,
  lmStudioFolders,
  nomoatModelsFolder,
  ollamaFolders,
  type Surroundings,
  surroundings,
} from './model-folders.ts';

/** Whose cache a model lies in. */
export type ModelSource = 'hugging-face' | 'lm-studio' | 'ollama' | 'nomoat' | 'packaged';

/** A model on this machine. */
export interface LocalModel {
  /** What `model` takes: a catalogue name where it is one, Ollama's tag, else the file's name without `.gguf`. */
  readonly name: string;
  /** Absolute path of the GGUF. */
  readonly path: string;
  /** Of all its files together. */
  readonly bytes: number;
  /** Whose cache it lies in. */
  readonly source: ModelSource;
  /** The hub repository `org/name` where the folders say so, else null. */
  readonly repo: string | null;
}

export interface LocalScan {
  readonly models: LocalModel[];
  /** What could not be read, for `nomoat doctor`. */
  readonly problems: { readonly path: string; readonly fault: string }[];
}

/** LM Studio nests two folders, the hub's cache four and whatever folders a repository has. */
const maxDepth = 8;
/** Of all folders together; a home folder mounted under a models folder must not be searched for minutes. */
const maxEntries = 50_000;
/** A manifest is about one kilobyte. */
const maxManifestBytes = 2 ** 20;

const ollamaModelLayer = 'application/vnd.ollama.image.model';
const ollamaRegistry = 'registry.ollama.ai';
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** Every GGUF model in the known folders, sorted by name, and what could not be read; a divided model is one. */
export function scanLocalModels(around: Surroundings = surroundings()): LocalScan {
  const scan = new Scan();
  scan.addHubCache(hubCacheFolder(around));
  const { packagedModels } = around;
  if (packagedModels !== undefined)
    for (const path of scan.ggufsBelow(packagedModels)) scan.add(ggufStem(path), path, 'packaged', null);
  const own = nomoatModelsFolder(around);
  for (const path of scan.ggufsBelow(own)) {
    const folder = relative(own, path).split(sep)[0]!;
    scan.add(findInCatalogue(folder)?.name ?? ggufStem(path), path, 'nomoat', null);
  }
  for (const folder of lmStudioFolders(around)) {
    for (const path of scan.ggufsBelow(folder)) {
      const [publisher, repo, ...rest] = relative(folder, path).split(sep);
      scan.add(ggufStem(path), path, 'lm-studio', rest.length > 0 ? `${publisher}/${repo}` : null);
    }
  }
  for (const folder of ollamaFolders(around)) scan.addOllama(folder);
  scan.models.sort((left, right) => left.name.localeCompare(right.name) || left.path.localeCompare(right.path));
  return scan;
}

class Scan implements LocalScan {
  readonly models: LocalModel[] = [];
  readonly problems: { path: string; fault: string }[] = [];
  private readonly seenFiles = new Set<string>();
  private entries = 0;

  add(name: string, path: string, source: ModelSource, repo: string | null): void {
    try {
      const real = realpathSync(path);
      if (this.seenFiles.has(real)) return;
      const size = partPaths(path).reduce((sum, part) => sum + statSync(part).size, 0);
      const missing = missingParts(path);
      this.seenFiles.add(real);
      if (missing.length > 0) this.report(path, `is a part of a model without ${basename(missing[0]!)}`);
      else if (beginsAsGguf(real)) this.models.push({ name, path, bytes: size, source, repo });
      else this.report(path, 'is not a GGUF file');
    } catch (error) {
      this.report(path, error);
    }
  }

  report(path: string, fault: unknown): void {
    this.problems.push({ path, fault: fault instanceof Error ? fault.message : String(fault) });
  }

  /** Paths of models below a folder, of divided ones that of the first part, links followed once each; nothing when the folder is not there. */
  ggufsBelow(root: string): string[] {
    return this.filesBelow(root).filter((path) => isModelGguf(path) && standsForModel(path));
  }

  private filesBelow(root: string): string[] {
    const found: string[] = [];
    const visited = new Set<string>();
    const visit = (folder: string, depth: number): void => {
      for (const entry of this.read(folder, visited)) {
        const path = join(folder, entry);
        const stats = this.statOf(path);
        if (stats?.isDirectory() && depth < maxDepth) visit(path, depth + 1);
        else if (stats?.isFile()) found.push(path);
      }
    };
    visit(root, 0);
    return found;
  }

  /** Names in a folder that was not visited yet, sorted. */
  private read(folder: string, visited: Set<string>): string[] {
    try {
      const real = realpathSync(folder);
      if (visited.has(real)) return [];
      visited.add(real);
      // A name with a dot first is a program's own: an unfinished pull, .locks, .DS_Store.
      const names = readdirSync(real)
        .filter((name) => !name.startsWith('.'))
        .sort();
      this.entries += names.length;
      if (this.entries <= maxEntries) return names;
      this.report(folder, `not searched: more than ${maxEntries} files`);
    } catch (error) {
      if (!isMissing(error)) this.report(folder, error);
    }
    return [];
  }

  private statOf(path: string): ReturnType<typeof statSync> | undefined {
    try {
      return statSync(path);
    } catch (error) {
      // A dangling link in the hub's cache is an interrupted download, which a pull mends.
      if (!isMissing(error)) this.report(path, error);
      return undefined;
    }
  }

  /** The hub's cache: of each file of a repository only the revision that `main` stood at last, where that has it. */
  addHubCache(cache: string): void {
    const files = this.ggufsBelow(cache).flatMap((path) => inHubCache(cache, path) ?? []);
    const current = new Set(files.filter((file) => file.isCurrent).map((file) => `${file.repo} ${file.file}`));
    for (const { repo, file, path, isCurrent } of files) {
      if (!isCurrent && current.has(`${repo} ${file}`)) continue;
      this.add(catalogueNameOf(repo, path) ?? ggufStem(path), path, 'hugging-face', repo);
    }
  }

  /** Ollama: manifests/<registry>/<user>/<model>/<tag> name the blob that is the GGUF. */
  addOllama(folder: string): void {
    const manifests = join(folder, 'manifests');
    for (const path of this.filesBelow(manifests)) {
      try {
        const digest = ollamaModelDigest(path);
        if (digest === null) continue; // an embedding of other parts, e.g. a safetensors model
        const blob = join(folder, 'blobs', digest.replace(':', '-'));
        if (statOrNull(blob) === null) this.report(path, `its model ${basename(blob)} is not there`);
        else this.add(ollamaTag(relative(manifests, path)), blob, 'ollama', null);
      } catch (error) {
        this.report(path, error);
      }
    }
  }
}

function ollamaModelDigest(manifestPath: string): string | null {
  const { size } = statSync(manifestPath);
  if (size > maxManifestBytes) throw new Error(`a manifest of ${size} bytes`);
  const manifest: unknown = JSON.parse(readFileSync(manifestPath, 'utf8'));
  const layers = (manifest as { layers?: unknown } | null)?.layers;
  if (!Array.isArray(layers)) throw new Error('a manifest without layers');
  const layer = layers.find((each: { mediaType?: unknown } | null) => each?.mediaType === ollamaModelLayer);
  if (layer === undefined) return null;
  const digest = (layer as { digest?: unknown }).digest;
  if (typeof digest !== 'string' || !digestPattern.test(digest)) throw new Error('a manifest with an unusable digest');
  return digest;
}

/** `llama3.2:1b` of registry.ollama.ai/library/llama3.2/1b, as `ollama list` shows it. */
function ollamaTag(manifest: string): string {
  const parts = manifest.split(sep);
  const tag = parts.pop()!;
  if (parts[0] === ollamaRegistry) parts.shift();
  if (parts[0] === 'library') parts.shift();
  return `${parts.join('/')}:${tag}`;
}

interface HubCacheFile {
  readonly repo: string;
  readonly file: string;
  readonly path: string;
  readonly isCurrent: boolean;
}

/** What a path models--org--name/snapshots/commit/file in the hub's cache says of itself; null for any other. */
function inHubCache(cache: string, path: string): HubCacheFile | null {
  const [folder = '', kind, commit, ...rest] = relative(cache, path).split(sep);
  const match = /^models--(.+?)--(.+)$/.exec(folder);
  if (match === null || kind !== 'snapshots' || rest.length === 0) return null;
  const isCurrent = cachedCommit(join(cache, folder)) === commit;
  return { repo: `${match[1]}/${match[2]}`, file: rest.join('/'), path, isCurrent };
}

/** The catalogue's name of a file in a hub repository, when it is the one that a pull would choose. */
function catalogueNameOf(repo: string, path: string): string | null {
  const entry = modelCatalogue.find((each) => each.repos.some((known) => known.toLowerCase() === repo.toLowerCase()));
  return entry !== undefined && chooseGguf([basename(path)], entry) !== null ? entry.name : null;
}

/** A file's name without `.gguf`, and without the number of a part. */
export function ggufStem(path: string): string {
  return basename(parsePartName(path)?.prefix ?? path).replace(/\.gguf$/i, '');
}

function beginsAsGguf(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(4);
    return readSync(file, magic, 0, 4, 0) === 4 && magic.toString('latin1') === 'GGUF';
  } finally {
    closeSync(file);
  }
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** What lies at a path, links followed, or null. */
export function statOrNull(path: string): ReturnType<typeof statSync> | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}
