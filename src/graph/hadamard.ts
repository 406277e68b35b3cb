/**
 * The transform by a block-diagonal Walsh-Hadamard matrix: each block of a row is multiplied by H / sqrt(block), H[i][j] = (-1)^popcount(i & j).
 * It spreads what is loud in one channel over a block, is its own inverse and changes no product of two transformed matrices
 * (QuaRot, https://arxiv.org/abs/2404.00456). Pure.
 */

/** Longest block: the cost grows with it, and neither 32 nor 512 differed from it by more than chance on SmolLM2 (docs/decisions: int8). */
const maxBlock = 64;

/** The block for rows of this width: the largest power of two that divides it, up to the longest; 1 transforms nothing. */
export function hadamardBlock(width: number): number {
  let block = maxBlock;
  while (width % block !== 0) block /= 2;
  return block;
}

/** H / sqrt(block), row by row. */
export function hadamardMatrix(block: number): Float32Array {
  const matrix = new Float32Array(block * block);
  for (let i = 0; i < block; i++) {
    matrix[i * block + i] = 1;
    hadamardInPlace(matrix.subarray(i * block, (i + 1) * block), block);
  }
  return matrix;
}

/** Transforms every block of `values` in place, by the fast algorithm: log2(block) additions a value. */
export function hadamardInPlace(values: Float32Array, block: number): void {
  const factor = 1 / Math.sqrt(block);
  for (let half = 1; half < block; half *= 2) {
    const last = half * 2 === block ? factor : 1;
    for (let at = 0; at < values.length; at += 2 * half) {
      for (let i = at; i < at + half; i++) {
        const a = values[i]!;
        const b = values[i + half]!;
        values[i] = (a + b) * last;
        values[i + half] = (a - b) * last;
      }
    }
  }
}
