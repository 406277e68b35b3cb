/**
 * What a repository of the hub holds at a revision: its files with sizes and digests, and what its card states. Promises: names, digests
 * and the commit are safe as file names; an answer that is not the hub's is a clear error. Downloads nothing.
 */
import { listFiles, modelInfo } from '@huggingface/hub';
import { assertCacheNames } from './hub-cache.ts';
import { type HubClient, hubError } from './hub-fetch.ts';
import { asHubAnswer, licenseOf, maxListedFiles, subjectFetch } from './hub-listing.ts';
import type { SharedFile, SharedFolder } from './shared-folder.ts';

interface CardData {
  readonly base_model?: unknown;
}

/** The base that the card names; of several, as merges have, the first. */
function baseModelOf(card: unknown): string | null {
  const { base_model: named } = (card as CardData | undefined) ?? {};
  const first: unknown = Array.isArray(named) ? named[0] : named;
  return typeof first === 'string' && first !== '' ? first : null;
}

/** The repository at `revision`: a branch, a tag or a commit. Throws NomoatError. */
export async function readHubRepo(client: HubClient, repo: string, revision: string): Promise<SharedFolder> {
  const shared = { hubUrl: client.endpoint, fetch: subjectFetch(client, repo) };
  const info = await asHubAnswer(repo, () =>
    modelInfo({ name: repo, revision, additionalFields: ['sha', 'tags', 'cardData'], ...shared }),
  );
  const commit = String(info.sha);
  const files = await asHubAnswer(repo, async () => {
    const found: SharedFile[] = [];
    for await (const { lfs, oid, path, size, type } of listFiles({
      repo,
      recursive: true,
      revision: commit,
      ...shared,
    })) {
      if (type !== 'file') continue;
      const digest = lfs
        ? { kind: 'sha256' as const, hex: lfs.oid }
        : { kind: 'git-sha1' as const, hex: oid ?? 'none' };
      if (found.push({ path, bytes: lfs?.size ?? size, digest }) > maxListedFiles)
        throw new Error(`more than ${maxListedFiles} files`);
    }
    return found;
  });
  for (const { bytes, digest, path } of files) {
    assertCacheNames(repo, commit, digest.hex, path);
    if (!Number.isSafeInteger(bytes) || bytes < 0)
      throw hubError('protocol', { part: repo, fault: `states ${bytes} bytes for ${path}`, remedy: 'Try again.' });
  }
  const encoded = (path: string): string => path.split('/').map(encodeURIComponent).join('/');
  return {
    name: repo,
    revision: commit,
    files,
    urlOf: (path) => `${client.endpoint}/${repo}/resolve/${commit}/${encoded(path)}`,
    license: licenseOf(info),
    baseModel: baseModelOf(info.cardData),
  };
}
