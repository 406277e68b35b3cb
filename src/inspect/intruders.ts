/**
 * Intruder dimensions: leading singular vectors of a tuned weight W + B A that are like none of W's (Shuttleworth, Andreas, Torralba and
 * Sharma, "LoRA vs Full Fine-tuning: An Illusion of Equivalence", arXiv 2410.21228). They go with forgetting, and scaling them down gives
 * much of what was forgotten back. Knows no files. Pure.
 */
import {
  addScaled,
  column,
  dot,
  firstColumns,
  type Matrix,
  multiplyTransposed,
  sideBySide,
} from '../linear-algebra/matrix.ts';
import { type LinearOperator, transposedOperator, updatedOperator } from '../linear-algebra/operator.ts';
import { mostPointMass } from '../linear-algebra/point-mass.ts';
import { leadingSingularVectors } from '../linear-algebra/subspace-iteration.ts';
import { productSvd, type Svd } from '../linear-algebra/svd.ts';
import type { UpdateFactors } from './update.ts';

/** As in the paper: ten vectors, and a cosine below a half. */
export const testedVectors = 10;
export const intruderCosine = 0.5;

/** W's leading vectors that candidates are compared with one by one; for the weaker ones there is a bound. */
const comparedVectors = 20;
/** Neighbours that are not told apart share a direction: then the bound decides. */
const comparedTolerance = 1e-2;
/** Products that the bound may take: it falls as their inverse, and is below a quarter after some thirty for a vector that is spread out. */
const boundSteps = [32, 128] as const;

/** A singular vector of the tuned weight that is like none of the weight's. */
export interface Intruder {
  /** Its place among the tuned weight's singular values, 0 the largest. */
  readonly index: number;
  readonly singularValue: number;
  /** Largest absolute cosine with the weight's leading 20 singular vectors. */
  readonly cosine: number;
  /** What its absolute cosine with any singular vector of the weight is at most. */
  readonly bound: number;
}

/** What was found in one weight. */
export interface IntruderReport {
  /** Leading vectors that were looked at. */
  readonly tested: number;
  readonly intruders: readonly Intruder[];
  /** Vectors whose likeness was not decided: like none of the leading 20 of the weight's, while the bound does not exclude a weaker one. */
  readonly undecided: number;
  /** Relative residual of the tuned weight's vectors. */
  readonly residual: number;
}

/** With the vectors themselves. */
export interface FoundIntruders extends IntruderReport {
  /** Whether the vectors are those of the outputs (left) or the inputs (right): the smaller side, where W's vectors are a whole basis. */
  readonly side: 'left' | 'right';
  /** The intruders' vectors, orthonormal. */
  readonly vectors: readonly Float64Array[];
}

/** An untouched weight has none; neither has one whose update is too small to lead. */
export const findIntruders = (
  weight: LinearOperator,
  { aTransposed, b }: UpdateFactors,
  signal?: AbortSignal,
): Promise<FoundIntruders> =>
  intrudersBetween(
    weight,
    { tuned: updatedOperator(weight, b, aTransposed), change: productSvd(b, aTransposed) },
    signal,
  );

/** The same of any two weights of one shape; `change` has leading singular vectors of the difference, which the tuned weight's may be like. */
export async function intrudersBetween(
  weight: LinearOperator,
  { change, tuned }: { readonly tuned: LinearOperator; readonly change: Svd },
  signal?: AbortSignal,
): Promise<FoundIntruders> {
  if (weight.rows <= weight.columns)
    return intrudersAmongLeft(weight, tuned, { likely: change.v, side: 'left', signal });
  return intrudersAmongLeft(transposedOperator(weight), transposedOperator(tuned), {
    likely: change.u,
    side: 'right',
    signal,
  });
}

interface Search {
  /** Right singular vectors of the difference. */
  readonly likely: Matrix;
  readonly side: FoundIntruders['side'];
  readonly signal: AbortSignal | undefined;
}

/** Of weights with no more rows than columns, whose left vectors are a whole basis. */
async function intrudersAmongLeft(
  weight: LinearOperator,
  tuned: LinearOperator,
  { likely, side, signal }: Search,
): Promise<FoundIntruders> {
  const options = signal ? { signal } : {};
  const before = await leadingSingularVectors(weight, comparedVectors, { ...options, tolerance: comparedTolerance });
  // Those of the weight, and the update's, which the tuned weight's mostly are.
  const count = Math.min(testedVectors, before.s.length);
  const start = sideBySide(firstColumns(before.v, count), firstColumns(likely, Math.min(count, likely.columns)));
  const after = await leadingSingularVectors(tuned, testedVectors, { ...options, start });
  const cosines = multiplyTransposed(before.u, after.u);
  const gram = async (x: Matrix): Promise<Matrix> => weight.apply(await weight.applyTransposed(x));
  const [intruders, vectors]: [Intruder[], Float64Array[]] = [[], []];
  let undecided = 0;
  for (let i = 0; i < after.s.length; i++) {
    const cosine = column(cosines, i).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (cosine >= intruderCosine) continue;
    const bound = await boundOf(gram, column(after.u, i), signal);
    if (bound >= intruderCosine) undecided++;
    else {
      intruders.push({ index: i, singularValue: after.s[i]!, cosine, bound });
      vectors.push(column(after.u, i));
    }
  }
  const residual = Math.max(...after.residuals);
  return { tested: after.s.length, intruders, undecided, residual, side, vectors };
}

/** The bound of the absolute cosine with any of the weight's vectors, as tight as it has to be. */
async function boundOf(
  gram: (x: Matrix) => Promise<Matrix>,
  vector: Float64Array,
  signal: AbortSignal | undefined,
): Promise<number> {
  let bound = 1;
  for (const steps of boundSteps) {
    signal?.throwIfAborted();
    bound = Math.sqrt(await mostPointMass(gram, vector, steps));
    if (bound < intruderCosine) break;
  }
  return Math.min(1, bound);
}

/**
 * The update with its share along the intruders' directions multiplied by `factor`, 0 to 1: of B the rows' space, or of A, whichever side
 * the vectors are of. The rank stays, and nothing of W is touched (the paper scales W's small share along with it).
 */
export function softened(
  update: UpdateFactors,
  { side, vectors }: Pick<FoundIntruders, 'side' | 'vectors'>,
  factor: number,
): UpdateFactors {
  const scaled = (matrix: Matrix): Matrix => {
    const copy = { ...matrix, data: Float64Array.from(matrix.data) };
    for (let j = 0; j < copy.columns; j++)
      for (const vector of vectors) {
        const target = column(copy, j);
        addScaled(target, vector, (factor - 1) * dot(vector, target));
      }
    return copy;
  };
  return side === 'left' ? { ...update, b: scaled(update.b) } : { ...update, aTransposed: scaled(update.aTransposed) };
}
