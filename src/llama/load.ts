/**
 * node-llama-cpp, loaded when llama.cpp is first needed. Promises: signals and exits stay the host's. Of its dependencies, proper-lockfile brings
 * signal-exit 3, which puts listeners on the process's signals and replaces process.emit for locks that nomoat never takes.
 */
import { createRequire } from 'node:module';
import { installedPackage } from '../store/installed-version.ts';

export type NodeLlamaCpp = typeof import('node-llama-cpp');

let loaded: Promise<NodeLlamaCpp> | null = null;

/** Rejects where the package cannot be loaded; the next call tries again. */
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
