/**
 * Where models lie on this machine: the Hugging Face cache, LM Studio's and Ollama's folders, nomoat's own cache.
 * Promises: the same environment variables and defaults as those programs, absolute paths, nothing created or read.
 * Does not know what lies in them (local-models.ts) nor how it got there (hub.ts, pypi-model.ts).
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { packageRoot } from './package-root.ts';

/** What decides the folders; tests pass their own. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** The models that the package itself brings; none where it is left out. */
  readonly packagedModels?: string;
}

/** `models/` of this package. */
const packagedModels = (): string | null => {
  const root = packageRoot();
  return root === null ? null : join(root, 'models');
};

/** This process's environment and home folder, and the package's models. */
export function surroundings(): Surroundings {
  const models = packagedModels();
  return { env: process.env, home: homedir(), ...(models === null ? {} : { packagedModels: models }) };
}

/** The value of the first variable that is set and not empty, `~` expanded and made absolute; else null. */
function folderFrom({ env, home }: Surroundings, ...names: readonly string[]): string | null {
  for (const name of names) {
    const value = env[name]?.trim();
    if (value) return resolve(value.replace(/^~(?=$|[/\\])/, home));
  }
  return null;
}

function userCache(around: Surroundings): string {
  return folderFrom(around, 'XDG_CACHE_HOME') ?? join(around.home, '.cache');
}

const hfHome = (around: Surroundings): string =>
  folderFrom(around, 'HF_HOME') ?? join(userCache(around), 'huggingface');

/** The hub's cache as huggingface_hub finds it: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub, ~/.cache/huggingface/hub. */
export const hubCacheFolder = (around: Surroundings): string =>
  folderFrom(around, 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE') ?? join(hfHome(around), 'hub');

/** The file that `hf auth login` keeps its token in. */
export const hubTokenFile = (around: Surroundings): string =>
  folderFrom(around, 'HF_TOKEN_PATH') ?? join(hfHome(around), 'token');

/** What nomoat keeps for itself: NOMOAT_HOME, else ~/.cache/nomoat. */
export function nomoatCacheFolder(around: Surroundings): string {
  return folderFrom(around, 'NOMOAT_HOME') ?? join(userCache(around), 'nomoat');
}

/** nomoat's own models: NOMOAT_HOME/models, else ~/.cache/nomoat/models. */
export const nomoatModelsFolder = (around: Surroundings): string => join(nomoatCacheFolder(around), 'models');

/** LM Studio's folders, of today and of its first versions. */
export function lmStudioFolders({ home }: Surroundings): string[] {
  return [join(home, '.lmstudio', 'models'), join(home, '.cache', 'lm-studio', 'models')];
}

/** Ollama's folder; the service on Linux keeps its own beside the user's. */
export function ollamaFolders(around: Surroundings): string[] {
  const chosen = folderFrom(around, 'OLLAMA_MODELS');
  if (chosen !== null) return [chosen];
  const folders = [join(around.home, '.ollama', 'models')];
  if (process.platform === 'linux') folders.push('/usr/share/ollama/.ollama/models');
  return folders;
}
