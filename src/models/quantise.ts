/** Frozen matrices as int8 with one scale an output column. Pure. */

/** Matrix W [out, in] as int8 values of W^T [in, out] and the scale [out] of each column: W^T ~ values * scale. */
export interface QuantisedMatrix {
  readonly values: Int8Array;
  readonly scale: Float32Array;
  readonly inFeatures: number;
  readonly outFeatures: number;
}

/** Rows that are turned at once: their columns then stand side by side in whole cache lines. */
const rowsAtOnce = 64;

/**
 * Quantises W [out, in] to -levels..levels. `inputScale` [in] is multiplied into the columns of W first (what its input was divided by),
 * `outputDivisor` [out] divides its rows.
 */
export function quantiseMatrix(
  weight: Float32Array,
  inFeatures: number,
  levels: number,
  inputScale: Float32Array | null = null,
  outputDivisor: Float32Array | null = null,
): QuantisedMatrix {
  const outFeatures = weight.length / inFeatures;
  const values = new Int8Array(weight.length);
  const scale = new Float32Array(outFeatures);
  const rows = new Int8Array(rowsAtOnce * inFeatures);
  for (let first = 0; first < outFeatures; first += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, outFeatures - first);
    for (let r = 0; r < count; r++) {
      const at = (first + r) * inFeatures;
      let top = 0;
      for (let k = 0; k < inFeatures; k++) {
        const value = Math.abs(inputScale ? weight[at + k]! * inputScale[k]! : weight[at + k]!);
        if (value > top) top = value;
      }
      const step = top / levels;
      const inverse = top > 0 ? levels / top : 0;
      scale[first + r] = step / (outputDivisor?.[first + r] ?? 1);
      for (let k = 0; k < inFeatures; k++) {
        const value = inputScale ? weight[at + k]! * inputScale[k]! : weight[at + k]!;
        rows[r * inFeatures + k] = Math.round(value * inverse);
      }
    }
    for (let k = 0; k < inFeatures; k++) {
      const to = k * outFeatures + first;
      for (let r = 0; r < count; r++) values[to + r] = rows[r * inFeatures + k]!;
    }
  }
  return { values, scale, inFeatures, outFeatures };
}

/**
 * SmoothQuant's scales (https://arxiv.org/abs/2211.10438, equation 4): s = max|x|^alpha / max|w|^(1 - alpha) for each input channel.
 * The input is divided by s and the weights multiplied, so that outliers of the input become a little of the weights' range.
 */
export function smoothingScales(inputTop: Float32Array, weightTop: Float32Array, alpha: number): Float32Array {
  return inputTop.map((x, k) => {
    const s = x ** alpha / weightTop[k]! ** (1 - alpha);
    return Number.isFinite(s) && s > leastSmoothing ? s : 1;
  });
}
/** A channel that never speaks is left alone: dividing by nearly nothing would make noise of it. */
const leastSmoothing = 1e-5;

/** Largest |w| of each column of W [out, in], over several matrices of the same input. */
export function columnTops(matrices: readonly Float32Array[], inFeatures: number): Float32Array {
  const tops = new Float32Array(inFeatures);
  for (const matrix of matrices) {
    for (let at = 0; at < matrix.length; at += inFeatures) {
      for (let k = 0; k < inFeatures; k++) {
        const value = Math.abs(matrix[at + k]!);
        if (value > tops[k]!) tops[k] = value;
      }
    }
  }
  return tops;
}
