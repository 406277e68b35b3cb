/**
 * The product of two thin factors that is nearest to a matrix that is only multiplied with: randomized subspace iteration (Halko, Martinsson and Tropp, arXiv
 * 0909.4061) that is content when the Frobenius norm is found, which is long before single vectors are where singular values lie close. Pure.
 */
import { EigenvalueDecomposition, Matrix as MlMatrix } from 'ml-matrix';
import { Random } from '../batches/random.ts';
import { negligible } from './gram-svd.ts';
import { firstColumns, gram, type Matrix, multiply, scaleColumns, zeros } from './matrix.ts';
import type { LinearOperator } from './operator.ts';

export interface NearestOptions {
  /** |W|, squared. */
  readonly total: number;
  /** Columns [columns, any] near which the right singular vectors are expected. */
  readonly start?: Matrix | undefined;
  /** How far |W - B A| may be from the least there is, as a share of |W|, by how fast the kept energy comes; 1e-6 without. */
  readonly tolerance?: number;
  /** A B of a tall A and a small B. */
  readonly multiply?: (a: Matrix, b: Matrix) => Matrix | Promise<Matrix>;
}

export interface Nearest {
  /** [rows, rank]. */
  readonly b: Matrix;
  /** [columns, rank]. */
  readonly aTransposed: Matrix;
  /** Of the product, which is W projected: its squared norm is missing of W's. */
  readonly energy: number;
  /** Products with W or W'. */
  readonly products: number;
}

/** Vectors beside those that are asked for: the more, the faster the last ones converge; the paper takes 5 to 10. */
const oversampling = 8;
const defaultTolerance = 1e-6;
/** Flat spectra, of which any directions are nearly as good as others, come slowest. */
const mostProducts = 80;
/** What is still to come is taken to be this times the last gain at least: first gains are of what comes fastest. */
const leastToCome = 4;
/** Of the energy, what products in float32 leave unknown. */
const rounding = 1e-8;

/** Eigenvalues of Y' Y, the largest first, with their vectors as columns. */
function eigen(y: Matrix): { values: Float64Array; vectors: Matrix } {
  const { data, columns: size } = gram(y);
  const symmetric = new MlMatrix(size, size);
  for (let j = 0; j < size; j++) for (let i = 0; i < size; i++) symmetric.set(i, j, data[j * size + i]!);
  const found = new EigenvalueDecomposition(symmetric, { assumeSymmetric: true });
  const order = found.realEigenvalues
    .map((_, i) => i)
    .sort((i, j) => found.realEigenvalues[j]! - found.realEigenvalues[i]!);
  const vectors = zeros(size, size);
  order.forEach((from, to) => {
    for (let i = 0; i < size; i++) vectors.data[to * size + i] = found.eigenvectorMatrix.get(i, from);
  });
  return { values: Float64Array.from(order, (i) => Math.max(0, found.realEigenvalues[i]!)), vectors };
}

/** The first `count` vectors, each times its factor. */
const scaled = (vectors: Matrix, count: number, factor: (i: number) => number): Matrix =>
  scaleColumns(
    firstColumns(vectors, count),
    Float64Array.from({ length: count }, (_, i) => factor(i)),
  );

function begun({ columns }: LinearOperator, width: number, start: Matrix | undefined): Matrix {
  const random = new Random(0);
  const basis = zeros(columns, width);
  basis.data.set(start?.data.subarray(0, basis.data.length) ?? []);
  for (let i = start?.data.length ?? 0; i < basis.data.length; i++) basis.data[i] = 2 * random.uniform() - 1;
  return basis;
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

/** What is still to be gained, as a geometric series by the last two gains. */
function toCome(energies: readonly number[]): number {
  if (energies.length < 2) return Number.POSITIVE_INFINITY;
  const [now, last, before] = energies.slice(-3).reverse() as [number, number, number?];
  const gain = Math.max(0, now - last);
  const rate = before === undefined || last <= before ? 0 : Math.min(gain / (last - before), 1);
  return gain * Math.max(leastToCome, rate / (1 - rate + rounding));
}

/** What may be missing of the energy, so that |W - B A| is found within `tolerance` |W|. */
const allowed = (total: number, energy: number, tolerance: number): number =>
  Math.max(2 * tolerance * Math.sqrt(total * Math.max(0, total - energy)), rounding * total);

/** The nearest of at most `rank` to `operator`, the roots of the singular values in both factors. */
export async function nearestOfRank(operator: LinearOperator, rank: number, options: NearestOptions): Promise<Nearest> {
  const { multiply: times = multiply, start, tolerance = defaultTolerance, total } = options;
  const most = Math.min(operator.rows, operator.columns);
  const width = Math.min(Math.max(Math.min(rank, most), start?.columns ?? 0) + oversampling, most);
  const energies: number[] = [];
  let [y, isRight] = [begun(operator, width, start), true];
  for (;;) {
    const before = eigen(y);
    const there = Math.max(1, before.values.filter((value) => value > negligible * before.values[0]!).length);
    const x = await times(
      y,
      scaled(before.vectors, there, (i) => (before.values[i]! > 0 ? 1 / Math.sqrt(before.values[i]!) : 0)),
    );
    y = await (isRight ? operator.apply(x) : operator.applyTransposed(x));
    const { values, vectors } = eigen(y);
    const count = Math.max(1, Math.min(rank, values.filter((value) => value > negligible * values[0]!).length));
    const energy = sum(values.subarray(0, count));
    energies.push(energy);
    if (energies.length >= mostProducts || toCome(energies) <= allowed(total, energy, tolerance)) {
      const root = (i: number): number => Math.sqrt(Math.sqrt(values[i]!));
      const image = await times(
        y,
        scaled(vectors, count, (i) => (root(i) > 0 ? 1 / root(i) : 0)),
      );
      const basis = await times(x, scaled(vectors, count, root));
      const [b, aTransposed] = isRight ? [image, basis] : [basis, image];
      return { b, aTransposed, energy, products: energies.length };
    }
    isRight = !isRight;
  }
}
