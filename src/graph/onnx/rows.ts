/**
 * Two graphs that no model has: rows taken from an array, and rows added to one. On the CPU a part of an array is a view of it; a
 * buffer of a device has no views but its beginning, so there attention reads and writes its rows through these.
 */
import type { Node } from '../op.ts';
import { OnnxWriter, valueInfo } from './writer.ts';

const array = (name: string, rows: string) => valueInfo(name, { shape: [rows, 'D'], type: 'float32' });
const whole = (name: string, count: number) =>
  valueInfo(name, { shape: [count], type: 'int64' } satisfies Pick<Node, 'shape' | 'type'>);

/** x [N, D], `from` and `to` [1] -> y [C, D], rows from..to of x. */
export function emitTakeRows(): Uint8Array {
  const to = new OnnxWriter();
  to.node('Slice', ['x', 'from', 'to', to.int64([0])], {}, 'y');
  return to.model([array('x', 'N'), whole('from', 1), whole('to', 1)], [array('y', 'C')]);
}

/** x [N, D], part [C, D], `pads` [4] = rows before, 0, rows after, 0 -> y [N, D], x with the part added to those rows. */
export function emitAddRows(): Uint8Array {
  const to = new OnnxWriter();
  to.node('Add', ['x', to.node('Pad', ['part', 'pads'])], {}, 'y');
  return to.model([array('x', 'N'), array('part', 'C'), whole('pads', 4)], [array('y', 'N')]);
}
