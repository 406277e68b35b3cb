/** What a look into a whole model gives, tensor by tensor. Types alone. */
import type { NamedDigest } from '../adapter/lineage.ts';
import type { IntruderReport } from './intruders.ts';
import type { SpreadFigures } from './weight-figures.ts';

/** A tensor by itself. */
export interface WeightReport {
  readonly tensor: string;
  /** Null outside of the blocks. */
  readonly layer: number | null;
  readonly shape: readonly number[];
  /** How it is stored. */
  readonly type: string;
  /** Frobenius norm, and the root of the mean square of its numbers. */
  readonly norm: number;
  readonly rms: number;
  /** Numbers that are NaN or infinite, and that are 0. */
  readonly notFinite: number;
  readonly zeros: number;
  /** Rows that are equal to an earlier one; 0 but of embeddings. */
  readonly equalRows: number;
  /** Of the blocks' matrices; null of all else. */
  readonly spread: SpreadFigures | null;
}

/** What tuning did to one tensor; those whose numbers are the base's are left out. */
export interface WeightChange {
  readonly tensor: string;
  readonly layer: number | null;
  /** Frobenius norm of the change, and over that of the base's tensor. */
  readonly norm: number;
  readonly relative: number;
  /** Of the change to the blocks' matrices; null of all else. */
  readonly spread: SpreadFigures | null;
  /** Null where they were not looked for. */
  readonly intruders: IntruderReport | null;
}

/** What it is beside its base. */
export interface BaseComparison {
  readonly file: NamedDigest;
  /** By layer, then those outside of the blocks. */
  readonly changes: readonly WeightChange[];
  /** Tensors with the very numbers of the base. */
  readonly unchanged: number;
  /** Tensors that one of them lacks, or whose shapes differ: they are not compared. */
  readonly onlyHere: readonly string[];
  readonly onlyInBase: readonly string[];
  readonly otherShape: readonly string[];
  /** Tensors that are stored in another type: what that rounds counts as change. */
  readonly otherType: number;
  /** Keys of metadata that differ; the vocabulary and the template are among them. */
  readonly metadata: readonly string[];
}
