/** What a file of another platform holds, as it is told to programs and people. Pure. */
import type { JobSettings } from '../settings/job-hyperparameters.ts';

/** What a file is. */
export type ImportedKind =
  | 'data-set'
  | 'job'
  | 'checkpoints'
  | 'events'
  | 'result-file'
  | 'eval'
  | 'eval-samples'
  | 'batch-requests'
  | 'unknown';

/** Options of `tune` that do what a job did. */
export interface ImportedTune extends JobSettings {
  /** The training file, as far as it was found; else the name that it has to be saved under. */
  readonly data: string;
  /** The base model here. */
  readonly model: string;
  /** The held-out file, found as `data` is. */
  readonly validation?: string;
  /** The folder of the run, named for the job's suffix. */
  readonly run?: string;
  /** Of everything random. */
  readonly seed?: number;
}

/** A file, or one of the objects that it holds. */
export interface Imported {
  /** The file. */
  readonly path: string;
  /** What is in it. */
  readonly kind: ImportedKind;
  /** What it is, the end of a sentence that begins with the path. */
  readonly summary: string;
  /** What is wrong with it, in sentences: the first ones. */
  readonly faults: readonly string[];
  /** All that is wrong, also what is not listed. */
  readonly faultCount: number;
  /** What is different here, in sentences. */
  readonly differences: readonly string[];
  /** Of a job: how `tune` does the same; null where it cannot. */
  readonly tune: ImportedTune | null;
}

type Some = Partial<Omit<Imported, 'path' | 'kind' | 'summary'>>;

/** What was found, with nothing wrong and nothing different unless said. */
export const imported = (path: string, kind: ImportedKind, summary: string, more: Some = {}): Imported => ({
  path,
  kind,
  summary,
  faults: [],
  differences: [],
  tune: null,
  ...more,
  faultCount: more.faultCount ?? more.faults?.length ?? 0,
});

/** `3 rows`, `1 row`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
