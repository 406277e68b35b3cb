/** The children of a node in the order of jinja2's fields, on which its analysis of names depends. */
import type { Node } from './nodes.ts';

type Part = Node | string | null | undefined;
const nodesOf = (...parts: readonly (Part | readonly Part[])[]): Node[] =>
  parts.flat().filter((part): part is Node => typeof part === 'object' && part !== null);

export function children(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'name':
    case 'constant':
    case 'namespace-ref':
    case 'break':
    case 'continue':
    case 'missing':
      return [];
    case 'tuple':
    case 'list':
    case 'concat':
    case 'output':
      return nodesOf(node.items);
    case 'dict':
      return nodesOf(node.items.flat());
    case 'slice':
      return nodesOf(node.start, node.stop, node.step);
    case 'conditional':
      return nodesOf(node.test, node.then, node.otherwise);
    case 'and':
    case 'or':
    case 'binary':
      return nodesOf(node.left, node.right);
    case 'not':
    case 'negative':
    case 'positive':
    case 'attribute':
      return [node.node];
    case 'item':
      return [node.node, node.key];
    case 'compare':
      return nodesOf(
        node.first,
        node.rest.map((operand) => operand.node),
      );
    case 'filter':
    case 'test':
    case 'call': {
      const values = node.kwargs.map(({ value }) => value);
      return nodesOf(node.node, node.args, values, node.dynamicArgs, node.dynamicKwargs);
    }
    case 'assign':
      return [node.target, node.value];
    case 'assign-block':
      return nodesOf(node.target, node.filter, node.body);
    case 'if':
      return nodesOf(node.test, node.body, node.elifs, node.otherwise);
    case 'for':
      return nodesOf(node.target, node.iterable, node.body, node.otherwise, node.test);
    case 'macro':
      return nodesOf(node.args, node.defaults, node.body);
    case 'call-block':
      return nodesOf(node.call, node.args, node.defaults, node.body);
    case 'filter-block':
      return nodesOf(node.body, node.filter);
    case 'with':
      return nodesOf(node.targets, node.values, node.body);
    case 'scope':
      return node.body;
  }
}

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
