/** Frozen matrices as int8 with one scale an output column, Hadamard-transformed. Pure. */
import { hadamardBlock } from '../graph/hadamard.ts';
import { quantizeRowPieces } from '../kernels/weights.ts';

/**
 * Matrix W [out, in] as int8 values [in, out] and the scale [out] of each column: values * scale ~ H W^T, H the transform of
 * graph/hadamard.ts. (x H) (H W^T) = x W^T, and neither side has channels much louder than others.
 */
export interface QuantizedMatrix {
  readonly values: Int8Array;
  readonly scale: Float32Array;
  readonly inFeatures: number;
  readonly outFeatures: number;
}

/** Rows that are transposed at once: their columns then stand side by side in whole cache lines. */
const rowsAtOnce = 64;

export function emptyMatrix(inFeatures: number, outFeatures: number): QuantizedMatrix {
  return {
    values: new Int8Array(inFeatures * outFeatures),
    scale: new Float32Array(outFeatures),
    inFeatures,
    outFeatures,
  };
}

/**
 * Quantizes rows of W, given as [rows, in], into `to` from its column `firstRow` on, transformed as block graphs transform their inputs.
 * `levels`: largest magnitude of a value, at most 127.
 */
export function quantizeRows(to: QuantizedMatrix, firstRow: number, weight: Float32Array, levels: number): void {
  const { inFeatures, outFeatures, scale, values } = to;
  const rows = { weight, width: inFeatures, block: hadamardBlock(inFeatures), levels };
  quantizeRowPieces(rows, (first, piece, scales) => {
    const [column, count] = [firstRow + first, scales.length];
    scale.set(scales, column);
    for (let k = 0; k < inFeatures; k++)
      values.set(piece.subarray(k * count, (k + 1) * count), k * outFeatures + column);
  });
}

/** Quantizes W [out, in] whole. */
export function quantizeMatrix(weight: Float32Array, inFeatures: number, levels: number): QuantizedMatrix {
  const matrix = emptyMatrix(inFeatures, weight.length / inFeatures);
  quantizeRows(matrix, 0, weight, levels);
  return matrix;
}

/** The values transposed, [out, in]. */
export function transposedValues({ inFeatures, outFeatures, values }: QuantizedMatrix): Int8Array {
  const transposed = new Int8Array(values.length);
  for (let first = 0; first < outFeatures; first += rowsAtOnce) {
    const last = Math.min(outFeatures, first + rowsAtOnce);
    for (let k = 0; k < inFeatures; k++) {
      for (let out = first; out < last; out++) transposed[out * inFeatures + k] = values[k * outFeatures + out]!;
    }
  }
  return transposed;
}
