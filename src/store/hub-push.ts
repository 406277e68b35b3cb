/**
 * Files to a repository of the hub, as one commit. Promises: what is there by its digest is not sent again, so that a push that was cut off
 * goes on; nobody sees a part of it; a commit of somebody else in between is noticed. The protocol is @huggingface/hub's, the requests ours.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { commit, createBranch } from '@huggingface/hub';
import { NomoatError } from '../errors.ts';
import { hasDigest } from './content-digest.ts';
import { type HubClient, hubError, reasonOf } from './hub-fetch.ts';
import { readHubRepo } from './hub-repo.ts';
import type { OnPullProgress } from './pull-progress.ts';
import type { SharedFolder } from './shared-folder.ts';

/** A file to be pushed. */
export interface PushFile {
  /** In the repository, with slashes. */
  readonly path: string;
  /** Absolute path here. */
  readonly source: string;
  readonly bytes: number;
}

export interface HubPush {
  readonly repo: string;
  readonly revision: string;
  readonly files: readonly PushFile[];
  /** Of a repository that is made for it. */
  readonly isPrivate: boolean;
  readonly title: string;
  readonly onProgress?: OnPullProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly retryDelayMs?: number | undefined;
}

export interface HubPushed {
  readonly url: string;
  readonly revision: string;
  /** Paths of what is new or changed; none where all of it was there. */
  readonly sent: readonly string[];
  /** Files of the repository that are none of those pushed. */
  readonly others: readonly string[];
}

/** Attempts at what may be asked twice. */
const attempts = 4;
const defaultRetryDelayMs = 1000;
const transient: ReadonlySet<unknown> = new Set(['offline', 'server', 'rate-limited']);

/** What is asked twice makes two of it, or is refused the second time. */
const onceOnly = /\/api\/(repos\/create$|models\/[^/]+\/[^/]+\/commit\/)/;

/** A fetch that tries again where the connection broke or the server failed. */
function retrying(
  { fetch: plain }: HubClient,
  { onProgress, retryDelayMs = defaultRetryDelayMs, signal }: HubPush,
): typeof fetch {
  return async (input, init) => {
    const path = new URL(input instanceof Request ? input.url : input).pathname;
    for (let attempt = 1; ; attempt++) {
      try {
        return await plain(input, init);
      } catch (error) {
        const isTransient = error instanceof NomoatError && transient.has(error.fields['problem']);
        if (!isTransient || onceOnly.test(path) || attempt === attempts || signal?.aborted) throw error;
        const delay = retryDelayMs * 2 ** (attempt - 1);
        onProgress?.({
          phase: 'upload',
          message: `${error.part}: ${error.fault}; trying again in ${delay} ms`,
          receivedBytes: 0,
          totalBytes: null,
        });
        await sleep(delay, undefined, { ...(signal ? { signal } : {}) });
      }
    }
  };
}

const problemOf = (error: unknown): unknown => (error instanceof NomoatError ? error.fields['problem'] : null);

/** The repository as it is; made where there is none, with its branch. */
async function openRepo(client: HubClient, { isPrivate, repo, revision }: HubPush): Promise<SharedFolder> {
  const [organization, name] = repo.split('/');
  try {
    return await readHubRepo(client, repo, revision);
  } catch (error) {
    if (problemOf(error) !== 'not-found' && problemOf(error) !== 'unauthorised') throw error;
  }
  try {
    await client.get(`${client.endpoint}/api/repos/create`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'model', organization, name, private: isPrivate }),
      subject: repo,
    });
  } catch (error) {
    // Without this branch it was not seen, or somebody was quicker.
    if (problemOf(error) !== 'conflict') throw error;
  }
  if (revision === 'main') return readHubRepo(client, repo, revision);
  try {
    await createBranch({ repo, branch: revision, hubUrl: client.endpoint, fetch: client.fetch });
  } catch (error) {
    if (problemOf(error) !== 'conflict') throw error;
  }
  return readHubRepo(client, repo, revision);
}

/** Files that are not there, or other ones. */
async function changedFiles(
  files: readonly PushFile[],
  there: SharedFolder,
  signal?: AbortSignal,
): Promise<PushFile[]> {
  const changed: PushFile[] = [];
  for (const file of files) {
    const known = there.files.find(({ path }) => path === file.path);
    const isSame = known?.bytes === file.bytes && (await hasDigest(file.source, known.digest, signal));
    if (!isSame) changed.push(file);
  }
  return changed;
}

/** Weights of an earlier push that would be taken for a part of this one. */
const oldWeights =
  /^(adapter_model[^/]*\.safetensors|adapter_model\.safetensors\.index\.json|adapters\.safetensors|adapter_model\.bin)$/;

async function commitFiles(
  client: HubClient,
  push: HubPush,
  there: SharedFolder,
  changed: readonly PushFile[],
): Promise<void> {
  const { onProgress, repo, revision, signal, title } = push;
  const stale = there.files.filter(
    ({ path }) => oldWeights.test(path) && !push.files.some((file) => file.path === path),
  );
  const total = changed.reduce((sum, { bytes }) => sum + bytes, 0);
  onProgress?.({ phase: 'upload', message: null, receivedBytes: 0, totalBytes: total });
  await commit({
    repo,
    title,
    branch: revision,
    parentCommit: there.revision,
    hubUrl: client.endpoint,
    fetch: retrying(client, push),
    // Its uploads in parts of content are the hub's alone; what every server of the protocol takes is tested here.
    useXet: false,
    operations: [
      ...changed.map(({ path, source }) => ({
        operation: 'addOrUpdate' as const,
        path,
        content: pathToFileURL(source),
      })),
      ...stale.map(({ path }) => ({ operation: 'delete' as const, path })),
    ],
    ...(signal ? { abortSignal: signal } : {}),
  });
}

/** What a failure is to whoever pushes. */
function pushFailure(error: unknown, { repo, signal }: HubPush): NomoatError {
  if (signal?.aborted)
    return new NomoatError({
      code: 'interrupted',
      part: repo,
      fault: 'the push was stopped, and nothing of it is visible',
      remedy: 'Push again: what was sent is not sent again.',
      cause: error,
    });
  if (error instanceof NomoatError && error.code !== 'download-failed') return error;
  const known = error instanceof NomoatError ? error : null;
  return hubError((known?.fields['problem'] as 'offline' | undefined) ?? 'protocol', {
    code: 'upload-failed',
    part: known?.part ?? repo,
    fault: `${known?.fault ?? `the answer is not one of the hub's (${reasonOf(error)})`}, and nothing of the push is visible`,
    remedy:
      known && !transient.has(known.fields['problem']) ? known.remedy : 'Push again: what was sent is not sent again.',
    fields: { ...known?.fields },
  });
}

/** Pushes and resolves to what is there now. Throws NomoatError, of kind `interrupted` where `signal` is aborted. */
export async function pushToHub(client: HubClient, push: HubPush): Promise<HubPushed> {
  const { files, repo, revision, signal } = push;
  const done = (there: SharedFolder, sent: readonly PushFile[]): HubPushed => ({
    url: `${client.endpoint}/${repo}${revision === 'main' ? '' : `/tree/${revision}`}`,
    revision: there.revision,
    sent: sent.map(({ path }) => path),
    others: there.files.flatMap(({ path }) =>
      path.startsWith('.git') || files.some((file) => file.path === path) ? [] : [path],
    ),
  });
  try {
    const there = await openRepo(client, push);
    const changed = await changedFiles(files, there, signal);
    if (changed.length === 0) return done(there, []);
    try {
      await commitFiles(client, push, there, changed);
    } catch (error) {
      // The answer may have been lost, and not the commit.
      if (!transient.has(problemOf(error)) || signal?.aborted) throw error;
      const now = await readHubRepo(client, repo, revision).catch(() => null);
      if (now === null || (await changedFiles(files, now, signal)).length > 0) throw error;
    }
    return done(await readHubRepo(client, repo, revision), changed);
  } catch (error) {
    throw pushFailure(error, push);
  }
}
