/** Rows as the int8 weights take them. */
import { hadamard } from '../graph/graph.ts';
import { hadamardBlock } from '../graph/hadamard.ts';
import type { Node } from '../graph/op.ts';

/** Rotated, so that no channel is much louder than the others. */
export function rotated(x: Node): Node {
  const block = hadamardBlock(x.shape[1] as number);
  return block === 1 ? x : hadamard(x, block);
}
