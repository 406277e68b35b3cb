/**
 * A plain folder as a hub: its catalogue, one JSON file at its top that names every adapter below it with files and digests. Any web server
 * that serves the folder is one, too. Promises: what is read of it cannot lead out of the folder.
 */
import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { assertCacheNames } from './hub-cache.ts';
import { type HubClient, hubError } from './hub-fetch.ts';
import type { SharedFolder } from './shared-folder.ts';

export const indexName = 'nomoat-index.json';
export const indexVersion = 1;
/** Some thousand adapters of a dozen files. */
const maxIndexBytes = 16 << 20;
/** Folders between an adapter and the catalogue: organisation/name, and two more. */
const mostAbove = 4;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const indexedFile = z.object({ path: z.string().min(1), bytes: z.int().nonnegative(), sha256 });
const indexedBase = z.object({ file: z.string(), bytes: z.int().nonnegative(), sha256 });
const indexedAdapter = z.object({
  /** Its folder, below the catalogue's. */
  name: z.string().min(1),
  /** What the digests of its files come to: 40 hex digits. */
  revision: z.string().regex(/^[0-9a-f]{40}$/),
  license: z.string().nullable(),
  /** On the hub. */
  baseModel: z.string().nullable(),
  /** The base's file, where nomoat.json names it. */
  base: indexedBase.nullable(),
  files: z.array(indexedFile).min(1),
});
export const folderIndex = z.object({ nomoatIndex: z.literal(indexVersion), adapters: z.array(indexedAdapter) });

/** An adapter as a catalogue lists it. */
export type IndexedAdapter = z.infer<typeof indexedAdapter>;
export type FolderIndex = z.infer<typeof folderIndex>;

/** What files come to: another name, size or digest makes another revision. */
export function revisionOf(files: readonly IndexedAdapter['files'][number][]): string {
  const lines = files.map((file) => `${file.sha256} ${file.bytes} ${file.path}\n`).sort();
  return createHash('sha256').update(lines.join('')).digest('hex').slice(0, 40);
}

/** As paths are written; a name of the hub is none. */
const pathLike = /^(\.{1,2}([/\\]|$)|[/\\]|~[/\\]|[a-z]:[/\\])/i;
const hubSite = /^https?:\/\/(www\.)?(huggingface\.co|hf\.co)\//i;

/** The address of a shared folder, where the text is one: a path, `file:`, or `http(s):` of another site than the hub. */
export function folderAddress(text: string, { endpoint, home }: { endpoint: string; home: string }): URL | null {
  const expanded = text.replace(/^~(?=[/\\])/, home);
  if (pathLike.test(text)) return pathToFileURL(expanded);
  const isAddress = /^(file|https?):\/\//i.test(text) && !hubSite.test(text) && !text.startsWith(`${endpoint}/`);
  return isAddress && URL.canParse(text) ? new URL(text) : null;
}

/** `base` with a path behind it, whatever the names in it. */
const below = (base: URL, path: string): URL =>
  new URL(`${base.pathname.replace(/\/*$/, '')}/${path.split('/').map(encodeURIComponent).join('/')}`, base);

async function readIndex(client: HubClient, folder: URL): Promise<FolderIndex | null> {
  const url = below(folder, indexName);
  let text: string;
  try {
    const { response } = await client.get(url, { subject: url.href });
    text = await boundedText(response, url);
  } catch (error) {
    if (error instanceof NomoatError && error.fields.problem === 'not-found') return null;
    throw error;
  }
  const parsed = folderIndex.safeParse(asJson(text));
  // Web servers answer with a page for what is not there.
  if (parsed.success) return parsed.data;
  if (asJson(text) === null) return null;
  const [first] = parsed.error.issues;
  throw hubError('protocol', {
    part: url.href,
    fault: `is no catalogue of this version (${first!.path.join('.') || 'it'}: ${first!.message})`,
    remedy: 'Write it anew with `indexFolder()`, or update nomoat.',
  });
}

const asJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};

async function boundedText(response: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxIndexBytes)
      throw hubError('protocol', {
        part: url.href,
        fault: `is larger than ${maxIndexBytes} bytes`,
        remedy: 'Divide the folder.',
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The catalogue nearest above an address, and what of the address is below it. */
async function nearestIndex(client: HubClient, address: URL): Promise<{ index: FolderIndex; at: URL; name: string }> {
  const parts = address.pathname.split('/').filter(Boolean);
  for (let above = 0; above <= Math.min(mostAbove, parts.length); above++) {
    const at = new URL(`/${parts.slice(0, parts.length - above).join('/')}`, address);
    const index = await readIndex(client, at);
    if (index)
      return {
        index,
        at,
        name: parts
          .slice(parts.length - above)
          .map(decodeURIComponent)
          .join('/'),
      };
  }
  throw hubError('not-found', {
    part: address.href,
    fault: `there is no ${indexName} there nor in the ${mostAbove} folders above it`,
    remedy: 'Whoever shares the folder writes it: `indexFolder(folder)`.',
  });
}

/** The adapter at an address, as the catalogue above it lists it. Throws NomoatError. */
export async function findInIndex(client: HubClient, address: URL): Promise<SharedFolder> {
  const { at, index, name } = await nearestIndex(client, address);
  const [only, ...others] = index.adapters;
  const found = name === '' && others.length === 0 ? only : index.adapters.find((each) => each.name === name);
  if (!found)
    throw hubError('not-found', {
      part: address.href,
      fault: name === '' ? `lists ${index.adapters.length} adapters` : `is not in the catalogue at ${at.href}`,
      remedy:
        index.adapters.length > 0
          ? `It has ${index.adapters
              .slice(0, 12)
              .map((each) => each.name)
              .join(', ')}: add one to the address.`
          : 'It lists no adapter.',
      fields: { names: index.adapters.map((each) => each.name) },
    });
  for (const { path, sha256: digest } of found.files) assertCacheNames(found.name, found.revision, digest, path);
  assertCacheNames(found.name, found.revision, found.files[0]!.sha256, found.name);
  const folder = below(at, found.name);
  return {
    name: found.name,
    revision: found.revision,
    files: found.files.map(({ bytes, path, sha256: hex }) => ({ path, bytes, digest: { kind: 'sha256', hex } })),
    urlOf: (path) => below(folder, path).href,
    license: found.license,
    baseModel: found.baseModel,
  };
}
