/** The standard normal distribution. Pure. */

/** Coefficients of Cody's rational approximations of erfc, relative error below 1e-15: https://doi.org/10.1090/S0025-5718-1969-0247736-4 */
const near = {
  p: [3209.3775891384694, 377.485237685302, 113.86415415105016, 3.1611237438705655, 0.18577770618460315], // biome-ignore format: a table
  q: [2844.236833439171, 1282.6165260773723, 244.02463793444417, 23.601290952344122, 1], // biome-ignore format: a table
};
const middle = {
  p: [1230.3393547979972, 2051.0783778260716, 1712.0476126340707, 881.952221241769, 298.6351381974001, 66.11919063714163, 8.883149794388377, 0.5641884969886701, 2.1531153547440383e-08], // biome-ignore format: a table
  q: [1230.3393548037495, 3439.3676741437216, 4362.619090143247, 3290.7992357334597, 1621.3895745666903, 537.1811018620099, 117.6939508913125, 15.744926110709835, 1], // biome-ignore format: a table
};
const far = {
  p: [-0.0006587491615298378, -0.016083785148742275, -0.12578172611122926, -0.36034489994980445, -0.30532663496123236, -0.016315387137302097], // biome-ignore format: a table
  q: [0.0023352049762686918, 0.06051834131244132, 0.5279051029514285, 1.8729528499234673, 2.568520192289822, 1], // biome-ignore format: a table
};
const nearBound = 0.46875;
const middleBound = 4;

/** Lowest power first. */
const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduceRight((sum, c) => sum * x + c, 0);

/** erfc(x) = 1 - erf(x), with small values of it exact too. */
export function erfc(x: number): number {
  const a = Math.abs(x);
  if (a <= nearBound) return 1 - (x * polynomial(near.p, x * x)) / polynomial(near.q, x * x);
  const inverse = 1 / (a * a);
  const scaled =
    a <= middleBound
      ? polynomial(middle.p, a) / polynomial(middle.q, a)
      : (1 / Math.sqrt(Math.PI) + (inverse * polynomial(far.p, inverse)) / polynomial(far.q, inverse)) / a;
  const tail = Math.exp(-a * a) * scaled;
  return x < 0 ? 2 - tail : tail;
}

/** P(Z <= z). */
export const normalCdf = (z: number): number => erfc(-z / Math.SQRT2) / 2;

/** Of Acklam's approximation, relative error 1.15e-9, which one step of Halley's method makes exact to the last digits. */
const inner = {
  a: [2.506628277459239, -30.66479806614716, 138.357751867269, -275.9285104469687, 220.9460984245205, -39.69683028665376], // biome-ignore format: a table
  b: [1, -13.28068155288572, 66.80131188771972, -155.6989798598866, 161.5858368580409, -54.47609879822406],
};
const outer = {
  c: [2.938163982698783, 4.374664141464968, -2.549732539343734, -2.400758277161838, -0.3223964580411365, -0.007784894002430293], // biome-ignore format: a table
  d: [1, 3.754408661907416, 2.445134137142996, 0.3224671290700398, 0.007784695709041462],
};
const tailShare = 0.02425;

function approximateQuantile(p: number): number {
  if (p > 1 - tailShare) return -approximateQuantile(1 - p);
  if (p >= tailShare) {
    const q = p - 0.5;
    return (q * polynomial(inner.a, q * q)) / polynomial(inner.b, q * q);
  }
  const q = Math.sqrt(-2 * Math.log(p));
  return polynomial(outer.c, q) / polynomial(outer.d, q);
}

/** z with P(Z <= z) = p. */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) return p === 0 ? Number.NEGATIVE_INFINITY : p === 1 ? Number.POSITIVE_INFINITY : Number.NaN;
  const z = approximateQuantile(p);
  const error = (normalCdf(z) - p) * Math.sqrt(2 * Math.PI) * Math.exp((z * z) / 2);
  return z - error / (1 + (z * error) / 2);
}
