/**
 * Asks a hub repository what it holds, and picks the file that is wanted.
 * Promises: commit, digest and file name are safe as file names, the size is a number of bytes; whatever answers that is
 * not the hub (a sign-in page, a filter) is a clear error. Does not download and does not touch the disk.
 */
import { listFiles, modelInfo } from '@huggingface/hub';
import { NomoatError } from '../errors.ts';
import { callWith } from '../words/program-words.ts';
import { type CatalogueEntry, chooseGguf, isWholeGguf } from './catalogue.ts';
import { assertCacheNames } from './hub-cache.ts';
import { type HubClient, hubError } from './hub-fetch.ts';

/** What is wanted of the hub: a catalogue entry, or `org/name[:QUANTIZATION]` made into the same shape. */
export type Wanted = Pick<CatalogueEntry, 'name' | 'repos' | 'file' | 'quantization' | 'license' | 'pypi'>;

export interface HubFile {
  readonly repo: string;
  readonly commit: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly license: string;
}

/** A listing longer than this is not a model repository's. */
export const maxListedFiles = 10_000;
/** GGUFs named in an error. */
const maxNamed = 12;

/**
 * The wanted file as the repository's own listing has it, at the commit that `main` stands at now.
 * Throws a NomoatError: no such repository, no such GGUF (with those there are), an answer that is not the hub's.
 */
export async function findInRepo(
  client: HubClient,
  repo: string,
  wanted: Wanted,
  report: (message: string) => void,
): Promise<HubFile> {
  const shared = { hubUrl: client.endpoint, fetch: subjectFetch(client, repo) };
  const { commit, license } = await asHubAnswer(repo, async () => {
    const info = await modelInfo({ name: repo, additionalFields: ['sha', 'tags', 'cardData'], ...shared });
    return { commit: String(info.sha), license: licenseOf(info) ?? wanted.license };
  });
  const ggufs = await asHubAnswer(repo, async () => {
    const found = new Map<string, { bytes: number; sha256: string | undefined }>();
    let listed = 0;
    for await (const entry of listFiles({ repo, recursive: true, revision: commit, ...shared })) {
      if (++listed > maxListedFiles) throw new Error(`more than ${maxListedFiles} files`);
      if (entry.type === 'file' && isWholeGguf(entry.path)) {
        found.set(entry.path, { bytes: entry.lfs?.size ?? entry.size, sha256: entry.lfs?.oid });
      }
    }
    return found;
  });
  const path = chooseGguf([...ggufs.keys()], wanted);
  if (path === null) throw noSuchGguf(repo, wanted, [...ggufs.keys()]);
  const { file } = wanted;
  if (file !== '' && !path.toLowerCase().endsWith(file.toLowerCase())) {
    report(`${repo} has no ${file}; taking ${path}`);
  }
  const { bytes, sha256 } = ggufs.get(path)!;
  assertCacheNames(repo, commit, sha256 ?? 'none stated', path);
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    throw hubError('protocol', { part: repo, fault: `states ${bytes} bytes for ${path}`, remedy: 'Try again.' });
  return { repo, commit, path, bytes, sha256: sha256!, license };
}

/** The client's fetch with errors that name the repository instead of an API path. */
export function subjectFetch(client: HubClient, subject: string): typeof fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : input;
    return (await client.get(url, { headers: init?.headers, subject })).response;
  };
}

/** Runs a call of @huggingface/hub; an answer that it cannot read is the error of something that is not the hub. */
export async function asHubAnswer<T>(repo: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof NomoatError) throw error;
    const fault = `the answer is not one of the hub's (${error instanceof Error ? error.message : String(error)})`;
    throw hubError('protocol', {
      part: repo,
      fault,
      remedy: 'Check HF_ENDPOINT and whether a sign-in page or filter stands in the way.',
    });
  }
}

/** The license that the hub states, from the card or the tags. */
export function licenseOf(info: { tags?: unknown; cardData?: unknown }): string | null {
  const card = info.cardData as { license?: unknown; license_name?: unknown } | undefined;
  const stated = card?.license === 'other' ? (card.license_name ?? card.license) : card?.license;
  if (typeof stated === 'string' && stated !== '') return stated;
  const tags = Array.isArray(info.tags) ? info.tags : [];
  const tag = tags.find((word) => typeof word === 'string' && word.startsWith('license:'));
  return typeof tag === 'string' ? tag.slice('license:'.length) : null;
}

function noSuchGguf(repo: string, { file, quantization }: Wanted, ggufs: readonly string[]): NomoatError {
  const named =
    ggufs.slice(0, maxNamed).join(', ') + (ggufs.length > maxNamed ? `, and ${ggufs.length - maxNamed} more` : '');
  return new NomoatError({
    part: repo,
    fault: `has no ${file === '' ? `GGUF of ${quantization}` : `${file} and no other ${quantization}`}`,
    remedy:
      ggufs.length === 0
        ? 'It holds no GGUF that is a whole model; choose a repository whose name ends in -GGUF.'
        : `It has ${named}: take one with ${callWith('pullModel', `${repo}:QUANTIZATION`)}.`,
    fields: { problem: 'not-found', repo, ggufs },
  });
}
