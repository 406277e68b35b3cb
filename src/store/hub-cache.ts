/**
 * The standard Hugging Face cache layout for one repository:
 *   models--org--name/blobs/<sha256>   models--org--name/refs/main   models--org--name/snapshots/<commit>/<file> -> ../../blobs/<sha256>
 * Promises: what it writes, huggingface_hub and @huggingface/hub find again; names that come from the network cannot
 * lead out of the repository's folder. Does not know how the bytes got here.
 */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { NomoatError } from '../errors.ts';
import { removeUnfinished, temporaryMark } from '../formats/atomic-write.ts';
import { removeWhenFree, renameWhenFree } from '../formats/rename.ts';

const commitPattern = /^[0-9a-f]{40}$/;
/** sha256, or what git names a small file by. */
const digestPattern = /^([0-9a-f]{64}|[0-9a-f]{40})$/;
/** As the hub allows them: two words of letters, digits, dot, dash and underscore, neither beginning with a dot. */
const repoPattern = /^(?!\.)[\w.-]{1,96}\/(?!\.)[\w.-]{1,96}$/;

/** True for `org/name` as the hub spells repositories. */
export function isRepoId(text: string): boolean {
  return repoPattern.test(text) && !text.includes('..') && !text.includes('--');
}

/** The cache folder of a model repository; throws when `repo` is not `org/name`. */
export function repoFolder(cache: string, repo: string): string {
  if (!isRepoId(repo)) {
    throw new NomoatError({
      part: 'hub repository',
      fault: `"${repo}" is not of the form organisation/name`,
      remedy: 'Give a name of the catalogue (`listModels()`) or a repository such as Qwen/Qwen3-0.6B-GGUF.',
    });
  }
  return join(cache, `models--${repo.replace('/', '--')}`);
}

/** Throws unless a commit, digest and file name that came from the network are safe to use as file names. */
export function assertCacheNames(repo: string, commit: string, digest: string, file: string): void {
  const faults: string[] = [];
  if (!commitPattern.test(commit)) faults.push(`commit "${commit.slice(0, 80)}"`);
  if (!digestPattern.test(digest)) faults.push(`digest "${digest.slice(0, 80)}"`);
  const parts = file.split(/[/\\]/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here.
  if (/[\u0000-\u001f:\\]/.test(file) || parts.some((part) => part === '' || part === '.' || part === '..')) {
    faults.push(`file name "${file.slice(0, 80)}"`);
  }
  if (faults.length === 0) return;
  throw new NomoatError({
    code: 'download-failed',
    part: repo,
    fault: `the hub answered with an unusable ${faults.join(', ')}`,
    remedy: 'Check HF_ENDPOINT; report it when that is the real hub.',
    kind: 'failed',
    fields: { problem: 'protocol', repo },
  });
}

export function blobPath(folder: string, digest: string): string {
  return join(folder, 'blobs', digest);
}

export function snapshotPath(folder: string, commit: string, file: string): string {
  return join(folder, 'snapshots', commit, ...file.split('/'));
}

/** The commit that `revision` stood at when it was last pulled, or null. */
export function cachedCommit(folder: string, revision = 'main'): string | null {
  try {
    const commit = readFileSync(join(folder, 'refs', ...revision.split('/')), 'utf8').trim();
    return commitPattern.test(commit) ? commit : null;
  } catch {
    return null;
  }
}

/** How a blob can be given its readable name, best first: Windows refuses symbolic links to ordinary users. */
const waysToName: readonly ((blob: string, name: string) => void)[] = [
  (blob, name) => symlinkSync(relative(dirname(name), blob), name),
  (blob, name) => linkSync(blob, name),
  (blob, name) => copyFileSync(blob, name),
];

/**
 * Names a finished blob `snapshots/<commit>/<file>` and points refs/main at the commit.
 * Returns the readable path. A name that already leads to a file is left alone.
 */
export function nameBlob(folder: string, commit: string, file: string, sha256: string): string {
  const name = snapshotPath(folder, commit, file);
  nameOne(blobPath(folder, sha256), name);
  if (cachedCommit(folder) !== commit) writeRef(folder, commit, 'main');
  return name;
}

function nameOne(blob: string, name: string): void {
  mkdirSync(dirname(name), { recursive: true });
  if (leadsToFile(name)) return;
  rmSync(name, { force: true }); // a dangling link of a blob that was deleted by hand
  tryInOrder(waysToName, blob, name);
}

/** By a second name where the disk knows such: who verifies a bundle takes no symbolic links. A name of other contents is replaced. */
function nameAsFile(blob: string, name: string): void {
  mkdirSync(dirname(name), { recursive: true });
  if (leadsToFile(name) && statSync(name).ino === statSync(blob).ino) return;
  rmSync(name, { force: true });
  tryInOrder([(from, to) => linkSync(from, to), ...waysToName], blob, name);
}

/** Files of a snapshot by their digests. */
export type SnapshotFiles = readonly { readonly path: string; readonly digest: string }[];

/**
 * Names finished blobs as the files of a commit, all of them in one rename, and points the ref of `revision` at it: who looks sees the
 * whole or nothing. Returns the snapshot's folder.
 */
export function nameSnapshot(folder: string, commit: string, files: SnapshotFiles, revision = 'main'): string {
  const snapshot = join(folder, 'snapshots', commit);
  // As deep as its place, for the links in it.
  const temporary = `${snapshot}${temporaryMark}${process.pid}`;
  const isThere = existsSync(snapshot);
  rmSync(temporary, removeWhenFree);
  removeUnfinished(join(folder, 'snapshots'));
  // Files that another program named there already stay.
  for (const { digest, path } of files)
    nameAsFile(blobPath(folder, digest), join(isThere ? snapshot : temporary, ...path.split('/')));
  if (!isThere) renameWhenFree(temporary, snapshot);
  if (cachedCommit(folder, revision) !== commit) writeRef(folder, commit, revision);
  return snapshot;
}

/** By rename, so that another program never reads half a commit; losing it in a power cut only costs a request. */
function writeRef(folder: string, commit: string, revision: string): void {
  // A commit by its own name needs no other.
  if (commitPattern.test(revision)) return;
  const path = join(folder, 'refs', ...revision.split('/'));
  mkdirSync(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  writeFileSync(temporary, commit);
  renameWhenFree(temporary, path);
}

function tryInOrder(ways: typeof waysToName, blob: string, name: string): void {
  let lastError: unknown;
  for (const way of ways) {
    try {
      way(blob, name);
      return;
    } catch (error) {
      lastError = error;
    }
  }
  throw new NomoatError({
    part: name,
    fault: `the downloaded file cannot be linked or copied here (${String(lastError)})`,
    remedy: `Use the file itself: ${blob}`,
    kind: 'failed',
    cause: lastError,
  });
}

/** True when the path, links followed, is a regular file. */
export function leadsToFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What an adapter is called by people: its repository where it lies in the hub's cache, of a run the run, else its file or folder. */
export function adapterName(path: string): string {
  const [, repo] = /models--([^/\\]+)[/\\]snapshots[/\\]/.exec(path) ?? [];
  if (repo !== undefined) return repo.replace('--', '/');
  return basename(path) === 'adapter' ? basename(dirname(path)) : basename(path);
}
