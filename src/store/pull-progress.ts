/**
 * What a pull tells while it works, whatever the source. Pure types.
 */

export type PullPhase = 'resolve' | 'download' | 'verify' | 'done';

export interface PullProgress {
  readonly phase: PullPhase;
  /** A sentence to show, or null when only the numbers moved. */
  readonly message: string | null;
  /** Bytes of the file here so far. */
  readonly receivedBytes: number;
  /** Size of the file, null while unknown. */
  readonly totalBytes: number | null;
}

export type OnPullProgress = (progress: PullProgress) => void;

export interface PulledModel {
  /** Absolute path of the GGUF. */
  readonly path: string;
  readonly licence: string;
}
