import type { BlockShape, Kernels, PackedMatrix } from '../src/runtime/native/kernels.ts';

export interface DrawnBlock {
  readonly shape: BlockShape;
  readonly rows: number;
  readonly ranges: Int32Array;
  readonly int8: boolean;
  readonly inputGradient: boolean;
}
type Arrays = Record<string, Float32Array | Int32Array>;
interface Matrix {
  readonly values: Int8Array | Float32Array;
  readonly scale: Float32Array;
  readonly inFeatures: number;
  readonly outFeatures: number;
}
export interface DrawnInputs {
  readonly arrays: Arrays;
  readonly matrices: Record<string, Matrix>;
}
export function drawBlock(random: () => number): DrawnBlock;
export function inputsOf(block: DrawnBlock, random: () => number): DrawnInputs;
export function pack(kernels: Kernels, inputs: DrawnInputs, int8: boolean): Record<string, PackedMatrix>;
export function compute(kernels: Kernels, block: DrawnBlock, inputs: DrawnInputs & { readonly packed: Record<string, PackedMatrix> }, threads: number): Record<string, Float32Array>;
export function digestOf(results: Record<string, Float32Array>): string;
