/**
 * Splits a differentiated graph into forward and backward: what forward saves, what backward recomputes.
 * The policy is the map of values worth saving; everything else that backward needs it recomputes from those and the inputs.
 */
import type { Graph } from './graph.ts';
import { input } from './graph.ts';
import type { Node } from './op.ts';

export interface Partition {
  /** The forward outputs and, as `saved.NAME`, the saved values that backward uses. */
  readonly forward: Graph;
  /** The gradients; its inputs are the forward inputs it needs, the seeds and `saved.NAME`. */
  readonly backward: Graph;
  readonly saved: readonly string[];
}

export function partition(forward: Graph, backward: Graph, policy: ReadonlyMap<string, Node>): Partition {
  const names = new Map([...policy].map(([name, n]) => [n, `saved.${name}`]));
  const copies = new Map<Node, Node>();
  const used = new Map<string, Node>();
  const copy = (n: Node): Node => {
    const done = copies.get(n);
    if (done) return done;
    const name = names.get(n);
    let made: Node;
    if (name) {
      used.set(name, n);
      made = input(name, n.shape, n.type);
    } else {
      const inputs = n.inputs.map(copy);
      made = inputs.every((i, at) => i === n.inputs[at]) ? n : { ...n, inputs };
    }
    copies.set(n, made);
    return made;
  };
  const cut = new Map([...backward].map(([name, n]) => [name, copy(n)]));
  return { forward: new Map([...forward, ...used]), backward: cut, saved: [...used.keys()] };
}
