/** What attention is made of beside its products: the rotation of queries and keys, and softmax. */
import type { Emitters } from './emission.ts';

export const attention = {
  rope: (at, [x, cos, sin], { heads, inverse }) => {
    const half = at.columns / heads / 2;
    const x3 = at.emit('Reshape', [x, at.int64(1, -1, at.columns)]);
    const signed = inverse ? at.emit('Neg', [sin]) : sin;
    const angles = [cos, signed].map((angle) => at.emit('Reshape', [angle, at.int64(1, -1, half)]));
    const attributes = { num_heads: { int: heads } };
    if (at.graph.stacked.has(at.node)) at.result('RotaryEmbedding', [x3, ...angles], attributes);
    else {
      const y = at.emit('RotaryEmbedding', [x3, ...angles], attributes);
      at.result('Reshape', [y, at.int64(-1, at.columns)]);
    }
  },
  softmax: (at, inputs) => at.result('Softmax', inputs, { axis: { int: -1 } }),
  'softmax-grad': (at, [y, dy]) => {
    const weighted = at.emit('Mul', [y, dy]);
    const sum = at.emit('ReduceSum', [weighted, at.int64(-1)], { keepdims: { int: 1 } });
    at.result('Sub', [weighted, at.emit('Mul', [y, sum])]);
  },
} satisfies Partial<Emitters>;
