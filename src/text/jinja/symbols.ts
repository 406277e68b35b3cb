/**
 * Where each name of a template lives, and what it holds when its scope is entered. The rules are those of jinja2's
 * idtracking, so that scoping agrees in the odd cases, too: a set inside a loop starts from the outer value in every
 * round and does not leak.
 */
import { children } from './children.ts';
import type { ForNode, IfNode, NameNode, Node } from './nodes.ts';

/** A function of the compiled template: the template, a macro, a recursive loop. Its names have slots. */
export class Unit {
  readonly parent: Unit | null;
  private readonly places = new Map<string, Place>();

  constructor(parent: Unit | null) {
    this.parent = parent;
  }

  get size(): number {
    return this.places.size;
  }

  place(level: number, name: string): Place {
    const key = `${level} ${name}`;
    const place = this.places.get(key) ?? { unit: this, slot: this.places.size };
    this.places.set(key, place);
    return place;
  }
}

export interface Place {
  readonly unit: Unit;
  readonly slot: number;
}

/** What a name's slot gets when its scope is entered. */
export type Load =
  | { readonly kind: 'parameter' | 'undefined' }
  | { readonly kind: 'resolve'; readonly name: string }
  | { readonly kind: 'alias'; readonly place: Place };

export class Symbols {
  readonly level: number;
  readonly parent: Symbols | null;
  readonly unit: Unit;
  readonly loads = new Map<Place, Load>();
  private readonly places = new Map<string, Place>();
  private readonly stores = new Set<string>();

  constructor(parent: Symbols | null, unit: Unit) {
    this.parent = parent;
    this.unit = unit;
    this.level = parent ? parent.level + 1 : 0;
  }

  find(name: string): Place | null {
    return this.places.get(name) ?? this.parent?.find(name) ?? null;
  }

  declareParameter(name: string): Place {
    this.stores.add(name);
    return this.define(name, { kind: 'parameter' });
  }

  store(name: string): void {
    this.stores.add(name);
    if (this.places.has(name)) return;
    const outer = this.parent?.find(name);
    this.define(name, outer ? { kind: 'alias', place: outer } : { kind: 'undefined' });
  }

  load(name: string): void {
    if (this.find(name) === null) this.define(name, { kind: 'resolve', name });
  }

  /** Takes in what the branches of an if have done: a name that only some set keeps what it was in the others. */
  private merge(branches: readonly Symbols[]): void {
    const stored = new Set(branches.flatMap((branch) => [...branch.stores]));
    for (const name of this.stores) stored.delete(name);
    for (const branch of branches) {
      for (const [name, place] of branch.places) this.places.set(name, place);
      for (const [place, load] of branch.loads) this.loads.set(place, load);
      for (const name of branch.stores) this.stores.add(name);
    }
    for (const name of stored) {
      const outer = this.parent?.find(name);
      this.loads.set(this.find(name)!, outer ? { kind: 'alias', place: outer } : { kind: 'resolve', name });
    }
  }

  private copy(): Symbols {
    const copy = new Symbols(this.parent, this.unit);
    for (const [name, place] of this.places) copy.places.set(name, place);
    for (const [place, load] of this.loads) copy.loads.set(place, load);
    for (const name of this.stores) copy.stores.add(name);
    return copy;
  }

  private define(name: string, load: Load): Place {
    const place = this.unit.place(this.level, name);
    this.places.set(name, place);
    this.loads.set(place, load);
    return place;
  }

  /** Notes the names of the nodes; what has a scope of its own is not entered. */
  visit(nodes: readonly Node[], asParameter = false): void {
    for (const node of nodes) this.visitNode(node, asParameter);
  }

  /** Names of a loop's body or test, its targets included. */
  visitLoop(node: ForNode, part: 'body' | 'test' | 'otherwise'): void {
    if (part !== 'otherwise') this.visit([node.target], true);
    if (part === 'test') this.visit(node.test ? [node.test] : []);
    else this.visit(node[part]);
  }

  private visitNode(node: Node, asParameter: boolean): void {
    if (node.kind === 'name') this.visitName(node, asParameter);
    else if (node.kind === 'namespace-ref') this.load(node.name);
    else if (node.kind === 'if') this.visitIf(node);
    else if (node.kind === 'macro') this.store(node.name);
    else this.visit(seenFromOutside(node), asParameter);
  }

  private visitName(node: NameNode, asParameter: boolean): void {
    if (asParameter || node.context === 'param') this.declareParameter(node.name);
    else if (node.context === 'store') this.store(node.name);
    else this.load(node.name);
  }

  private visitIf(node: IfNode): void {
    this.visit([node.test]);
    const branch = (nodes: readonly Node[]): Symbols => {
      const symbols = this.copy();
      symbols.visit(nodes);
      return symbols;
    };
    this.merge([branch(node.body), branch(node.elifs), branch(node.otherwise)]);
  }
}

/** The children of a node that belong to the scope around it, in the order in which they are reckoned. */
function seenFromOutside(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'assign':
      return [node.value, node.target];
    case 'for':
      return [node.iterable];
    case 'call-block':
      return [node.call];
    case 'filter-block':
      return [node.filter];
    case 'with':
      return node.values;
    case 'assign-block':
      return [node.target];
    case 'scope':
      return [];
    default:
      return children(node);
  }
}
