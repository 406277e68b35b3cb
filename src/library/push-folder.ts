/**
 * An adapter into a shared folder. Promises: it appears whole or not at all, and then in the catalogue; what was copied by digest is not
 * copied again; nothing that is there is overwritten.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { NomoatError } from '../errors.ts';
import { releaseLock, takeLock } from '../formats/process-lock.ts';
import { removeWhenFree, renameWhenFree } from '../formats/rename.ts';
import { streamedSha256 } from '../store/content-digest.ts';
import { indexName } from '../store/folder-index.ts';
import type { HubPushed, PushFile } from '../store/hub-push.ts';
import { indexedAdapter, indexFolder } from './index-folder.ts';

/** The nearest folder above with a catalogue; without one, that in which the organisation's lies. */
function rootOf(target: string): string {
  let folder = dirname(target);
  for (let above = 0; above < 4 && folder !== dirname(folder); above++) {
    if (existsSync(join(folder, indexName))) return folder;
    folder = dirname(folder);
  }
  return dirname(target);
}

async function isSame(source: string, target: string, signal?: AbortSignal): Promise<boolean> {
  return existsSync(target) && (await streamedSha256(source, signal)) === (await streamedSha256(target, signal));
}

/** Copies what is not there yet into `folder`, each file whole or not at all. Returns what it copied. */
async function copyInto(folder: string, files: readonly PushFile[], signal?: AbortSignal): Promise<string[]> {
  const copied: string[] = [];
  for (const { path, source } of files) {
    signal?.throwIfAborted();
    const target = join(folder, ...path.split('/'));
    if (await isSame(source, target, signal)) continue;
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(source, `${target}.part`);
    renameWhenFree(`${target}.part`, target);
    copied.push(path);
  }
  return copied;
}

/** What an earlier push of something else left there. */
function removeOthers(folder: string, files: readonly PushFile[]): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = name.replaceAll('\\', '/');
    const isWanted = files.some((file) => file.path === path || file.path.startsWith(`${path}/`));
    if (!isWanted) rmSync(join(folder, name), removeWhenFree);
  }
}

/** Puts the files at `target` and writes the catalogue above it. Throws NomoatError. */
export async function pushToFolder(
  target: string,
  files: readonly PushFile[],
  signal?: AbortSignal,
): Promise<HubPushed> {
  const root = rootOf(target);
  const name = relative(root, target).replaceAll('\\', '/');
  const unfinished = join(dirname(target), `.${basename(target)}.incomplete`);
  mkdirSync(dirname(target), { recursive: true });
  const lock = `${unfinished}.lock`;
  if (takeLock(lock) !== null)
    throw new NomoatError({ part: target, fault: 'another process is pushing to it', remedy: 'Wait for it to end.' });
  try {
    let sent: string[] = [];
    if (existsSync(target)) await assertSame(target, files, signal);
    else {
      mkdirSync(unfinished, { recursive: true });
      removeOthers(unfinished, files);
      sent = await copyInto(unfinished, files, signal);
      renameWhenFree(unfinished, target);
    }
    await indexFolder(root);
    const { revision } = await indexedAdapter(target, name);
    return { url: target, revision, sent, others: [] };
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new NomoatError({
      code: 'interrupted',
      part: target,
      fault: 'the push was stopped, and nothing of it is visible',
      remedy: 'Push again: what was copied is not copied again.',
      cause: error,
    });
  } finally {
    releaseLock(lock);
  }
}

async function assertSame(target: string, files: readonly PushFile[], signal?: AbortSignal): Promise<void> {
  const other: string[] = [];
  for (const { path, source } of files)
    if (!(await isSame(source, join(target, ...path.split('/')), signal))) other.push(path);
  if (other.length === 0) return;
  throw new NomoatError({
    code: 'path-exists',
    part: target,
    fault: `holds something else already (${other.slice(0, 5).join(', ')} differ), and nothing is overwritten`,
    remedy: 'Push under another name, or remove it first.',
  });
}
