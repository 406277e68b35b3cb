/**
 * What a pull tells while it works, whatever the source. Pure types.
 */

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

/** A model that was pulled. */
export interface PulledModel {
  /** Absolute path of the GGUF. */
  readonly path: string;
  /** SPDX identifier, or the hub's name of the license. */
  readonly license: string;
}
