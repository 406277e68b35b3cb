/**
 * A template as a tree: jinja2's statements, {% break %} and {% continue %} of its extension loopcontrols, and
 * transformers' {% generation %}. What needs a loader (include, import, extends) is parsed and refused by name when it
 * is reached.
 */
import type {
  AssignBlockNode,
  CallBlockNode,
  Expression,
  FilterBlockNode,
  FilterNode,
  ForNode,
  IfNode,
  MacroNode,
  NameNode,
  OutputNode,
  Signature,
  Statement,
  Target,
  WithNode,
} from './nodes.ts';
import { ExpressionParser } from './parse-expressions.ts';
import { TokenStream } from './token-stream.ts';

export function parse(template: string): Statement[] {
  return new Parser(new TokenStream(template)).template();
}

class Parser extends ExpressionParser {
  private readonly tags: string[] = [];

  private readonly statements: Readonly<Record<string, (line: number) => Statement>> = {
    for: (line) => this.for(line),
    if: (line) => this.if(line),
    set: (line) => this.set(line),
    macro: (line) => this.macro(line),
    call: (line) => this.callBlock(line),
    filter: (line) => this.filterBlock(line),
    with: (line) => this.with(line),
    print: (line) => this.print(line),
    generation: (line) => ({ kind: 'scope', body: this.body('endgeneration'), line }),
    break: (line) => ({ kind: 'break', line }),
    continue: (line) => ({ kind: 'continue', line }),
    block: (line) => this.block(line),
    autoescape: (line) => this.autoescape(line),
    include: (line) => this.refused('include', line),
    import: (line) => this.refused('import', line),
    from: (line) => this.refused('from', line),
    extends: (line) => this.refused('extends', line),
  };

  template(): Statement[] {
    return this.parts([]);
  }

  /** Text, expressions and statements up to one of the ending tags, or to the end where there are none. */
  private parts(ends: readonly string[]): Statement[] {
    const body: Statement[] = [];
    let items: (string | Expression)[] = [];
    let { line } = this.stream.current;
    const flush = (): void => {
      if (items.length > 0) body.push({ kind: 'output', items, line });
      items = [];
    };
    while (!this.stream.at('end')) {
      if (items.length === 0) line = this.stream.current.line;
      const token = this.stream.next();
      if (token.type === 'data') items.push(token.value);
      else if (token.type === 'variable-begin') {
        items.push(this.tuple());
        this.stream.expect('variable-end');
      } else {
        flush();
        if (this.stream.atName(...ends)) return body;
        body.push(this.statement(ends));
        this.stream.expect('block-end');
      }
    }
    flush();
    if (ends.length > 0)
      this.stream.fail(
        `Unexpected end of template. Jinja was looking for the following tags: ${ends.map((end) => `'${end}'`).join(' or ')}. ` +
          `The innermost block that needs to be closed is '${this.tags.at(-1) ?? ''}'.`,
      );
    return body;
  }

  private statement(ends: readonly string[]): Statement {
    const { type, value, line } = this.stream.current;
    if (type !== 'name') this.stream.fail('tag name expected');
    const parse = Object.hasOwn(this.statements, value) ? this.statements[value] : undefined;
    if (!parse) {
      const looking = ends.length > 0 ? ` Jinja was looking for the following tags: ${ends.join(', ')}.` : '';
      this.stream.fail(`Encountered unknown tag '${value}'.${looking}`);
    }
    this.stream.next();
    this.tags.push(value);
    const statement = parse(line);
    this.tags.pop();
    return statement;
  }

  /** A body and its ending tag, which is taken off. */
  private body(end: string): Statement[] {
    const body = this.bodyUpTo(end);
    this.stream.next();
    return body;
  }

  /** A body; the stream stands at its ending tag. */
  private bodyUpTo(...ends: readonly string[]): Statement[] {
    this.stream.skipOperator(':');
    this.stream.expect('block-end');
    return this.parts(ends);
  }

  private set(line: number): Statement {
    const target = this.target({ withNamespace: true });
    if (this.stream.skipOperator('=')) return { kind: 'assign', target, value: this.tuple(), line };
    const filter = this.filters(null);
    const node: AssignBlockNode = { kind: 'assign-block', target, filter, body: this.body('endset'), line };
    return node;
  }

  private for(line: number): ForNode {
    const target = this.target({});
    this.stream.expect('name', 'in');
    const iterable = this.tuple({ withConditional: false });
    const test = this.stream.skipName('if') ? this.expression() : null;
    const recursive = this.stream.skipName('recursive');
    const body = this.bodyUpTo('endfor', 'else');
    const otherwise = this.stream.next().value === 'endfor' ? [] : this.body('endfor');
    return { kind: 'for', target, iterable, body, otherwise, test, recursive, line };
  }

  private if(line: number): IfNode {
    const elifs: IfNode[] = [];
    const test = this.tuple({ withConditional: false });
    const body = this.bodyUpTo('elif', 'else', 'endif');
    let end = this.stream.next();
    while (end.value === 'elif') {
      const elifTest = this.tuple({ withConditional: false });
      const elifBody = this.bodyUpTo('elif', 'else', 'endif');
      elifs.push({ kind: 'if', test: elifTest, body: elifBody, elifs: [], otherwise: [], line: end.line });
      end = this.stream.next();
    }
    const otherwise = end.value === 'else' ? this.body('endif') : [];
    return { kind: 'if', test, body, elifs, otherwise, line };
  }

  private with(line: number): WithNode {
    const targets: Target[] = [];
    const values: Expression[] = [];
    while (!this.stream.at('block-end')) {
      if (targets.length > 0) this.stream.expect('operator', ',');
      targets.push(asParameter(this.target({})));
      this.stream.expect('operator', '=');
      values.push(this.expression());
    }
    return { kind: 'with', targets, values, body: this.body('endwith'), line };
  }

  private signature(): Signature {
    const args: NameNode[] = [];
    const defaults: Expression[] = [];
    this.stream.expect('operator', '(');
    while (!this.stream.atOperator(')')) {
      if (args.length > 0) this.stream.expect('operator', ',');
      args.push({ ...this.nameTarget(), context: 'param' });
      if (this.stream.skipOperator('=')) defaults.push(this.expression());
      else if (defaults.length > 0) this.stream.fail('non-default argument follows default argument');
    }
    this.stream.next();
    return { args, defaults };
  }

  private macro(line: number): MacroNode {
    const { name } = this.nameTarget();
    return { kind: 'macro', name, ...this.signature(), body: this.body('endmacro'), line };
  }

  private callBlock(line: number): CallBlockNode {
    const signature = this.stream.atOperator('(') ? this.signature() : { args: [], defaults: [] };
    const call = this.expression();
    if (call.kind !== 'call') this.stream.fail('expected call', line);
    return { kind: 'call-block', call, ...signature, body: this.body('endcall'), line };
  }

  private filterBlock(line: number): FilterBlockNode {
    const filter = this.filters(null, true) as FilterNode;
    return { kind: 'filter-block', filter, body: this.body('endfilter'), line };
  }

  private print(line: number): OutputNode {
    const items: Expression[] = [];
    while (!this.stream.at('block-end')) {
      if (items.length > 0) this.stream.expect('operator', ',');
      items.push(this.expression());
    }
    return { kind: 'output', items, line };
  }

  private block(line: number): Statement {
    const { value } = this.stream.expect('name');
    this.stream.skipName('scoped');
    this.stream.skipName('required');
    this.body('endblock');
    this.stream.skipName(value);
    return { kind: 'missing', construct: 'the statement `block`', line };
  }

  private autoescape(line: number): Statement {
    this.expression();
    this.body('endautoescape');
    return { kind: 'missing', construct: 'the statement `autoescape`', line };
  }

  private refused(name: string, line: number): Statement {
    while (!this.stream.at('block-end') && !this.stream.at('end')) this.stream.next();
    return { kind: 'missing', construct: `the statement \`${name}\``, line };
  }

  private nameTarget(): NameNode {
    const { value, line } = this.stream.expect('name');
    if (['true', 'false', 'none', 'True', 'False', 'None'].includes(value))
      this.stream.fail(`can't assign to '${value}'`);
    return { kind: 'name', name: value, context: 'store', line };
  }

  private target(options: { withNamespace?: boolean }): Target {
    return this.asTarget(this.tuple({ ...options, simplified: true }));
  }

  private asTarget(node: Expression): Target {
    if (node.kind === 'name') return { ...node, context: 'store' };
    if (node.kind === 'namespace-ref') return node;
    if (node.kind === 'tuple') return { ...node, items: node.items.map((item) => this.asTarget(item)) };
    this.stream.fail(`can't assign to '${node.kind}'`, node.line);
  }
}

const asParameter = (target: Target): Target => {
  if (target.kind === 'name') return { ...target, context: 'param' };
  if (target.kind === 'tuple') return { ...target, items: target.items.map((item) => asParameter(item as Target)) };
  return target;
};
