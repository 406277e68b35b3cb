/** Digests of files' contents, as the hub states them: sha256 of large ones, git's own of small ones. Nothing is remembered. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { interrupted } from './hub-fetch.ts';

/** What the source states of a file's contents. */
export interface StatedDigest {
  /** `git-sha1`: as git names a file that it keeps itself. */
  readonly kind: 'sha256' | 'git-sha1';
  /** Lower-case hex. */
  readonly hex: string;
}

/** Whether the file's contents are those that were stated. */
export const hasDigest = async (path: string, { hex, kind }: StatedDigest, signal?: AbortSignal): Promise<boolean> =>
  (await (kind === 'sha256' ? streamedSha256(path, signal) : gitOidOfFile(path, signal))) === hex;

/** sha256 of a file that may be large, read as a stream that `signal` ends; lower-case hex. For small ones at once: sha256OfFile of file-digest.ts. */
export const streamedSha256 = (path: string, signal?: AbortSignal): Promise<string> =>
  hashFile(createHash('sha256'), path, signal);

/** What git names the contents of a file by, lower-case hex. */
export async function gitOidOfFile(path: string, signal?: AbortSignal): Promise<string> {
  const header = `blob ${(await stat(path)).size}\0`;
  return hashFile(createHash('sha1').update(header), path, signal);
}

async function hashFile(hash: Hash, path: string, signal?: AbortSignal): Promise<string> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20, signal })) hash.update(chunk as Buffer);
  } catch (error) {
    if (signal?.aborted) throw interrupted(error);
    throw error;
  }
  return hash.digest('hex');
}
