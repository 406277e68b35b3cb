/** How the graphs of a model are differentiated: how seeds and gradients are named, and where gradients add up. */
import { gradients } from '../graph/gradient/gradient.ts';
import { add, type Graph, input } from '../graph/graph.ts';
import type { Node } from '../graph/op.ts';
import { type Partition, partition } from '../graph/partition.ts';

/** The name of an input. */
export const nameOf = (n: Node): string => (n.op.kind === 'input' ? n.op.name : '');

/** The gradient of an input, or what it adds up to. */
export const summed = (n: Node, gradient: Node, accumulates: boolean): Node =>
  accumulates ? add(gradient, input(`sum.${nameOf(n)}`, n.shape)) : gradient;

/**
 * Differentiates and splits a stage. `seeds` are inputs named `d.OUTPUT`; gradients are named `d.INPUT`.
 * `through` is an input whose gradient from elsewhere comes in as `d.through` and is added; those of `accumulated` are added to `sum.INPUT`.
 */
export function differentiate(
  outputs: Graph,
  wanted: readonly Node[],
  policy: ReadonlyMap<string, Node>,
  { through, accumulated = [] }: { readonly through?: Node; readonly accumulated?: readonly Node[] } = {},
): Partition {
  const seeds = [...outputs].map(([name, n]) => input(`d.${name}`, n.shape));
  const ends = [...outputs.values()];
  if (through && wanted.includes(through)) {
    ends.push(through);
    seeds.push(input('d.through', through.shape));
  }
  const made = gradients(ends, seeds, wanted);
  const backward = new Map(
    wanted.map((n, i) => [`d.${nameOf(n)}`, summed(n, made[i]!, accumulated.includes(n))] as const),
  );
  return partition(outputs, backward, policy);
}
