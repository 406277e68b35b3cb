/** What a pull tells while it works, and asks before, whatever the source. Pure. */
import { NomoatError } from '../errors.ts';

/** What a pull is at: finding the file, fetching or sending it, checking its digest, or done. */
export type PullPhase = 'resolve' | 'download' | 'upload' | 'verify' | 'done';

/** How far a pull is. */
export interface PullProgress {
  /** What it is at. */
  readonly phase: PullPhase;
  /** A sentence to show, or null when only the numbers moved. */
  readonly message: string | null;
  /** Bytes of the file here so far. */
  readonly receivedBytes: number;
  /** Size of the file, null while unknown. */
  readonly totalBytes: number | null;
}

/** Told how far a pull is. */
export type OnPullProgress = (progress: PullProgress) => void;

/** What was found under a name, before anything of it is fetched. */
export interface FoundToPull {
  readonly kind: 'model' | 'adapter';
  /** Where it comes from, such as `org/name/file.gguf`. */
  readonly from: string;
  /** Of all files that would be fetched. */
  readonly bytes: number;
  /** SPDX identifier, or the hub's name of it; null where none is stated. */
  readonly license: string | null;
  /** What the licenses of an adapter and of its base ask of those who share it, in sentences; none of a model. */
  readonly asks: readonly string[];
}

/** Says whether what was found is wanted. */
export type ConfirmPull = (found: FoundToPull) => boolean | Promise<boolean>;

/** Throws NomoatError (interrupted) where it is not wanted. */
export async function assertWanted(name: string, found: FoundToPull, confirm: ConfirmPull | undefined): Promise<void> {
  if (!confirm || (await confirm(found))) return;
  throw new NomoatError({
    part: name,
    fault: 'was found, and not wanted',
    remedy: 'Nothing was fetched.',
    kind: 'interrupted',
  });
}

/** A model that was pulled. */
export interface PulledModel {
  /** Absolute path of the GGUF. */
  readonly path: string;
  /** SPDX identifier, or the hub's name of the license. */
  readonly license: string;
}
