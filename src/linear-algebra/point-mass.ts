/**
 * How much of a vector can lie along any single eigenvector of a symmetric matrix that is only multiplied with, without knowing its
 * eigenvectors. Lanczos' recurrence from the vector gives the polynomials that are orthonormal under its spectral measure, and the mass of
 * that measure at a point x is at most 1 / sum p_k(x)^2 (Christoffel's function; Golub and Meurant, Matrices, Moments and Quadrature,
 * 2010). Pure.
 */
import { EigenvalueDecomposition, Matrix as MlMatrix } from 'ml-matrix';
import { addScaled, dot, type Matrix, norm } from './matrix.ts';

/** Of the tridiagonal matrix: `alpha` its diagonal, `beta` what stands beside it. */
interface Recurrence {
  readonly alpha: readonly number[];
  readonly beta: readonly number[];
}

/** A vector of this share of the first that is left counts as none: the recurrence has ended, and the measure is known. */
const ended = 1e-10;

/** Lanczos with full reorthogonalisation, since the bound needs the polynomials as they are in exact arithmetic. */
async function recurrenceOf(
  multiply: (x: Matrix) => Matrix | Promise<Matrix>,
  start: Float64Array,
  steps: number,
): Promise<Recurrence> {
  const [alpha, beta]: [number[], number[]] = [[], []];
  const length = norm(start);
  const basis = [start.map((value) => value / length)];
  let scale = 0;
  for (let k = 0; k < Math.min(steps, start.length); k++) {
    const { data } = await multiply({ rows: start.length, columns: 1, data: basis[k]! });
    scale ||= norm(data);
    alpha.push(dot(data, basis[k]!));
    // Twice is enough (Kahan).
    for (let pass = 0; pass < 2; pass++) for (const vector of basis) addScaled(data, vector, -dot(vector, data));
    const left = norm(data);
    if (left <= ended * scale) break;
    beta.push(left);
    basis.push(data.map((value) => value / left));
  }
  return { alpha, beta };
}

/** 1 / sum p_k(x)^2 over the polynomials of the recurrence. */
function christoffel({ alpha, beta }: Recurrence, x: number): number {
  let [before, now, sum] = [0, 1, 1];
  for (let k = 0; k + 1 < alpha.length; k++) {
    const next = ((x - alpha[k]!) * now - (k === 0 ? 0 : beta[k - 1]!) * before) / beta[k]!;
    [before, now] = [now, next];
    sum += next ** 2;
  }
  return 1 / sum;
}

/** Points between two neighbouring Ritz values at which the function is evaluated: it has no room for a narrow peak there. */
const pointsBetween = 24;

/**
 * The largest square of a cosine that `vector` can have with an eigenvector of the symmetric matrix [n, n] that `multiply` multiplies with,
 * after `steps` products (at most n; then it is the largest itself, of eigenvalues that are all different).
 */
export async function mostPointMass(
  multiply: (x: Matrix) => Matrix | Promise<Matrix>,
  vector: Float64Array,
  steps: number,
): Promise<number> {
  const recurrence = await recurrenceOf(multiply, vector, steps);
  const { alpha, beta } = recurrence;
  const size = alpha.length;
  const tridiagonal = MlMatrix.zeros(size, size);
  for (let k = 0; k < size; k++) {
    tridiagonal.set(k, k, alpha[k]!);
    if (k + 1 < size) {
      tridiagonal.set(k, k + 1, beta[k]!);
      tridiagonal.set(k + 1, k, beta[k]!);
    }
  }
  const ritz = new EigenvalueDecomposition(tridiagonal, { assumeSymmetric: true }).realEigenvalues.sort(
    (a, b) => a - b,
  );
  let most = 0;
  for (let i = 0; i < size; i++) {
    const [here, next] = [ritz[i]!, ritz[i + 1] ?? ritz[i]!];
    // The recurrence that ended has no mass between its points.
    const points = beta.length < size ? 1 : pointsBetween;
    for (let j = 0; j < points; j++)
      most = Math.max(most, christoffel(recurrence, here + ((next - here) * j) / points));
  }
  return most;
}
