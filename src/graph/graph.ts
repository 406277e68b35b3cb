/**
 * Builds nodes and checks their shapes as they are made, and walks them in order.
 * Pure; knows nothing of models or engines.
 */
import { type DataType, type Dimension, inputCounts, type Node, type Op, type Shape } from './op.ts';

export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;
const same = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i]);

/** A fault here is a fault of the program, not of its user. */
function refuse(text: string): never {
  throw new Error(`graph: ${text}`);
}

function node(op: Op, inputs: readonly Node[], shape: Shape, type: DataType = 'float32'): Node {
  if (inputs.length !== inputCounts[op.kind]) refuse(`${op.kind} of ${inputs.length} inputs`);
  return { op, inputs, shape, type };
}

export function input(name: string, shape: Shape, type: DataType = 'float32'): Node {
  return node({ kind: 'input', name }, [], shape, type);
}

export function scalar(value: number): Node {
  return node({ kind: 'scalar', value }, [], []);
}

function broadcast(kind: 'add' | 'mul', a: Node, b: Node): Node {
  const last = a.shape.slice(a.shape.length - b.shape.length);
  if (last.length !== b.shape.length || last.some((size, i) => size !== b.shape[i] && b.shape[i] !== 1)) {
    refuse(`${kind} of ${showShape(a.shape)} and ${showShape(b.shape)}`);
  }
  return node({ kind }, [a, b], a.shape);
}
export const isColumn = (a: Node, b: Node): boolean =>
  a.shape.length === 2 && b.shape.length === 2 && a.shape[0] === b.shape[0] && b.shape[1] === 1;

export const add = (a: Node, b: Node): Node => broadcast('add', a, b);
export const mul = (a: Node, b: Node): Node => broadcast('mul', a, b);

interface Transposes {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

function product(op: Extract<Op, { kind: 'matmul' | 'batch-matmul' }>, a: Node, b: Node): Node {
  const { kind, transposeA, transposeB } = op;
  const rank = kind === 'matmul' ? 2 : 3;
  if (a.shape.length !== rank || b.shape.length !== rank)
    refuse(`${kind} of ${showShape(a.shape)}, ${showShape(b.shape)}`);
  const [rows, innerA] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const [innerB, columns] = transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
  if (innerA !== innerB || (rank === 3 && a.shape[0] !== b.shape[0])) {
    refuse(`${kind} of ${showShape(a.shape)} and ${showShape(b.shape)}, transposed ${transposeA}, ${transposeB}`);
  }
  return node(op, [a, b], [...a.shape.slice(0, rank - 2), rows, columns]);
}

export function matmul(a: Node, b: Node, { transposeA = false, transposeB = false }: Transposes = {}): Node {
  return product({ kind: 'matmul', transposeA, transposeB }, a, b);
}
export function batchMatmul(a: Node, b: Node, options: Transposes & { readonly factor?: number } = {}): Node {
  const { factor = 1, transposeA = false, transposeB = false } = options;
  return product({ kind: 'batch-matmul', transposeA, transposeB, factor }, a, b);
}

const unary = (op: Op, x: Node): Node => node(op, [x], x.shape);
/** An op whose inputs and result all have one shape. */
function pair(op: Op, x: Node, dy: Node): Node {
  if (!same(x.shape, dy.shape)) refuse(`${op.kind} of ${showShape(x.shape)} and ${showShape(dy.shape)}`);
  return node(op, [x, dy], x.shape);
}

export const cast = (x: Node, to: DataType): Node => node({ kind: 'cast', to }, [x], x.shape, to);
export const silu = (x: Node): Node => unary({ kind: 'silu' }, x);
export const sigmoid = (x: Node): Node => unary({ kind: 'sigmoid' }, x);
export function siluGrad(s: Node, y: Node, dy: Node): Node {
  if (!same(s.shape, y.shape) || !same(s.shape, dy.shape)) refuse(`silu-grad of ${showShape(s.shape)}`);
  return node({ kind: 'silu-grad' }, [s, y, dy], s.shape);
}
export const softmax = (x: Node): Node => unary({ kind: 'softmax' }, x);
export const softmaxGrad = (y: Node, dy: Node): Node => pair({ kind: 'softmax-grad' }, y, dy);

export function rmsNorm(x: Node, weight: Node, epsilon: number): Node {
  if (!same([x.shape.at(-1)!], weight.shape)) refuse(`rms-norm of ${showShape(x.shape)} by ${showShape(weight.shape)}`);
  return node({ kind: 'rms-norm', epsilon }, [x, weight], x.shape);
}
export const unitRows = (x: Node, epsilon: number): Node => unary({ kind: 'unit-rows', epsilon }, x);
export function rmsNormGrad(x: Node, dyWeight: Node, epsilon: number): Node {
  if (!same(x.shape, dyWeight.shape)) refuse(`rms-norm-grad of ${showShape(x.shape)} and ${showShape(dyWeight.shape)}`);
  return node({ kind: 'rms-norm-grad', epsilon }, [unitRows(x, epsilon), x, dyWeight], x.shape);
}

/** What each row of a matrix is rotated by, [N, D/2] both. */
export interface Angles {
  readonly cos: Node;
  readonly sin: Node;
}
interface RopeOptions {
  readonly heads: number;
  /** Rotates back. */
  readonly inverse?: boolean;
}
export function rope(x: Node, { cos, sin }: Angles, { heads, inverse = false }: RopeOptions): Node {
  const width = x.shape[1];
  if (
    x.shape.length !== 2 ||
    typeof width !== 'number' ||
    width / heads / 2 !== cos.shape[1] ||
    !same(cos.shape, sin.shape)
  ) {
    refuse(`rope of ${showShape(x.shape)} with ${heads} heads and angles ${showShape(cos.shape)}`);
  }
  return node({ kind: 'rope', heads, inverse }, [x, cos, sin], x.shape);
}

/** Sizes that a reshape must infer: those that are neither numbers nor at the same place in the input. One is possible. */
export function inferredSizes(from: Shape, to: Shape): number[] {
  return to.map((size, i) => (typeof size === 'number' ? size : size === from[i] ? 0 : -1));
}

export function reshape(x: Node, shape: Shape): Node {
  if (inferredSizes(x.shape, shape).filter((size) => size === -1).length > 1) {
    refuse(`reshape of ${showShape(x.shape)} to ${showShape(shape)} has two unknown sizes`);
  }
  return node({ kind: 'reshape' }, [x], shape);
}

export function transpose(x: Node, permutation: readonly number[]): Node {
  if ([...permutation].sort().join() !== x.shape.map((_, i) => i).join()) refuse(`transpose by ${permutation.join()}`);
  return node(
    { kind: 'transpose', permutation },
    [x],
    permutation.map((axis) => x.shape[axis] as Dimension),
  );
}

export function orderRows(x: Node, index: Node, inverse: Node): Node {
  if (x.shape.length !== 2 || index.type !== 'int64' || inverse.shape[0] !== x.shape[0]) {
    refuse(`order-rows of ${showShape(x.shape)} by ${showShape(index.shape)}, back by ${showShape(inverse.shape)}`);
  }
  return node({ kind: 'order-rows' }, [x, index, inverse], [index.shape[0]!, x.shape[1]!]);
}

export function gatherRows(x: Node, index: Node): Node {
  if (x.shape.length !== 2 || index.type !== 'int64' || index.shape.length !== 1)
    refuse(`gather-rows of ${showShape(x.shape)}`);
  return node({ kind: 'gather-rows' }, [x, index], [index.shape[0]!, x.shape[1]!]);
}

export function columns(x: Node, from: number, to: number): Node {
  const width = x.shape[1];
  if (x.shape.length !== 2 || typeof width !== 'number' || from < 0 || to <= from || to > width) {
    refuse(`columns ${from} to ${to} of ${showShape(x.shape)}`);
  }
  return node({ kind: 'columns', from, to }, [x], [x.shape[0]!, to - from]);
}
export function padColumns(x: Node, from: number, width: number): Node {
  return node({ kind: 'pad-columns', from, width }, [x], [x.shape[0]!, width]);
}

export function hadamard(x: Node, block: number): Node {
  const width = x.shape[1];
  if (x.shape.length !== 2 || typeof width !== 'number' || width % block !== 0 || !Number.isInteger(Math.log2(block))) {
    refuse(`hadamard of ${showShape(x.shape)} in blocks of ${block}`);
  }
  return node({ kind: 'hadamard', block }, [x], x.shape);
}

export function rowScale(x: Node, signed = true): Node {
  if (x.shape.length !== 2) refuse(`row-scale of ${showShape(x.shape)}`);
  return node({ kind: 'row-scale', signed }, [x], [x.shape[0]!, 1]);
}
export function quantize(x: Node, scale: Node): Node {
  if (!isColumn(x, scale)) refuse(`quantize ${showShape(x.shape)} by ${showShape(scale.shape)}`);
  return node({ kind: 'quantize' }, [x, scale], x.shape, 'uint8');
}
export function dither(x: Node, scale: Node, thresholds: Node): Node {
  if (!isColumn(x, scale) || !same(thresholds.shape, [x.shape[1]!])) refuse(`dither of ${showShape(x.shape)}`);
  return node({ kind: 'dither' }, [x, scale, thresholds], x.shape, 'uint8');
}
/** Eight-bit numbers, and what they are multiplied by: x with a scale a row [R, 1], a weight with one a column [N] or one for all []. */
export interface Quantized {
  readonly values: Node;
  readonly scale: Node;
}
/** x with a sign, each row by its own scale. */
export function quantizeRows(x: Node): Quantized {
  const scale = rowScale(x);
  return { values: quantize(x, scale), scale };
}
/** `signed`: as quantize makes x, else as dither does. */
export function int8Matmul(
  { values: x, scale }: Quantized,
  { values: weight, scale: weightScale }: Quantized,
  { signed = true }: { readonly signed?: boolean } = {},
): Node {
  if (x.type !== 'uint8' || weight.type !== 'int8' || !isColumn(x, scale)) refuse('int8-matmul of unquantized inputs');
  const oneScale = weightScale.shape.length === 0;
  if (x.shape[1] !== weight.shape[0] || !(oneScale || same(weightScale.shape, [weight.shape[1]!]))) {
    refuse(`int8-matmul of ${showShape(x.shape)} and ${showShape(weight.shape)}`);
  }
  if (signed ? x.op.kind === 'dither' : x.op.kind === 'quantize') refuse('int8-matmul: x has the other zero point');
  return node({ kind: 'int8-matmul', signed }, [x, scale, weight, weightScale], [x.shape[0]!, weight.shape[1]!]);
}
export function int8MatmulTransposed(x: Node, scale: Node, weight: Node): Node {
  if (x.type !== 'uint8' || weight.type !== 'int8' || x.shape[1] !== weight.shape[1]) {
    refuse(`int8-matmul-transposed of ${showShape(x.shape)} and ${showShape(weight.shape)}`);
  }
  return node({ kind: 'int8-matmul-transposed' }, [x, scale, weight], [x.shape[0]!, weight.shape[0]!]);
}

export function rowDot(a: Node, b: Node): Node {
  if (!same(a.shape, b.shape)) refuse(`row-dot of ${showShape(a.shape)} and ${showShape(b.shape)}`);
  return node({ kind: 'row-dot' }, [a, b], [...a.shape.slice(0, -1), 1]);
}

export function sumRows(x: Node): Node {
  if (x.shape.length !== 2) refuse(`sum-rows of ${showShape(x.shape)}`);
  return node({ kind: 'sum-rows' }, [x], [x.shape[1]!]);
}

export function logProbability(logits: Node, target: Node): Node {
  if (logits.shape[0] !== target.shape[0] || target.shape[1] !== 1) refuse('log-probability: targets are no column');
  return node({ kind: 'log-probability' }, [logits, target], target.shape);
}
export const logProbabilityGrad = (logits: Node, target: Node): Node =>
  node({ kind: 'log-probability-grad' }, [logits, target], logits.shape);

export const exp = (x: Node): Node => unary({ kind: 'exp' }, x);
export function zeroAt(x: Node, index: Node): Node {
  if (!isColumn(x, index) || index.type !== 'int64') refuse(`zero-at of ${showShape(x.shape)}: the index is no column`);
  return node({ kind: 'zero-at' }, [x, index], x.shape);
}

/** All nodes that `outputs` need, each after its inputs, in an order that depends on nothing but the graph. */
export function inOrder(outputs: Iterable<Node>): Node[] {
  const order = new Set<Node>();
  const visit = (n: Node): void => {
    if (order.has(n)) return;
    for (const i of n.inputs) visit(i);
    order.add(n);
  };
  for (const output of outputs) visit(output);
  return [...order];
}

/** Named outputs with everything they need. */
export type Graph = ReadonlyMap<string, Node>;
