/**
 * Brings a shared folder into a cache of the hub's layout. Promises: every file has the digest that was listed; all of them get their names
 * in one step, once the last is whole; what has arrived stays for the next call.
 */
import { NomoatError } from '../errors.ts';
import { hasDigest } from './content-digest.ts';
import { blobPath, leadsToFile, nameSnapshot } from './hub-cache.ts';
import { downloadChecked, megabytes } from './hub-download.ts';
import type { HubClient } from './hub-fetch.ts';
import type { OnPullProgress } from './pull-progress.ts';
import type { SharedFile, SharedFolder } from './shared-folder.ts';

export interface FetchOptions {
  readonly client: HubClient;
  /** The folder of blobs, refs and snapshots. */
  readonly folder: string;
  /** The ref that leads to it: a branch, a tag or a commit. */
  readonly revision: string;
  readonly onProgress?: OnPullProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly retryDelayMs?: number | undefined;
}

/** Fetches `files` of the shared folder; resolves to the folder that has them. Throws NomoatError. */
export async function fetchShared(
  shared: SharedFolder,
  files: readonly SharedFile[],
  options: FetchOptions,
): Promise<string> {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  for (const file of files) {
    await fetchOne(shared, file, options, (received, message) =>
      options.onProgress?.({ phase: 'download', message, receivedBytes: before + received, totalBytes: total }),
    );
    before += file.bytes;
  }
  if (options.signal?.aborted) throw stopped(shared);
  const named = files.map(({ digest, path }) => ({ path, digest: digest.hex }));
  return nameSnapshot(options.folder, shared.revision, named, options.revision);
}

const stopped = ({ name }: SharedFolder): NomoatError =>
  new NomoatError({
    code: 'interrupted',
    part: name,
    fault: 'the pull was stopped',
    remedy: 'Run the same command again: it goes on from what is already here.',
  });

async function fetchOne(
  shared: SharedFolder,
  { bytes, digest, path }: SharedFile,
  { client, folder, retryDelayMs, signal }: FetchOptions,
  tell: (received: number, message: string | null) => void,
): Promise<void> {
  const target = blobPath(folder, digest.hex);
  const subject = `${shared.name}/${path}`;
  // A blob has its name because its digest was right; somebody may have written to it since.
  if (leadsToFile(target) && (await hasDigest(target, digest, signal))) return tell(bytes, null);
  await downloadChecked(client, {
    url: shared.urlOf(path),
    target,
    bytes,
    digest,
    subject,
    signal,
    retryDelayMs,
    onBytes: (received) => tell(received, null),
    onNotice: (message) => tell(0, message),
    onVerify: () => tell(bytes, bytes > 1e6 ? `checking ${path}, ${megabytes(bytes)}` : null),
  });
}
