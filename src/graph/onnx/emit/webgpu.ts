/** Emitters that differ on WebGPU, which has fewer kernels than the CPU (docs/decisions: webgpu). */
import type { Emission, Emitters } from './emission.ts';
import { addAt } from './loss.ts';

/** A matrix stack with its last two axes exchanged, or as it is. */
function exchanged(at: Emission, name: string, exchange: boolean): string {
  if (!exchange) return name;
  const rank = at.node.shape.length;
  const axes = Array.from({ length: rank }, (_, i) => i);
  return at.emit('Transpose', [name], { perm: { ints: [...axes.slice(0, -2), rank - 1, rank - 2] } });
}

export const webgpu = {
  // No FusedMatMul there.
  'batch-matmul': (at, [a, b], { factor, transposeA, transposeB }) => {
    const sides = [exchanged(at, a, transposeA), exchanged(at, b, transposeB)];
    if (factor === 1) at.result('MatMul', sides);
    else at.result('Mul', [at.emit('MatMul', sides), at.float(factor)]);
  },
  // No LogSoftmax, no Exp.
  'log-probability': (at, [logits, target]) => {
    // l_y - max(l) + log(max P): exact where P_y itself underflows.
    const chosen = at.emit('GatherElements', [logits, target], { axis: { int: 1 } });
    const last = at.int64(-1);
    const top = at.emit('ReduceMax', [logits, last], { keepdims: { int: 1 } });
    const p = at.emit('Softmax', [logits], { axis: { int: -1 } });
    const topP = at.emit('ReduceMax', [p, last], { keepdims: { int: 1 } });
    at.result('Add', [at.emit('Sub', [chosen, top]), at.emit('Log', [topP])]);
  },
  'log-probability-grad': (at, [logits, target]) => {
    const p = at.emit('Softmax', [logits], { axis: { int: -1 } });
    const chosen = at.emit('GatherElements', [p, target], { axis: { int: 1 } });
    addAt(at, p, target, at.emit('Sub', [at.emit('Mul', [chosen, at.float(0)]), at.float(1)]));
  },
} satisfies Partial<Emitters>;
