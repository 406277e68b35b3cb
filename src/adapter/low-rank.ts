/**
 * An adapter of a rank that is asked for, whose update is nearest to the given one in the Frobenius norm. Promises: a
 * pair's own product is never formed (QR of both factors and a small SVD); an update of full rank, such as DoRA's, is
 * formed a module at a time. What is lost is told.
 */
import type { GgufFile } from '../formats/gguf/types.ts';
import { fromRows, fromRowsTransposed, type Matrix, toRows, transpose } from '../linear-algebra/matrix.ts';
import { weightOperator } from '../linear-algebra/operator.ts';
import { leadingSingularVectors } from '../linear-algebra/subspace-iteration.ts';
import { balancedFactors, productSvd, type Svd, truncateSvd } from '../linear-algebra/svd.ts';
import { type LoraAdapter, type LoraPair, loraScale } from '../lora/adapter.ts';
import { heedSignal } from '../stop.ts';
import { baseMatrix, scaleToMagnitude } from './dora.ts';

/** Squared Frobenius norms. */
export interface Energy {
  readonly total: number;
  /** Of what is left out. */
  readonly discarded: number;
}

export const sumOfSquares = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
};

/** The factors of a pair as matrices, B times its scale: B [out, rank] and A' [in, rank]. */
export function pairFactors(pair: LoraPair, scale: number): { b: Matrix; aTransposed: Matrix } {
  const { a, b, inFeatures, outFeatures, rank } = pair;
  return {
    b: fromRows({ rows: outFeatures, columns: rank }, b, scale),
    aTransposed: fromRowsTransposed({ rows: rank, columns: inFeatures }, a),
  };
}

/** A pair whose product is U S V', with a scale of 1 in adapters without rsLoRA. */
export function pairOfSvd(module: Pick<LoraPair, 'layer' | 'projection'>, svd: Svd): LoraPair {
  const { aTransposed, b } = balancedFactors(svd);
  const { layer, projection } = module;
  const rank = svd.s.length;
  return {
    layer,
    projection,
    rank,
    alpha: rank,
    a: toRows(transpose(aTransposed)),
    b: toRows(b),
    inFeatures: aTransposed.rows,
    outFeatures: b.rows,
  };
}

/** As near as float32 factors hold it: an error in a vector's direction counts squared in what is lost. */
const tolerance = 1e-5;
/** Flat spectra, whose last vectors hardly matter, need the most passes. */
const maxPasses = 60;

/** The nearest of rank `rank` to an update [out, in], given row by row. */
export async function nearestToUpdate(
  module: Pick<LoraPair, 'inFeatures' | 'layer' | 'outFeatures' | 'projection'>,
  update: Float32Array,
  rank: number,
): Promise<{ pair: LoraPair; energy: Energy }> {
  const { inFeatures, outFeatures } = module;
  const count = Math.min(rank, inFeatures, outFeatures);
  const operator = weightOperator({ rows: outFeatures, columns: inFeatures }, update);
  const svd = await leadingSingularVectors(operator, count, { tolerance, maxPasses });
  const total = sumOfSquares(update);
  return { pair: pairOfSvd(module, svd), energy: { total, discarded: Math.max(0, total - sumOfSquares(svd.s)) } };
}

/** W' - W of a pair of DoRA, [out, in], rows in transformers' order. */
function doraUpdate(pair: LoraPair, scale: number, model: GgufFile): Float32Array {
  const { a, b, inFeatures: width, magnitude, outFeatures, rank } = pair;
  const base = baseMatrix(pair, model);
  const merged = base.slice();
  for (let row = 0; row < outFeatures; row++)
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[row * rank + r]!;
      for (let i = 0; i < width; i++) merged[row * width + i]! += factor * a[r * width + i]!;
    }
  scaleToMagnitude(merged, width, magnitude!);
  for (let i = 0; i < merged.length; i++) merged[i]! -= base[i]!;
  return merged;
}

/** What `atRank` is told, and says. */
export interface RankOptions {
  /** At most this rank for each module. */
  readonly rank: number;
  /** Of the base, whose weights DoRA's update depends on. */
  readonly model: GgufFile;
  readonly signal?: AbortSignal | undefined;
  /** Told after each module how many of how many are done. */
  readonly onModule?: ((done: number, all: number) => void) | undefined;
}

async function pairAtRank(
  pair: LoraPair,
  scale: number,
  { model, rank }: RankOptions,
): Promise<{ pair: LoraPair; energy: Energy }> {
  if (pair.magnitude) return nearestToUpdate(pair, doraUpdate(pair, scale, model), rank);
  const { aTransposed, b } = pairFactors(pair, scale);
  const svd = productSvd(b, aTransposed);
  const total = sumOfSquares(svd.s);
  if (pair.rank <= rank) return { pair: { ...pair, alpha: scale * pair.rank }, energy: { total, discarded: 0 } };
  const kept = truncateSvd(svd, rank);
  return { pair: pairOfSvd(pair, kept), energy: { total, discarded: total - sumOfSquares(kept.s) } };
}

/** The adapter with at most the rank; pairs that have no more keep their matrices. Rejects where `signal` is aborted. */
export async function atRank(
  adapter: LoraAdapter,
  options: RankOptions,
): Promise<{ adapter: LoraAdapter; energy: Energy }> {
  const { rslora } = adapter;
  const pairs: LoraPair[] = [];
  const energy = { total: 0, discarded: 0 };
  for (const pair of adapter.pairs) {
    await heedSignal('the adapter', options.signal);
    const found = await pairAtRank(pair, loraScale({ ...pair, rslora }), options);
    pairs.push(found.pair);
    energy.total += found.energy.total;
    energy.discarded += found.energy.discarded;
    options.onModule?.(pairs.length, adapter.pairs.length);
  }
  return { adapter: { ...adapter, rslora: false, pairs }, energy };
}
