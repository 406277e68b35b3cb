/**
 * An adapter of a rank that is asked for, whose update is nearest to the given one in the Frobenius norm. Promises: a
 * pair's own product is never formed (Gram matrices of both factors and a small SVD); an update of full rank, such as DoRA's, is
 * formed a module at a time. What is lost is told.
 */
import type { GgufFile } from '../formats/gguf/types.ts';
import { nearestFactors } from '../linear-algebra/gram-svd.ts';
import { fromRows, fromRowsTransposed, type Matrix, toRows, transpose } from '../linear-algebra/matrix.ts';
import { type NearestOptions, nearestOfRank } from '../linear-algebra/nearest-of-rank.ts';
import { type LinearOperator, type Shape, weightOperator } from '../linear-algebra/operator.ts';
import { type LoraAdapter, type LoraModule, type LoraPair, loraScale } from '../lora/adapter.ts';
import { heedSignal } from '../stop.ts';
import { baseMatrix, scaleToMagnitude } from './dora.ts';

/** Squared Frobenius norms. */
export interface Energy {
  readonly total: number;
  /** Of what is left out. */
  readonly discarded: number;
}

/** The share that was left out, in words. */
export const lostText = ({ discarded, total }: Energy): string =>
  `${total === 0 ? 0 : Number(((100 * discarded) / total).toPrecision(3))}% of the update's energy (its squared Frobenius norm)`;

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

/** A pair with a scale of 1 in adapters without rsLoRA, from B [out, rank] and A' [in, rank]. */
export function pairOfFactors(
  { layer, projection }: LoraModule,
  { aTransposed, b }: { readonly b: Matrix; readonly aTransposed: Matrix },
): LoraPair {
  const rank = b.columns;
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

/** Products with an update in another way than the slow one of JavaScript, and what is known of it. */
export interface NearestUpdateOptions extends Partial<Omit<NearestOptions, 'tolerance'>> {
  readonly operator?: (shape: Shape, values: Float32Array) => LinearOperator;
}

/** The nearest of rank `rank` to an update [out, in], given row by row. */
export async function nearestToUpdate(
  module: Pick<LoraPair, 'inFeatures' | 'layer' | 'outFeatures' | 'projection'>,
  update: Float32Array,
  rank: number,
  { operator = weightOperator, total = sumOfSquares(update), ...options }: NearestUpdateOptions = {},
): Promise<{ pair: LoraPair; energy: Energy }> {
  const shape = { rows: module.outFeatures, columns: module.inFeatures };
  const found = await nearestOfRank(operator(shape, update), rank, { total, ...options });
  return { pair: pairOfFactors(module, found), energy: { total, discarded: Math.max(0, total - found.energy) } };
}

/** Adds scale * B A to `weights` [out, in], in place. */
export function addProduct(weights: Float32Array, pair: LoraPair, scale: number): void {
  const { a, b, inFeatures: width, outFeatures, rank } = pair;
  for (let row = 0; row < outFeatures; row++) {
    const target = weights.subarray(row * width, (row + 1) * width);
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[row * rank + r]!;
      for (let i = 0; i < width; i++) target[i]! += factor * a[r * width + i]!;
    }
  }
}

/** W' - W of a pair of DoRA, [out, in], rows in transformers' order. */
function doraUpdate(pair: LoraPair, scale: number, model: GgufFile): Float32Array {
  const { inFeatures: width, magnitude } = pair;
  const base = baseMatrix(pair, model);
  const merged = base.slice();
  addProduct(merged, pair, scale);
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
  const { s, ...factors } = nearestFactors(b, aTransposed, rank);
  const total = sumOfSquares(s);
  if (pair.rank <= rank) return { pair: { ...pair, alpha: scale * pair.rank }, energy: { total, discarded: 0 } };
  return {
    pair: pairOfFactors(pair, factors),
    energy: { total, discarded: sumOfSquares(s.subarray(factors.b.columns)) },
  };
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
