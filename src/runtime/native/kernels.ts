/** What the addon of native/ offers, as types. */
import type { Projection } from '../../lora/adapter.ts';

/** A frozen matrix, arranged for the kernels. */
export type PackedMatrix = object;

/** Sizes and options of a block, by the names of native/src/shape.h; flags are 0 or 1, bit i of `targets` is projection i in `projections`' order. */
export type BlockShape = Readonly<
  Record<
    | 'modelWidth'
    | 'queryWidth'
    | 'keyWidth'
    | 'feedForward'
    | 'headDim'
    | 'rank'
    | 'vocabulary'
    | 'epsilon'
    | 'threads'
    | 'dropout'
    | 'biases'
    | 'headNorms'
    | 'targets',
    number
  >
>;

export type StageName =
  | 'before.forward'
  | 'before.backward'
  | 'attention.forward'
  | 'attention.backward'
  | 'after.forward'
  | 'after.backward'
  | 'head';

/** The addon's functions. They throw where an array is missing or has another length, before anything is computed. */
export interface Kernels {
  /**
   * Values [in, out] with the scale of each column, as `quantizeMatrix` makes them. They are arranged anew where they lie, so that nothing is held twice: the
   * arrays are the kernels' from now on, and last as long as the matrix is used. `transposed` [out, in] is the same matrix; without it the other direction is turned when it is wanted.
   */
  packInt8(
    values: Int8Array,
    inFeatures: number,
    outFeatures: number,
    scale: Float32Array,
    transposed: Int8Array | null,
  ): PackedMatrix;
  /**
   * The matrix, which was packed without `transposed`, lies in `values` from now on; they hold what packInt8 made of the former ones. Throws where outFeatures is
   * no multiple of 64: such a matrix has memory of its own.
   */
  moveInt8(packed: PackedMatrix, values: Int8Array): void;
  /** Values [out, in], which are copied, for both directions. */
  packExact(values: Float32Array, inFeatures: number, outFeatures: number): PackedMatrix;
  run(
    stage: StageName,
    int8: boolean,
    shape: BlockShape,
    rows: number,
    arrays: Record<string, Float32Array | Int32Array | PackedMatrix>,
  ): void;
  /** For tests: the kernels get so many more arrays of their own, and then fail once, as where memory has run out. Below zero they get all. */
  failArray(after: number): void;
}

/** A frozen int8 matrix that an engine has arranged for itself, and what is told whenever it was read anew: where it lies. */
export interface ArrangedMatrix {
  liesIn(values: Int8Array): void;
}

/** Arranges values [in, out] anew where they lie; null where the engine takes them as they are. */
export type Arrange = (projection: Projection, values: Int8Array, scale: Float32Array) => ArrangedMatrix | null;
