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

export function emptyMatrix(inFeatures: number, outFeatures: number): QuantisedMatrix {
  return {
    values: new Int8Array(inFeatures * outFeatures),
    scale: new Float32Array(outFeatures),
    inFeatures,
    outFeatures,
  };
}

export interface QuantiseOptions {
  /** Largest magnitude of a value, at most 127. */
  readonly levels: number;
  /** [in]: multiplied into the columns of W first (what its input was divided by). */
  readonly inputScale?: Float32Array | null;
  /** [out]: divides the rows of W. */
  readonly outputDivisor?: Float32Array | null;
}

/** Quantises rows of W, given as [rows, in], into `to` from its column `firstRow` on. */
export function quantiseRows(
  to: QuantisedMatrix,
  firstRow: number,
  weight: Float32Array,
  options: QuantiseOptions,
): void {
  const { levels, inputScale, outputDivisor } = options;
  const { inFeatures, outFeatures, scale, values } = to;
  const all = weight.length / inFeatures;
  const rows = new Int8Array(rowsAtOnce * inFeatures);
  const row = new Float32Array(inFeatures);
  for (let first = 0; first < all; first += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, all - first);
    for (let r = 0; r < count; r++) {
      const source = weight.subarray((first + r) * inFeatures, (first + r + 1) * inFeatures);
      if (inputScale) for (let k = 0; k < inFeatures; k++) row[k] = source[k]! * inputScale[k]!;
      else row.set(source);
      let top = 0;
      for (let k = 0; k < inFeatures; k++) {
        const value = row[k]!;
        if (value > top) top = value;
        else if (-value > top) top = -value;
      }
      const inverse = top > 0 ? levels / top : 0;
      const out = firstRow + first + r;
      scale[out] = top / levels / (outputDivisor?.[out] ?? 1);
      const to = r * inFeatures;
      // Rounds: truncation of what is made positive first. Math.round takes several times as long.
      for (let k = 0; k < inFeatures; k++) rows[to + k] = ((row[k]! * inverse + 128.5) | 0) - 128;
    }
    for (let k = 0; k < inFeatures; k++) {
      const place = k * outFeatures + firstRow + first;
      for (let r = 0; r < count; r++) values[place + r] = rows[r * inFeatures + k]!;
    }
  }
}

/** Quantises W [out, in] whole. */
export function quantiseMatrix(weight: Float32Array, inFeatures: number, options: QuantiseOptions): QuantisedMatrix {
  const matrix = emptyMatrix(inFeatures, weight.length / inFeatures);
  quantiseRows(matrix, 0, weight, options);
  return matrix;
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
