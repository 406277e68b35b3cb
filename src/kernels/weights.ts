/**
 * What runs over every weight of a model on its way from the file to a step, as WebAssembly with its 128-bit vectors: native/wasm/weights.c, built by
 * native/wasm/build.mjs. One instance a thread, made when first asked for. No imports, no state but scratch memory.
 */
import { wasm } from './gen/weights-wasm.ts';
import { instantiate, places, type WasmModule } from './wasm-memory.ts';

/** GGUF's tensor types that pack weights into blocks. */
export type BlockType = 'Q8_0' | 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q4_K' | 'Q5_K' | 'Q6_K';

/** Block by block; pointers are bytes from the beginning of the memory. */
type Dequantizer = (bytes: number, out: number, blocks: number) => void;

interface Kernels extends WasmModule, Readonly<Record<Lowercase<BlockType>, Dequantizer>> {
  /** rows, count, width, block, levels, columns, values, scale: as weights.c has them. */
  quantize(...args: readonly number[]): void;
}

/** Floats that are handed over at once: what comes and goes stays in a processor's second cache. */
const floatsAtOnce = 65_536;
/** Rows that are quantized at once: as many of a narrow matrix, in whole tiles of the kernel. */
const [tileRows, mostRows, rowFloatsAtOnce] = [16, 256, 1_048_576] as const;

let instance: Kernels | undefined;
function kernels(): Kernels {
  instance ??= instantiate<Kernels>(wasm);
  return instance;
}

/** Writes the float32 values of `bytes`, whole blocks of `blockSize` weights in `blockBytes` bytes, into `out`. */
export function dequantizeBlocks(
  type: BlockType,
  { blockSize, blockBytes }: { readonly blockSize: number; readonly blockBytes: number },
  bytes: Uint8Array,
  out: Float32Array,
): void {
  const all = kernels();
  const dequantize = all[type.toLowerCase() as Lowercase<BlockType>];
  const [step, blocks] = [floatsAtOnce / blockSize, out.length / blockSize];
  const [from, to] = places(all, [step * blockBytes, floatsAtOnce * 4]) as [number, number];
  const input = new Uint8Array(all.memory.buffer, from);
  const output = new Float32Array(all.memory.buffer, to);
  for (let first = 0; first < blocks; first += step) {
    const count = Math.min(step, blocks - first);
    input.set(bytes.subarray(first * blockBytes, (first + count) * blockBytes));
    dequantize(from, to, count);
    out.set(output.subarray(0, count * blockSize), first * blockSize);
  }
}

/** Rows [all, width] of a matrix, and how they become integers. */
export interface RowsToQuantize {
  readonly weight: Float32Array;
  readonly width: number;
  /** Block of the Hadamard transform: a power of two that divides `width`; 1 transforms nothing. */
  readonly block: number;
  /** Largest magnitude of a value. */
  readonly levels: number;
}

/**
 * Rows as integers, transformed by Hadamard blocks, in pieces: `take` gets the values [width, count] and scales [count] of `count` rows from `first` on.
 * What it gets is overwritten by the next piece.
 */
export function quantizeRowPieces(
  { weight, width, block, levels }: RowsToQuantize,
  take: (first: number, values: Int8Array, scales: Float32Array) => void,
): void {
  const all = kernels();
  const step = Math.max(tileRows, Math.min(mostRows, Math.floor(rowFloatsAtOnce / width / tileRows) * tileRows));
  const sizes = [step * width * 4, tileRows * width * 4, step * width, step * 4];
  const [rows, columns, values, scales] = places(all, sizes) as [number, number, number, number];
  for (let first = 0; first * width < weight.length; first += step) {
    const part = weight.subarray(first * width, (first + step) * width);
    const count = part.length / width;
    const { buffer } = all.memory;
    new Float32Array(buffer, rows).set(part);
    all.quantize(rows, count, width, block, levels, columns, values, scales);
    take(first, new Int8Array(buffer, values, count * width), new Float32Array(buffer, scales, count));
  }
}
