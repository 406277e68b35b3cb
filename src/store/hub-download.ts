/**
 * One large file from the hub to one path: resumed where it stopped, checked before it gets its final name.
 * Promises: `target` exists only with the size and sha256 asked for; what has arrived stays in `target.incomplete`
 * when the connection, the disk or the user ends the download, and the next call goes on from there; only one process
 * at a time writes a file. Does not know repositories, only a URL that may be asked again.
 *
 * Why not @huggingface/hub's downloadFileToCacheDir (2.17): it starts `.incomplete` from nothing each time, never
 * compares a digest, files the snapshot under the last commit of the file instead of the repository's, writes no ref,
 * and prints on the console, where --json promises events and nothing else.
 */
import { type FileHandle, mkdir, open, rm, stat, statfs, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NomoatError } from '../errors.ts';
import { releaseLock, takeLock, unknownHolder } from '../formats/process-lock.ts';
import { renameWhenFree } from '../formats/rename.ts';
import { hasDigest, type StatedDigest } from './content-digest.ts';
import { heeding } from './heeding.ts';
import { type HubClient, hubError, interrupted, reasonOf } from './hub-fetch.ts';

export interface Download {
  readonly url: string;
  /** Final path. Its folder is made. */
  readonly target: string;
  readonly bytes: number;
  readonly digest: StatedDigest;
  /** How messages name the file. */
  readonly subject: string;
  readonly signal?: AbortSignal;
  /** Bytes here so far. */
  readonly onBytes?: (received: number) => void;
  readonly onNotice?: (message: string) => void;
  readonly onVerify?: () => void;
  /** Milliseconds before the first retry, doubled each time. */
  readonly retryDelayMs?: number;
  /** Milliseconds without a byte after which a connection counts as lost. */
  readonly idleMs?: number;
}

/** Attempts in a row that bring no byte; one that brought some starts the count again. */
const maxFruitlessAttempts = 5;
const defaultRetryDelayMs = 1000;
/** Laptops change networks: half a minute of silence is a lost connection, not a slow one. */
const defaultIdleMs = 30_000;
/** Room left on the disk for everything else. */
const diskMarginBytes = 64 * 2 ** 20;

const diskRemedy = 'Check the disk, or set HF_HOME to another one; the pull goes on from what is already here.';

const notWritten = (part: string, path: string, error: unknown): NomoatError =>
  hubError('disk', { part, fault: `cannot be written to ${dirname(path)} (${reasonOf(error)})`, remedy: diskRemedy });

/** Downloads, resumes and checks. Throws a NomoatError with `fields.problem`. */
export async function downloadChecked(client: HubClient, download: Download): Promise<void> {
  await mkdir(dirname(download.target), { recursive: true }).catch((error: unknown) => {
    throw notWritten(download.subject, download.target, error);
  });
  const unlock = lock(`${download.target}.lock`, download.subject);
  try {
    const partial = `${download.target}.incomplete`;
    const kept = await prepare(partial, download);
    const isWhole = async (): Promise<boolean> => {
      await fetchRest(client, download, partial);
      download.onVerify?.();
      return await hasDigest(partial, download.digest, download.signal);
    };
    let good = await isWhole();
    if (!good && kept > 0) {
      download.onNotice?.(`what was kept of ${download.subject} does not fit the rest; fetching it from the start`);
      await rm(partial, { force: true });
      good = await isWhole();
    }
    if (!good) {
      await rm(partial, { force: true });
      throw hubError('checksum', {
        part: download.subject,
        fault: `what arrived does not have the digest that the hub states (${download.digest.kind} ${download.digest.hex.slice(0, 12)}...); it was discarded`,
        remedy: 'Try again; if it stays so, a proxy or the mirror changes the file.',
      });
    }
    await publish(partial, download.target);
  } finally {
    unlock();
  }
}

/** Bytes of an earlier attempt that can be continued; checks the disk for the rest. */
async function prepare(partial: string, { bytes, subject }: Download): Promise<number> {
  let kept = await sizeOf(partial);
  if (kept > bytes) {
    await rm(partial);
    kept = 0;
  }
  // Nothing is asked for it.
  if (bytes === 0) await writeFile(partial, '');
  const disk = await statfs(dirname(partial));
  const free = disk.bavail * disk.bsize;
  const needed = bytes - kept;
  if (free < needed + diskMarginBytes) throw diskFull({ subject, folder: dirname(partial), space: { needed, free } });
  return kept;
}

async function fetchRest(client: HubClient, download: Download, partial: string): Promise<void> {
  let fruitless = 0;
  for (;;) {
    const before = await sizeOf(partial);
    download.onBytes?.(before);
    if (before === download.bytes) return;
    let failure: unknown = null;
    try {
      await fetchOnce(client, download, partial, before);
    } catch (error) {
      if (error instanceof NomoatError && error.fields.problem !== 'offline' && error.fields.problem !== 'server') {
        throw error;
      }
      failure = error;
    }
    const after = await sizeOf(partial);
    if (after === download.bytes) return;
    if (after > download.bytes) throw tooLong(download);
    fruitless = after > before ? 1 : fruitless + 1;
    if (fruitless >= maxFruitlessAttempts) throw lost(download, after, failure);
    const delay = (download.retryDelayMs ?? defaultRetryDelayMs) * 2 ** (fruitless - 1);
    download.onNotice?.(`connection lost at ${after} of ${download.bytes} bytes; going on in ${delay} ms`);
    await sleep(delay, undefined, { signal: download.signal }).catch((error) => {
      throw interrupted(error);
    });
  }
}

/** One request for the rest of the file, appended as it arrives. Returns at the end of the answer, whole or not. */
async function fetchOnce(client: HubClient, download: Download, partial: string, from: number): Promise<void> {
  const idle = new AbortController();
  // A compressed answer would have other offsets than the file.
  const headers = new Headers({ 'accept-encoding': 'identity' });
  if (from > 0) headers.set('range', `bytes=${from}-`);
  const { response } = await client.get(download.url, { headers, signal: idle.signal, subject: download.subject });
  let position = from;
  if (response.status === 206) {
    assertRange(response, from, download);
  } else if (from > 0) {
    download.onNotice?.('the server does not continue files; fetching it from the start');
    await truncate(partial, 0);
    position = 0;
  }
  const file = await open(partial, 'a');
  let timer: NodeJS.Timeout | undefined;
  const watch = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => idle.abort(new Error('no data')), download.idleMs ?? defaultIdleMs);
  };
  try {
    watch();
    for await (const chunk of heeding(response, [idle.signal, download.signal])) {
      watch();
      position += chunk.byteLength;
      if (position > download.bytes) throw tooLong(download);
      await append(file, chunk, download);
      download.onBytes?.(position);
    }
  } catch (error) {
    if (download.signal?.aborted) throw interrupted(error);
    throw error;
  } finally {
    clearTimeout(timer);
    await file.close();
  }
}

function assertRange(response: Response, from: number, download: Download): void {
  const range = response.headers.get('content-range') ?? '';
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range);
  const isRight =
    match !== null && Number(match[1]) === from && (match[2] === '*' || Number(match[2]) === download.bytes);
  if (isRight) return;
  void response.body?.cancel();
  throw hubError('protocol', {
    part: download.subject,
    fault: `asked for bytes from ${from} of ${download.bytes}, the server answered "${range.slice(0, 80)}"`,
    remedy: 'Try again; if it stays so, delete the .incomplete file in the cache.',
  });
}

async function append(file: FileHandle, chunk: Uint8Array, { subject, target }: Download): Promise<void> {
  try {
    await file.appendFile(chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw diskFull({ subject, folder: dirname(target), cause: error });
    throw notWritten(subject, target, error);
  }
}

async function publish(partial: string, target: string): Promise<void> {
  const file = await open(partial, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  renameWhenFree(partial, target);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

interface FullDisk {
  /** What there is no room for. */
  readonly subject: string;
  readonly folder: string;
  /** Bytes, where they are known. */
  readonly space?: { readonly needed: number; readonly free: number };
  readonly cause?: unknown;
}

/** The error of a disk without room. */
export function diskFull({ cause, folder, space, subject }: FullDisk): NomoatError {
  const numbers = space ? `: ${megabytes(space.needed)} needed, ${megabytes(space.free)} free` : '';
  return new NomoatError({
    code: 'disk-full',
    part: subject,
    fault: `the disk of ${folder} is full${numbers}`,
    remedy: 'Make room, or set HF_HOME to a larger disk; the pull goes on from what is already here.',
    kind: 'failed',
    fields: { problem: 'disk-full', folder, needed: space?.needed ?? null, free: space?.free ?? null },
    cause,
  });
}

export function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

function tooLong({ subject, bytes }: Download): NomoatError {
  return hubError('protocol', {
    part: subject,
    fault: `more arrived than the ${bytes} bytes announced`,
    remedy: 'Try again; check HF_ENDPOINT.',
  });
}

function lost({ subject, bytes }: Download, here: number, cause: unknown): NomoatError {
  return new NomoatError({
    code: 'download-failed',
    part: subject,
    fault: `the connection broke at ${here} of ${bytes} bytes (${cause === null ? 'the answer ended early' : reasonOf(cause)})`,
    remedy: 'Run the same command again: it goes on from there.',
    kind: 'failed',
    fields: { problem: 'offline', receivedBytes: here, totalBytes: bytes },
    cause: cause ?? undefined,
  });
}

/** A lock younger than this may still be without its writer's number. */
const lockSettlesMs = 2000;

/** Takes the lock file or says who has it; the lock of a process that is gone is taken over. Returns the release. */
function lock(path: string, subject: string): () => void {
  let holder: number | null;
  try {
    holder = takeLock(path, lockSettlesMs);
  } catch (error) {
    throw notWritten(subject, path, error);
  }
  if (holder === null) return () => releaseLock(path);
  const who = holder === unknownHolder ? 'another process' : `process ${holder}`;
  throw hubError('busy', {
    part: subject,
    fault: `${who} is downloading it already`,
    remedy: 'Wait for it to end.',
    fields: { holder },
  });
}
