/** The same numbers in another shape, order or type. */
import { inferredSizes } from '../../graph.ts';
import type { Emission, Emitters } from './emission.ts';

/** Both ops on rows are one kernel; they differ in their gradients. */
const gather = (at: Emission, [x, index]: readonly [string, string, ...string[]]): void =>
  at.result('Gather', [x, index], { axis: { int: 0 } });

export const shape = {
  reshape: (at, [x]) => at.result('Reshape', [x, at.int64(...inferredSizes(at.node.inputs[0]!.shape, at.node.shape))]),
  transpose: (at, inputs, { permutation }) => at.result('Transpose', inputs, { perm: { ints: permutation } }),
  cast: (at, inputs, { to }) => at.result('Cast', inputs, { to: { dataType: to } }),
  'gather-rows': gather,
  'order-rows': gather,
  columns: (at, [x], { from, to }) => at.result('Slice', [x, at.int64(from), at.int64(to), at.int64(1)]),
  'pad-columns': (at, [x], { from, width }) => {
    const own = at.node.inputs[0]!.shape[1] as number;
    at.result('Pad', [x, at.int64(0, from, 0, width - from - own)]);
  },
  'zero-at': (at, [x, index]) => {
    const zeros = at.emit('Expand', [at.float(0), at.emit('Shape', [index])]);
    at.result('ScatterElements', [x, index, zeros], { axis: { int: 1 } });
  },
} satisfies Partial<Emitters>;
