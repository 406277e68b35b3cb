/**
 * GGUF's tensor types: their sizes and how their bytes become float32. Pure.
 * Block layouts: ggml-common.h and ggml-quants.c of https://github.com/ggml-org/ggml.
 */
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

type Dequantizer = (bytes: Uint8Array, out: Float32Array, blocks: number) => void;

const half = (table: Float32Array, bytes: Uint8Array, at: number): number => table[bytes[at]! | (bytes[at + 1]! << 8)]!;

/** The 6-bit scale and minimum of sub-block j of a Q4_K or Q5_K block, whose 12 scale bytes begin at `at`. */
function scaleOf(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j]! & 63 : (bytes[at + j + 4]! & 15) | ((bytes[at + j - 4]! >> 6) << 4);
}
function minimumOf(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j + 4]! & 63 : (bytes[at + j + 4]! >> 4) | ((bytes[at + j]! >> 6) << 4);
}

const dequantizers: Readonly<Record<GgmlType, Dequantizer>> = {
  F32(bytes, out, blocks) {
    new Uint8Array(out.buffer, out.byteOffset, blocks * 4).set(bytes.subarray(0, blocks * 4));
  },
  F16(bytes, out, blocks) {
    const table = float16Table();
    for (let i = 0; i < blocks; i++) out[i] = half(table, bytes, 2 * i);
  },
  BF16(bytes, out, blocks) {
    const words = new Uint32Array(out.buffer, out.byteOffset, blocks);
    for (let i = 0; i < blocks; i++) words[i] = ((bytes[2 * i]! | (bytes[2 * i + 1]! << 8)) << 16) >>> 0;
  },
  Q8_0(bytes, out, blocks) {
    const table = float16Table();
    const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 34, o += 32) {
      const d = half(table, bytes, at);
      for (let j = 0; j < 32; j++) out[o + j] = d * signed[at + 2 + j]!;
    }
  },
  Q4_0(bytes, out, blocks) {
    const table = float16Table();
    for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 18, o += 32) {
      const d = half(table, bytes, at);
      for (let j = 0; j < 16; j++) {
        const q = bytes[at + 2 + j]!;
        out[o + j] = d * ((q & 15) - 8);
        out[o + j + 16] = d * ((q >> 4) - 8);
      }
    }
  },
  Q4_1(bytes, out, blocks) {
    const table = float16Table();
    for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 20, o += 32) {
      const d = half(table, bytes, at);
      const m = half(table, bytes, at + 2);
      for (let j = 0; j < 16; j++) {
        const q = bytes[at + 4 + j]!;
        out[o + j] = d * (q & 15) + m;
        out[o + j + 16] = d * (q >> 4) + m;
      }
    }
  },
  Q5_0(bytes, out, blocks) {
    const table = float16Table();
    for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 22, o += 32) {
      const d = half(table, bytes, at);
      const high = bytes[at + 2]! | (bytes[at + 3]! << 8) | (bytes[at + 4]! << 16) | (bytes[at + 5]! << 24);
      for (let j = 0; j < 16; j++) {
        const q = bytes[at + 6 + j]!;
        out[o + j] = d * (((q & 15) | (((high >>> j) & 1) << 4)) - 16);
        out[o + j + 16] = d * (((q >> 4) | (((high >>> (j + 16)) & 1) << 4)) - 16);
      }
    }
  },
  Q5_1(bytes, out, blocks) {
    const table = float16Table();
    for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 24, o += 32) {
      const d = half(table, bytes, at);
      const m = half(table, bytes, at + 2);
      const high = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
      for (let j = 0; j < 16; j++) {
        const q = bytes[at + 8 + j]!;
        out[o + j] = d * ((q & 15) | (((high >>> j) & 1) << 4)) + m;
        out[o + j + 16] = d * ((q >> 4) | (((high >>> (j + 16)) & 1) << 4)) + m;
      }
    }
  },
  Q4_K(bytes, out, blocks) {
    const table = float16Table();
    for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 144, o += 256) {
      const d = half(table, bytes, at);
      const dMin = half(table, bytes, at + 2);
      for (let j = 0; j < 4; j++) {
        const d1 = d * scaleOf(bytes, at + 4, 2 * j);
        const m1 = dMin * minimumOf(bytes, at + 4, 2 * j);
        const d2 = d * scaleOf(bytes, at + 4, 2 * j + 1);
        const m2 = dMin * minimumOf(bytes, at + 4, 2 * j + 1);
        for (let l = 0; l < 32; l++) {
          const q = bytes[at + 16 + 32 * j + l]!;
          out[o + 64 * j + l] = d1 * (q & 15) - m1;
          out[o + 64 * j + l + 32] = d2 * (q >> 4) - m2;
        }
      }
    }
  },
  Q5_K(bytes, out, blocks) {
    const table = float16Table();
    for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 176, o += 256) {
      const d = half(table, bytes, at);
      const dMin = half(table, bytes, at + 2);
      for (let j = 0; j < 4; j++) {
        const d1 = d * scaleOf(bytes, at + 4, 2 * j);
        const m1 = dMin * minimumOf(bytes, at + 4, 2 * j);
        const d2 = d * scaleOf(bytes, at + 4, 2 * j + 1);
        const m2 = dMin * minimumOf(bytes, at + 4, 2 * j + 1);
        for (let l = 0; l < 32; l++) {
          const q = bytes[at + 48 + 32 * j + l]!;
          const high = bytes[at + 16 + l]! >> (2 * j);
          out[o + 64 * j + l] = d1 * ((q & 15) + ((high & 1) << 4)) - m1;
          out[o + 64 * j + l + 32] = d2 * ((q >> 4) + ((high & 2) << 3)) - m2;
        }
      }
    }
  },
  Q6_K(bytes, out, blocks) {
    const table = float16Table();
    const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 210, o += 256) {
      const d = half(table, bytes, at + 208);
      for (let n = 0; n < 2; n++) {
        const low = at + 64 * n;
        const highs = at + 128 + 32 * n;
        const scales = at + 192 + 8 * n;
        for (let l = 0; l < 32; l++) {
          const s = scales + (l >> 4);
          const high = bytes[highs + l]!;
          const a = bytes[low + l]!;
          const c = bytes[low + l + 32]!;
          const y = o + 128 * n + l;
          out[y] = d * signed[s]! * (((a & 15) | ((high & 3) << 4)) - 32);
          out[y + 32] = d * signed[s + 2]! * (((c & 15) | (((high >> 2) & 3) << 4)) - 32);
          out[y + 64] = d * signed[s + 4]! * (((a >> 4) | (((high >> 4) & 3) << 4)) - 32);
          out[y + 96] = d * signed[s + 6]! * (((c >> 4) | ((high >> 6) << 4)) - 32);
        }
      }
    }
  },
};

/** Writes the float32 values of whole blocks of `type` into `out`; `out.length` must be a multiple of the block size. */
export function dequantize(type: GgmlType, bytes: Uint8Array, out: Float32Array): void {
  dequantizers[type](bytes, out, out.length / ggmlLayouts[type].blockSize);
}
