/** Sums, products and functions of single numbers. */
import type { Attributes } from '../writer.ts';
import type { Emitters } from './emission.ts';

export const transposes = (op: { readonly transposeA: boolean; readonly transposeB: boolean }): Attributes => ({
  transA: { int: Number(op.transposeA) },
  transB: { int: Number(op.transposeB) },
});

export const arithmetic = {
  add: (at, inputs) => at.result('Add', inputs),
  mul: (at, inputs) => at.result('Mul', inputs),
  matmul: (at, inputs, op) =>
    op.transposeA || op.transposeB ? at.result('Gemm', inputs, transposes(op)) : at.result('MatMul', inputs),
  'batch-matmul': (at, inputs, op) =>
    op.transposeA || op.transposeB || op.factor !== 1
      ? at.result('FusedMatMul', inputs, { ...transposes(op), alpha: { float: op.factor } })
      : at.result('MatMul', inputs),
  sigmoid: (at, inputs) => at.result('Sigmoid', inputs),
  // onnxruntime makes one kernel of the two, unless backward needs the sigmoid anyway and shares it.
  silu: (at, [x]) => at.result('Mul', [x, at.emit('Sigmoid', [x])]),
  'silu-grad': (at, [s, y, dy]) => {
    // s + y (1 - s)
    const slope = at.emit('Add', [at.emit('Mul', [at.emit('Sub', [at.float(1), s]), y]), s]);
    at.result('Mul', [slope, dy]);
  },
  exp: (at, inputs) => at.result('Exp', inputs),
  'row-dot': (at, inputs) => at.result('ReduceSum', [at.emit('Mul', inputs), at.int64(-1)], { keepdims: { int: 1 } }),
  'sum-rows': (at, [x]) => at.result('ReduceSum', [x, at.int64(0)], { keepdims: { int: 0 } }),
} satisfies Partial<Emitters>;
