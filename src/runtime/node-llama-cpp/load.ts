/**
 * node-llama-cpp, loaded when llama.cpp is first needed. Promises: signals and exits stay the host's. Of its dependencies, proper-lockfile brings
 * signal-exit 3, which puts listeners on the process's signals and replaces process.emit for locks that nomoat never takes.
 */
import { createRequire } from 'node:module';
import type { Llama, LlamaOptions } from 'node-llama-cpp';
import { installedPackage } from '../../store/installed-version.ts';

type NodeLlamaCpp = typeof import('node-llama-cpp');

let loaded: Promise<NodeLlamaCpp> | null = null;

/** The package. Rejects where it cannot be loaded; the next call tries again. */
export function loadNodeLlamaCpp(): Promise<NodeLlamaCpp> {
  loaded ??= importQuietly().catch((error: unknown) => {
    loaded = null;
    throw error;
  });
  return loaded;
}

async function importQuietly(): Promise<NodeLlamaCpp> {
  const { emit } = process;
  const module = await import('node-llama-cpp');
  // Where it was there before, it is the host's own.
  if (process.emit !== emit) unloadSignalExit();
  return module;
}

/** Takes its listeners and its process.emit away; whoever asks it for something later has them back. */
function unloadSignalExit(): void {
  try {
    const folder = installedPackage('node-llama-cpp');
    if (folder === null) return;
    const lockfile = createRequire(createRequire(`${folder}/package.json`).resolve('proper-lockfile'));
    const signalExit: unknown = lockfile('signal-exit');
    if (typeof signalExit === 'function' && 'unload' in signalExit && typeof signalExit.unload === 'function')
      signalExit.unload();
  } catch {
    // Another version, without it.
  }
}

/** Calls that are under way without the arguments that are for texts only, and all arguments of this process. */
const without = { calls: 0, all: process.execArgv };

/** Node starts no file with these, only what it is given as text. */
const forTextOnly = /^--input-type\b/;

/**
 * The engine. node-llama-cpp first tries its build in a process of its own, to which Node hands on the arguments of this one: given
 * `--input-type=module` that process would not start, and no build would be found. For as long, this process goes without.
 */
export async function openLlama(options: (levels: NodeLlamaCpp['LlamaLogLevel']) => LlamaOptions): Promise<Llama> {
  const { getLlama, LlamaLogLevel } = await loadNodeLlamaCpp();
  if (without.calls === 0 && !process.execArgv.some((argument) => forTextOnly.test(argument)))
    return getLlama(options(LlamaLogLevel));
  if (without.calls++ === 0) {
    without.all = process.execArgv;
    process.execArgv = process.execArgv.filter((argument) => !forTextOnly.test(argument));
  }
  try {
    return await getLlama(options(LlamaLogLevel));
  } finally {
    without.calls -= 1;
    if (without.calls === 0) process.execArgv = without.all;
  }
}
