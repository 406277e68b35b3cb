/** Rows as the int8 weights take them. */
import { hadamard } from '../graph/graph.ts';
import { hadamardBlock } from '../graph/hadamard.ts';
import type { Node } from '../graph/op.ts';

/** Hadamard-transformed, so that no channel is much louder than the others. */
export function hadamardRows(x: Node): Node {
  const block = hadamardBlock(x.shape[1] as number);
  return block === 1 ? x : hadamard(x, block);
}
