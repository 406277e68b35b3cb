/** GGUF's tensor types: their sizes and how their bytes become float32. Pure. Block layouts: ggml-common.h of https://github.com/ggml-org/ggml. */
import { dequantizeBlocks } from '../../kernels/weights.ts';
import type { GgmlType } from './types.ts';

interface TypeLayout {
  /** The number that GGUF files hold. */
  readonly id: number;
  /** Weights per block and bytes per block. */
  readonly blockSize: number;
  readonly blockBytes: number;
}

export const ggmlLayouts: Readonly<Record<GgmlType, TypeLayout>> = {
  F32: { id: 0, blockSize: 1, blockBytes: 4 },
  F16: { id: 1, blockSize: 1, blockBytes: 2 },
  BF16: { id: 30, blockSize: 1, blockBytes: 2 },
  Q8_0: { id: 8, blockSize: 32, blockBytes: 34 },
  Q4_0: { id: 2, blockSize: 32, blockBytes: 18 },
  Q4_1: { id: 3, blockSize: 32, blockBytes: 20 },
  Q5_0: { id: 6, blockSize: 32, blockBytes: 22 },
  Q5_1: { id: 7, blockSize: 32, blockBytes: 24 },
  Q4_K: { id: 12, blockSize: 256, blockBytes: 144 },
  Q5_K: { id: 13, blockSize: 256, blockBytes: 176 },
  Q6_K: { id: 14, blockSize: 256, blockBytes: 210 },
};

let halfTable: Float32Array | undefined;

/** The float32 value of every float16 bit pattern, made once. */
export function float16Table(): Float32Array {
  if (halfTable) return halfTable;
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const sign = bits & 0x8000 ? -1 : 1;
    if (exponent === 31) table[bits] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else if (exponent === 0) table[bits] = sign * fraction * 2 ** -24;
    else table[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  halfTable = table;
  return table;
}

const half = (table: Float32Array, bytes: Uint8Array, at: number): number => table[bytes[at]! | (bytes[at + 1]! << 8)]!;

/** Writes the float32 values of whole blocks of `type` into `out`; `out.length` must be a multiple of the block size. */
export function dequantize(type: GgmlType, bytes: Uint8Array, out: Float32Array): void {
  if (type === 'F32') {
    new Uint8Array(out.buffer, out.byteOffset, out.length * 4).set(bytes.subarray(0, out.length * 4));
  } else if (type === 'F16') {
    const table = float16Table();
    for (let i = 0; i < out.length; i++) out[i] = half(table, bytes, 2 * i);
  } else if (type === 'BF16') {
    const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
    for (let i = 0; i < out.length; i++) words[i] = ((bytes[2 * i]! | (bytes[2 * i + 1]! << 8)) << 16) >>> 0;
  } else dequantizeBlocks(type, ggmlLayouts[type], bytes, out);
}
