/** Calls, filters and tests of a template: what takes arguments. */
import type { CallArguments, CallNode, Expression, FilterNode } from './nodes.ts';
import type { TokenStream } from './token-stream.ts';

export abstract class CallParser {
  protected readonly stream: TokenStream;

  constructor(stream: TokenStream) {
    this.stream = stream;
  }

  abstract expression(withConditional?: boolean): Expression;
  protected abstract primary(withNamespace?: boolean): Expression;
  protected abstract postfix(start: Expression): Expression;

  protected call(node: Expression): CallNode {
    const { line } = this.stream.current;
    return { kind: 'call', node, ...this.callArguments(), line };
  }

  private callArguments(): CallArguments {
    const { line } = this.stream.expect('operator', '(');
    const args: Expression[] = [];
    const kwargs: { key: string; value: Expression }[] = [];
    let dynamicArgs: Expression | null = null;
    let dynamicKwargs: Expression | null = null;
    const ensure = (valid: boolean): void => {
      if (!valid) this.stream.fail('invalid syntax for function call expression', line);
    };
    let some = false;
    while (!this.stream.atOperator(')')) {
      if (some) this.stream.expect('operator', ',');
      if (some && this.stream.atOperator(')')) break;
      some = true;
      const { following } = this.stream;
      if (this.stream.skipOperator('*')) {
        ensure(dynamicArgs === null && dynamicKwargs === null);
        dynamicArgs = this.expression();
      } else if (this.stream.skipOperator('**')) {
        ensure(dynamicKwargs === null);
        dynamicKwargs = this.expression();
      } else if (this.stream.at('name') && following.type === 'operator' && following.value === '=') {
        ensure(dynamicKwargs === null);
        const key = this.stream.next().value;
        this.stream.next();
        kwargs.push({ key, value: this.expression() });
      } else {
        ensure(dynamicArgs === null && dynamicKwargs === null && kwargs.length === 0);
        args.push(this.expression());
      }
    }
    this.stream.next();
    return { args, kwargs, dynamicArgs, dynamicKwargs };
  }

  private optionalArguments(): CallArguments {
    if (this.stream.atOperator('(')) return this.callArguments();
    return { args: [], kwargs: [], dynamicArgs: null, dynamicKwargs: null };
  }

  /** A name that may have dots, of a filter or test. */
  private dottedName(): string {
    let name = this.stream.expect('name').value;
    while (this.stream.skipOperator('.')) name += `.${this.stream.expect('name').value}`;
    return name;
  }

  /** The filters that follow; `inline` where the first one stands without its |. */
  protected filters<T extends Expression | null>(start: T, inline = false): T | FilterNode {
    let node: T | FilterNode = start;
    let first = inline;
    while (first || this.stream.skipOperator('|')) {
      first = false;
      const { line } = this.stream.current;
      const name = this.dottedName();
      node = { kind: 'filter', node, name, ...this.optionalArguments(), line };
    }
    return node;
  }

  protected test(node: Expression): Expression {
    const { line } = this.stream.next();
    const negated = this.stream.skipName('not');
    const name = this.dottedName();
    let call = this.optionalArguments();
    if (call.args.length === 0 && this.testArgumentFollows()) {
      if (this.stream.atName('is')) this.stream.fail('You cannot chain multiple tests with is');
      call = { ...call, args: [this.postfix(this.primary())] };
    }
    const test: Expression = { kind: 'test', node, name, ...call, line };
    return negated ? { kind: 'not', node: test, line } : test;
  }

  private testArgumentFollows(): boolean {
    const { type } = this.stream.current;
    if (type === 'name') return !this.stream.atName('else', 'or', 'and');
    return type === 'string' || type === 'integer' || type === 'float' || this.stream.atOperator('[', '{');
  }
}
