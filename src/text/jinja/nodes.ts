/** The tree of a parsed template; names as in jinja2.nodes. */

export type Constant = string | number | bigint | boolean | null | { readonly float: number };

interface At {
  readonly line: number;
}

export interface CallArguments {
  readonly args: readonly Expression[];
  readonly kwargs: readonly { readonly key: string; readonly value: Expression }[];
  readonly dynamicArgs: Expression | null;
  readonly dynamicKwargs: Expression | null;
}

export interface NameNode extends At {
  readonly kind: 'name';
  readonly name: string;
  readonly context: 'load' | 'store' | 'param';
}
export interface TupleNode extends At {
  readonly kind: 'tuple';
  readonly items: readonly Expression[];
}
export interface NamespaceRef extends At {
  readonly kind: 'namespace-ref';
  readonly name: string;
  readonly attribute: string;
}
export interface SliceNode extends At {
  readonly kind: 'slice';
  readonly start: Expression | null;
  readonly stop: Expression | null;
  readonly step: Expression | null;
}
export interface FilterNode extends At, CallArguments {
  readonly kind: 'filter';
  /** null inside a filter block: the block's text. */
  readonly node: Expression | null;
  readonly name: string;
}
export interface CallNode extends At, CallArguments {
  readonly kind: 'call';
  readonly node: Expression;
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**';
export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in';

export type Expression =
  | NameNode
  | TupleNode
  | NamespaceRef
  | SliceNode
  | FilterNode
  | CallNode
  | (At & { readonly kind: 'constant'; readonly value: Constant })
  | (At & { readonly kind: 'list'; readonly items: readonly Expression[] })
  | (At & { readonly kind: 'dict'; readonly items: readonly (readonly [Expression, Expression])[] })
  | (At & {
      readonly kind: 'conditional';
      readonly test: Expression;
      readonly then: Expression;
      readonly otherwise: Expression | null;
    })
  | (At & { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression })
  | (At & { readonly kind: 'not' | 'negative' | 'positive'; readonly node: Expression })
  | (At & {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    })
  | (At & { readonly kind: 'concat'; readonly items: readonly Expression[] })
  | (At & {
      readonly kind: 'compare';
      readonly first: Expression;
      readonly rest: readonly { readonly operator: CompareOperator; readonly node: Expression }[];
    })
  | (At & { readonly kind: 'attribute'; readonly node: Expression; readonly name: string })
  | (At & { readonly kind: 'item'; readonly node: Expression; readonly key: Expression })
  | (At & CallArguments & { readonly kind: 'test'; readonly node: Expression; readonly name: string });

export type Target = NameNode | TupleNode | NamespaceRef;

export interface Signature {
  readonly args: readonly NameNode[];
  /** Of the last ones of args. */
  readonly defaults: readonly Expression[];
}

export interface MacroNode extends At, Signature {
  readonly kind: 'macro';
  readonly name: string;
  readonly body: readonly Statement[];
}
export interface CallBlockNode extends At, Signature {
  readonly kind: 'call-block';
  readonly call: CallNode;
  readonly body: readonly Statement[];
}
export interface ForNode extends At {
  readonly kind: 'for';
  readonly target: Target;
  readonly iterable: Expression;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[];
  readonly test: Expression | null;
  readonly recursive: boolean;
}
export interface IfNode extends At {
  readonly kind: 'if';
  readonly test: Expression;
  readonly body: readonly Statement[];
  readonly elifs: readonly IfNode[];
  readonly otherwise: readonly Statement[];
}
export interface OutputNode extends At {
  readonly kind: 'output';
  readonly items: readonly (string | Expression)[];
}
export interface AssignBlockNode extends At {
  readonly kind: 'assign-block';
  readonly target: Target;
  readonly filter: FilterNode | null;
  readonly body: readonly Statement[];
}
export interface FilterBlockNode extends At {
  readonly kind: 'filter-block';
  readonly filter: FilterNode;
  readonly body: readonly Statement[];
}
export interface WithNode extends At {
  readonly kind: 'with';
  readonly targets: readonly Target[];
  readonly values: readonly Expression[];
  readonly body: readonly Statement[];
}
/** What {% generation %} makes around its body: a macro that is called at once. */
export interface ScopeNode extends At {
  readonly kind: 'scope';
  readonly body: readonly Statement[];
}

export type Statement =
  | MacroNode
  | CallBlockNode
  | ForNode
  | IfNode
  | OutputNode
  | AssignBlockNode
  | FilterBlockNode
  | WithNode
  | ScopeNode
  | (At & { readonly kind: 'assign'; readonly target: Target; readonly value: Expression })
  | (At & { readonly kind: 'break' | 'continue' })
  /** Parsed, and refused by name when it is reached. */
  | (At & { readonly kind: 'missing'; readonly construct: string });

export type Node = Statement | Expression;
