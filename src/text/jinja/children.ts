/** The children of a node in the order of jinja2's fields, on which its analysis of names depends. */
import type { CallArguments, Node } from './nodes.ts';

type Part = Node | string | null | undefined;
const nodesOf = (...parts: readonly (Part | readonly Part[])[]): Node[] =>
  parts.flat().filter((part): part is Node => typeof part === 'object' && part !== null);

type OfKind<Kind, N = Node> = N extends { readonly kind: infer Kinds } ? (Kind extends Kinds ? N : never) : never;

const none = (): readonly Node[] => [];
const items = ({ items }: { readonly items: readonly Part[] }): readonly Node[] => nodesOf(items);
const sides = ({ left, right }: { readonly left: Node; readonly right: Node }): readonly Node[] => [left, right];
const inner = ({ node }: { readonly node: Node }): readonly Node[] => [node];
const called = (node: CallArguments & { readonly node: Node | null }): readonly Node[] => {
  const values = node.kwargs.map(({ value }) => value);
  return nodesOf(node.node, node.args, values, node.dynamicArgs, node.dynamicKwargs);
};

const childrenOf: { readonly [Kind in Node['kind']]: (node: OfKind<Kind>) => readonly Node[] } = {
  name: none,
  constant: none,
  'namespace-ref': none,
  break: none,
  continue: none,
  missing: none,
  tuple: items,
  list: items,
  concat: items,
  output: items,
  dict: (node) => node.items.flat(),
  slice: (node) => nodesOf(node.start, node.stop, node.step),
  conditional: (node) => nodesOf(node.test, node.then, node.otherwise),
  and: sides,
  or: sides,
  binary: sides,
  not: inner,
  negative: inner,
  positive: inner,
  attribute: inner,
  item: (node) => [node.node, node.key],
  compare: (node) => [node.first, ...node.rest.map((operand) => operand.node)],
  filter: called,
  test: called,
  call: called,
  assign: (node) => [node.target, node.value],
  'assign-block': (node) => nodesOf(node.target, node.filter, node.body),
  if: (node) => nodesOf(node.test, node.body, node.elifs, node.otherwise),
  for: (node) => nodesOf(node.target, node.iterable, node.body, node.otherwise, node.test),
  macro: (node) => nodesOf(node.args, node.defaults, node.body),
  'call-block': (node) => nodesOf(node.call, node.args, node.defaults, node.body),
  'filter-block': (node) => nodesOf(node.body, node.filter),
  with: (node) => nodesOf(node.targets, node.values, node.body),
  scope: (node) => node.body,
};

export const children = (node: Node): readonly Node[] =>
  (childrenOf[node.kind] as (node: Node) => readonly Node[])(node);

/** Which of the names are read in nodes before they are set there: whether a body needs `loop`, `caller`, `varargs`. */
export function undeclared(nodes: readonly Node[], names: readonly string[]): Set<string> {
  const wanted = new Set(names);
  const found = new Set<string>();
  const visit = (node: Node): void => {
    if (node.kind === 'name') {
      if (node.context !== 'load') wanted.delete(node.name);
      else if (wanted.has(node.name)) found.add(node.name);
    }
    children(node).forEach(visit);
  };
  nodes.forEach(visit);
  return found;
}
