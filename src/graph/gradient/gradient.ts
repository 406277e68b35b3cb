/**
 * Reverse-mode differentiation: one table, op -> gradient. Gradients are ordinary nodes, so every pass works on them too.
 */
import {
  add,
  batchMatmul,
  hadamard,
  inOrder,
  int8MatmulTransposed,
  isColumn,
  logProbabilityGrad,
  matmul,
  mul,
  orderRows,
  padColumns,
  quantizeRows,
  reshape,
  rmsNormGrad,
  rope,
  scalar,
  sigmoid,
  siluGrad,
  softmaxGrad,
  sumRows,
  transpose,
  unitRows,
} from '../graph.ts';
import type { Node, Op, OpKind, PerInput } from '../op.ts';

type Rule<K extends OpKind> = (
  op: Extract<Op, { kind: K }>,
  inputs: PerInput<K, Node>,
  dy: Node,
  y: Node,
) => readonly ((() => Node) | null)[];

/** Sums `d`, shaped like the broadcast result, down to the shape of `b`. */
function sumTo(d: Node, b: Node): Node {
  if (d.shape.join() === b.shape.join()) return d;
  if (b.shape.length === 1) return sumRows(d.shape.length === 2 ? d : reshape(d, ['rows', b.shape[0]!]));
  throw new Error('gradient: this broadcast is not differentiated');
}

type Product = 'matmul' | 'batch-matmul';
function productRule(multiply: typeof batchMatmul): Rule<Product> {
  return (op, [a, b], dy) => {
    const { transposeA, transposeB } = op;
    const factor = op.kind === 'batch-matmul' ? op.factor : 1;
    // A number a row waits for the narrow side: logits are wide.
    const column = op.kind === 'matmul' && !transposeA && dy.op.kind === 'mul' && isColumn(dy, dy.inputs[1]!);
    const [g, perRow] = column ? (dy.inputs as [Node, Node]) : [dy, null];
    const weighted = (n: Node): Node => (perRow ? mul(n, perRow) : n);
    return [
      () =>
        transposeA
          ? multiply(b, g, { transposeA: transposeB, transposeB: true, factor })
          : weighted(multiply(g, b, { transposeB: !transposeB, factor })),
      () =>
        transposeB
          ? multiply(g, weighted(a), { transposeA: true, transposeB: transposeA, factor })
          : multiply(weighted(a), g, { transposeA: !transposeA, factor }),
    ];
  };
}

function none(kind: OpKind): never {
  throw new Error(`gradient: ${kind} is not differentiated: it only occurs in gradients, or in front of them`);
}

/** For each input, how its gradient is made (only called when wanted), or null where there is none. */
const rules: { readonly [K in OpKind]: Rule<K> } = {
  input: () => [],
  scalar: () => [],
  add: (_, [, b], dy) => [() => dy, () => sumTo(dy, b)],
  mul: (_, [a, b], dy) => [() => mul(dy, b), () => sumTo(mul(dy, a), b)],
  matmul: productRule(matmul) as Rule<'matmul'>,
  'batch-matmul': productRule(batchMatmul) as Rule<'batch-matmul'>,
  cast: () => none('cast'),
  sigmoid: () => none('sigmoid'),
  silu: (_, [x], dy, y) => [() => siluGrad(sigmoid(x), y, dy)],
  'silu-grad': () => none('silu-grad'),
  softmax: (_, __, dy, y) => [() => softmaxGrad(y, dy)],
  'softmax-grad': () => none('softmax-grad'),
  'rms-norm': ({ epsilon }, [x, weight], dy) => [
    () => rmsNormGrad(x, mul(dy, weight), epsilon),
    () => sumRows(mul(dy, unitRows(x, epsilon))),
  ],
  'unit-rows': () => none('unit-rows'),
  'rms-norm-grad': () => none('rms-norm-grad'),
  rope: ({ heads, inverse }, [, cos, sin], dy) => [
    () => rope(dy, { cos, sin }, { heads, inverse: !inverse }),
    null,
    null,
  ],
  reshape: (_, [x], dy) => [() => reshape(dy, x.shape)],
  transpose: ({ permutation }, _, dy) => [
    () =>
      transpose(
        dy,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
  ],
  'order-rows': (_, [, index, inverse], dy) => [() => orderRows(dy, inverse, index), null, null],
  'gather-rows': () => none('gather-rows'),
  columns: ({ from }, [x], dy) => [() => padColumns(dy, from, x.shape[1] as number)],
  'pad-columns': () => none('pad-columns'),
  hadamard: ({ block }, _, dy) => [() => hadamard(dy, block)],
  'row-scale': () => none('row-scale'),
  // Straight through; the scale is not differentiated.
  quantize: (_, __, dy) => [() => dy, null],
  'int8-matmul': (_, [, , weight, weightScale], dy) => [
    () => int8Product(mul(dy, weightScale), weight),
    null,
    null,
    null,
  ],
  'int8-matmul-transposed': () => none('int8-matmul-transposed'),
  'row-dot': () => none('row-dot'),
  'sum-rows': () => none('sum-rows'),
  'log-probability': (_, [logits, target], dy) => [
    () => mul(logProbabilityGrad(logits, target), mul(dy, scalar(-1))),
    null,
  ],
  'log-probability-grad': () => none('log-probability-grad'),
  exp: () => none('exp'),
  'zero-at': () => none('zero-at'),
  dither: () => none('dither'),
};

/** g W^T with g in one int8 term, which is enough where the weights are Hadamard-transformed (docs/decisions: int8). */
function int8Product(g: Node, weight: Node): Node {
  const { values, scale } = quantizeRows(g);
  return int8MatmulTransposed(values, scale, weight);
}

/**
 * The gradients of sum over i of <outputs[i], seeds[i]> with respect to `wanted`, in that order.
 * Throws where an input does not reach the outputs.
 */
export function gradients(outputs: readonly Node[], seeds: readonly Node[], wanted: readonly Node[]): Node[] {
  const order = inOrder(outputs);
  const reaches = new Set<Node>(wanted);
  for (const n of order) if (n.inputs.some((i) => reaches.has(i))) reaches.add(n);
  const total = new Map<Node, Node>();
  const accumulate = (n: Node, d: Node): void => {
    const sofar = total.get(n);
    total.set(n, sofar ? add(sofar, d) : d);
  };
  outputs.forEach((output, i) => {
    accumulate(output, seeds[i]!);
  });
  for (const n of order.reverse()) {
    const dy = total.get(n);
    if (!dy || !n.inputs.some((i) => reaches.has(i))) continue;
    const rule = rules[n.op.kind] as Rule<OpKind>;
    rule(n.op, n.inputs as PerInput<OpKind, Node>, dy, n).forEach((make, i) => {
      const to = n.inputs[i]!;
      if (make && reaches.has(to)) accumulate(to, make());
    });
  }
  return wanted.map((n) => {
    const d = total.get(n);
    if (!d) throw new Error(`gradient: the outputs do not depend on ${n.op.kind === 'input' ? n.op.name : n.op.kind}`);
    return d;
  });
}
