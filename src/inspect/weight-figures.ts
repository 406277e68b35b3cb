/**
 * Whole weights in figures: of a model by itself, and of what tuning changed where no factors are known. Pure.
 * The stable rank |W|_F^2 / |W|_2^2 (Rudelson and Vershynin, 2007) wants the largest singular value alone.
 */
import { createHash } from 'node:crypto';
import { sumOfSquares } from '../adapter/low-rank.ts';
import type { LinearOperator } from '../linear-algebra/operator.ts';
import { type LeadingSvd, leadingSingularVectors } from '../linear-algebra/subspace-iteration.ts';

/** How the strength of a matrix is spread over its directions. */
export interface SpreadFigures {
  /** The largest singular value. */
  readonly top: number;
  /** Squared Frobenius norm over that of the largest singular value: 1 of a single direction, the smaller side of equally strong ones. */
  readonly stableRank: number;
  /** Share of the squared Frobenius norm, 0 to 1, that the 16 leading directions have; at least, where they were not found exactly. */
  readonly leadingShare: number;
}

/** As many as the usual rank of an adapter: of a merged one nearly all strength is in them. */
export const leadingDirections = 16;
/** Largest singular values to a hundredth; what is below is shown as such. */
const tolerance = 1e-2;
/** Flat spectra, as noise has, never come to it: their shares do not want it either, and what is to be seen of them was after six. */
const maxPasses = 6;

export interface Spread {
  readonly figures: SpreadFigures;
  readonly svd: LeadingSvd;
}

/** Of a matrix with that squared Frobenius norm. */
export async function spreadOf(operator: LinearOperator, squares: number, signal?: AbortSignal): Promise<Spread> {
  const options = { tolerance, maxPasses, ...(signal ? { signal } : {}) };
  const svd = await leadingSingularVectors(operator, leadingDirections, options);
  const top = svd.s[0] ?? 0;
  const share = squares === 0 ? 0 : Math.min(1, sumOfSquares(svd.s) / squares);
  return { svd, figures: { top, stableRank: top === 0 ? 0 : squares / top ** 2, leadingShare: share } };
}

/** What can be wrong with single numbers, and how large all are together. */
export interface NumberCounts {
  readonly numbers: number;
  readonly notFinite: number;
  readonly zeros: number;
  /** The squared Frobenius norm of the finite ones. */
  readonly squares: number;
}

/** Of numbers that come in pieces. */
export class NumberTally implements NumberCounts {
  numbers = 0;
  notFinite = 0;
  zeros = 0;
  squares = 0;

  add(values: Float32Array): void {
    this.numbers += values.length;
    for (const value of values) {
      if (!Number.isFinite(value)) this.notFinite++;
      else {
        if (value === 0) this.zeros++;
        this.squares += value * value;
      }
    }
  }
}

/** Counts rows [width] that are equal to an earlier one: of an embedding, tokens that no training told apart. */
export class RowTally {
  /** Rows that are like an earlier one. */
  equal = 0;
  private readonly seen = new Set<string>();
  private readonly width: number;

  constructor(width: number) {
    this.width = width;
  }

  add(values: Float32Array): void {
    for (let at = 0; at < values.length; at += this.width) {
      const row = new Uint8Array(values.buffer, values.byteOffset + 4 * at, 4 * this.width);
      const digest = createHash('sha256').update(row).digest('base64');
      if (this.seen.has(digest)) this.equal++;
      else this.seen.add(digest);
    }
  }
}
