/**
 * Where the proof's copy of a base is made: in the cache, where it serves other runs too, or beside the run where the cache cannot be
 * written. Promises: asked before training with the bytes that are needed, and a full or lost cache at the end is no failed run.
 */
import { rmSync } from 'node:fs';
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { writeFault } from '../formats/write-probe.ts';
import { copyOf, findCopy, makeCopy } from '../llama/parity.ts';
import { cacheFolder, cacheLimitBytes, holdCached, pruneCache } from '../store/cache.ts';
import { sizeText } from '../words/size-text.ts';
import type { RunFolder } from './run-folder.ts';

/** The base for a proof, until `release` is called. */
export interface ProofBase {
  readonly path: string;
  /** What a person should know of where it is. */
  readonly notice: string | null;
  readonly release: () => void;
}

const home = 'NOMOAT_HOME names another place for it.';
const beside = (cache: string, fault: string): string =>
  `The cache ${cache} ${fault}: the proof's copy of the base is made in the run's folder and removed afterwards. ${home}`;

/**
 * Asked before training: returns what is to be said where the copy will not be in the cache. Throws NomoatError where it can be nowhere:
 * `runBytes` is what the run itself writes to its disk.
 */
export function assertProofPlace(model: GgufFile, digest: string, run: string, runBytes: number): string | null {
  const cache = cacheFolder();
  // Asked for at the end, when the copy is let go.
  cacheLimitBytes();
  const copy = copyOf(model, digest);
  if (copy === null || findCopy(cache, copy) !== null) return null;
  const fault = writeFault(cache, copy.bytes);
  if (fault === null) return null;
  const here = writeFault(run, copy.bytes + runBytes);
  if (here === null) return beside(cache, fault);
  throw new NomoatError({
    part: cache,
    fault: `${fault}, and the proof of the result needs a copy of the base (${sizeText(copy.bytes)}) there; ${run} ${here}`,
    remedy: `Free some space, or set NOMOAT_HOME to a folder that can be written.`,
    fields: { neededBytes: copy.bytes },
  });
}

/** The base that a proof runs on, held against being pruned. */
export function openProofBase(model: GgufFile, digest: string, folder: RunFolder): ProofBase {
  const cache = cacheFolder();
  const copy = copyOf(model, digest);
  if (copy === null) return { path: model.path, notice: null, release: () => {} };
  const inCache = (path: string): ProofBase => {
    const letGo = holdCached(path);
    const release = (): void => {
      letGo();
      pruneCache();
    };
    return { path, notice: null, release };
  };
  const found = findCopy(cache, copy);
  if (found !== null) return inCache(found);
  let fault = writeFault(cache, copy.bytes);
  if (fault === null) {
    try {
      return inCache(makeCopy(cache, copy, model));
    } catch (error) {
      if (!(error instanceof NomoatError)) throw error;
      fault = error.fault;
    }
  }
  const path = folder.file('parity-base.gguf');
  const release = (): void => rmSync(path, { force: true });
  try {
    makeCopy(folder.path, { ...copy, path }, model);
  } catch (error) {
    release();
    throw error;
  }
  return { path, notice: beside(cache, fault), release };
}
