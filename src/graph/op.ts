/**
 * The closed set of operations that a graph is made of, and how many inputs each has. Every pass (gradient, emit) is a total map over it.
 * Knows nothing of engines.
 */

/** A size: a number, or the name of one that is only known when the graph runs (`N` tokens, `3*C` rows, ...). */
export type Dimension = number | string;
export type Shape = readonly Dimension[];

export type DataType = 'float32' | 'float16' | 'int64' | 'int8' | 'uint8';

export type Op =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'scalar'; readonly value: number }
  /** a + b and a * b; b has a's shape, or that of its last dimensions (where a size may be 1), or is a scalar. */
  | { readonly kind: 'add' }
  | { readonly kind: 'mul' }
  /** Two matrices, each transposed first where said. */
  | { readonly kind: 'matmul'; readonly transposeA: boolean; readonly transposeB: boolean }
  /** The same for stacks [S, ., .], times a number. */
  | {
      readonly kind: 'batch-matmul';
      readonly transposeA: boolean;
      readonly transposeB: boolean;
      readonly factor: number;
    }
  /** As another type. Not differentiated. */
  | { readonly kind: 'cast'; readonly to: DataType }
  /** 1 / (1 + exp(-x)). */
  | { readonly kind: 'sigmoid' }
  /** x * sigmoid(x). */
  | { readonly kind: 'silu' }
  /** (sigmoid(x), silu(x), dy) -> dx. */
  | { readonly kind: 'silu-grad' }
  /** Over the last dimension. */
  | { readonly kind: 'softmax' }
  /** (softmax(x), dy) -> dx. */
  | { readonly kind: 'softmax-grad' }
  /** (x [R, D], weight [D]): x / sqrt(mean(x^2) + epsilon) * weight, https://arxiv.org/abs/1910.07467. */
  | { readonly kind: 'rms-norm'; readonly epsilon: number }
  /** x [R, D] / sqrt(mean(x^2) + epsilon): the norm without a weight. Only in gradients. */
  | { readonly kind: 'unit-rows'; readonly epsilon: number }
  /** (unit-rows(x), x, dy * weight) -> dx. */
  | { readonly kind: 'rms-norm-grad'; readonly epsilon: number }
  /** (x [N, heads * D], cos [N, D/2], sin [N, D/2]): halves rotated, https://arxiv.org/abs/2104.09864; `inverse` rotates back. */
  | { readonly kind: 'rope'; readonly heads: number; readonly inverse: boolean }
  | { readonly kind: 'reshape' }
  | { readonly kind: 'transpose'; readonly permutation: readonly number[] }
  /**
   * (x [N, D], index [M], inverse [N] int64) -> rows of x in the order of index [M, D]. inverse[n] is the place of row n; places that no
   * row has are filling, which must not reach what is differentiated: the gradient just takes the rows back by `inverse`.
   */
  | { readonly kind: 'order-rows' }
  /** (x [N, D], index [M] int64) -> the rows of x that index names, each as often as it names it [M, D]. Not differentiated. */
  | { readonly kind: 'gather-rows' }
  /** Columns [from, to) of a matrix, and its gradient: a matrix of `width` columns, zero but for those from `from` on. */
  | { readonly kind: 'columns'; readonly from: number; readonly to: number }
  | { readonly kind: 'pad-columns'; readonly from: number; readonly width: number }
  /** x [R, D] with each block of `block` columns Hadamard-transformed (hadamard.ts); its own inverse, so its gradient is the same of dy. */
  | { readonly kind: 'hadamard'; readonly block: number }
  /** x [R, D] -> the scale [R, 1] that brings each row into -127..127, or 0..255 where no x is negative: max |x| / 127 or / 255, at least a tiny number. */
  | { readonly kind: 'row-scale'; readonly signed: boolean }
  /** (x [R, D], scale [R, 1]) -> x / scale rounded, plus 128, as uint8. Its gradient passes straight through (Bengio et al., https://arxiv.org/abs/1308.3432). */
  | { readonly kind: 'quantize' }
  /**
   * (x [R, D] >= 0, scale [R, 1], thresholds [D] in -1/2 .. 1/2) -> x / scale + threshold rounded, as uint8, without 128: in sums over many
   * columns that are far below the scale, as probabilities are, what one loses another gains. Not differentiated.
   */
  | { readonly kind: 'dither' }
  /** (quantized or, without a sign, dithered x [R, K], scale of x [R, 1], weight [K, N] int8, scale of the weight's columns [N] or of all) -> x W as float32 [R, N]. */
  | { readonly kind: 'int8-matmul'; readonly signed: boolean }
  /** (quantized x [R, N], scale of x [R, 1], weight [K, N] int8) -> x W^T as float32 [R, K]; the columns' scale is already in x. */
  | { readonly kind: 'int8-matmul-transposed' }
  /** Products of the last dimensions of a and b [..., D], summed: [..., 1]. Only in gradients. */
  | { readonly kind: 'row-dot' }
  /** Sum over all but the last dimension of a matrix: [R, D] -> [D]. */
  | { readonly kind: 'sum-rows' }
  /** (logits [R, V], target [R, 1] int64) -> log-probability of the target [R, 1]. */
  | { readonly kind: 'log-probability' }
  /** (logits [R, V], target [R, 1]) -> probabilities, less 1 at the target: minus the gradient of the log-probability. */
  | { readonly kind: 'log-probability-grad' }
  /** e^x. Not differentiated. */
  | { readonly kind: 'exp' }
  /** (x [R, V], index [R, 1] int64) -> x with 0 at the named place of each row. Not differentiated. */
  | { readonly kind: 'zero-at' };

export type OpKind = Op['kind'];

/** How many inputs a node of each kind has; the graph is built by it (graph.ts), and passes take inputs apart by it. */
export const inputCounts = {
  input: 0,
  scalar: 0,
  add: 2,
  mul: 2,
  matmul: 2,
  'batch-matmul': 2,
  cast: 1,
  sigmoid: 1,
  silu: 1,
  'silu-grad': 3,
  softmax: 1,
  'softmax-grad': 2,
  'rms-norm': 2,
  'unit-rows': 1,
  'rms-norm-grad': 3,
  rope: 3,
  reshape: 1,
  transpose: 1,
  'order-rows': 3,
  'gather-rows': 2,
  columns: 1,
  'pad-columns': 1,
  hadamard: 1,
  'row-scale': 1,
  quantize: 2,
  dither: 3,
  'int8-matmul': 4,
  'int8-matmul-transposed': 3,
  'row-dot': 2,
  'sum-rows': 1,
  'log-probability': 2,
  'log-probability-grad': 2,
  exp: 1,
  'zero-at': 2,
} as const satisfies Record<OpKind, number>;

interface Tuples<T> {
  readonly 0: readonly [];
  readonly 1: readonly [T];
  readonly 2: readonly [T, T];
  readonly 3: readonly [T, T, T];
  readonly 4: readonly [T, T, T, T];
}
/** One T for each input of a node of that kind. */
export type PerInput<K extends OpKind, T> = Tuples<T>[(typeof inputCounts)[K]];

/** One value of a graph. Graphs are made of nothing else: a node knows its inputs. */
export interface Node {
  readonly op: Op;
  readonly inputs: readonly Node[];
  readonly shape: Shape;
  readonly type: DataType;
}
