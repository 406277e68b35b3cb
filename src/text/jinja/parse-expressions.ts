/**
 * Expressions of a template, with the precedence of jinja2's parser (a filter binds closer than a power, ~ closer than
 * +).
 */
import type { BinaryOperator, CompareOperator, Constant, Expression } from './nodes.ts';
import { CallParser } from './parse-calls.ts';
import { described } from './token-stream.ts';

const comparisons = ['==', '!=', '<', '<=', '>', '>='];
const constants: ReadonlyMap<string, Constant> = new Map<string, Constant>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
]);

export class ExpressionParser extends CallParser {
  expression(withConditional = true): Expression {
    return withConditional ? this.conditional() : this.or();
  }

  private conditional(): Expression {
    let { line } = this.stream.current;
    let then = this.or();
    while (this.stream.skipName('if')) {
      const test = this.or();
      const otherwise = this.stream.skipName('else') ? this.conditional() : null;
      then = { kind: 'conditional', test, then, otherwise, line };
      line = this.stream.current.line;
    }
    return then;
  }

  private or(): Expression {
    let left = this.and();
    while (this.stream.skipName('or')) left = { kind: 'or', left, right: this.and(), line: left.line };
    return left;
  }

  private and(): Expression {
    let left = this.not();
    while (this.stream.skipName('and')) left = { kind: 'and', left, right: this.not(), line: left.line };
    return left;
  }

  private not(): Expression {
    if (!this.stream.atName('not')) return this.compare();
    const { line } = this.stream.next();
    return { kind: 'not', node: this.not(), line };
  }

  private compare(): Expression {
    const first = this.sum();
    const rest: { operator: CompareOperator; node: Expression }[] = [];
    for (let operator = this.comparison(); operator !== null; operator = this.comparison())
      rest.push({ operator, node: this.sum() });
    return rest.length === 0 ? first : { kind: 'compare', first, rest, line: first.line };
  }

  private comparison(): CompareOperator | null {
    if (this.stream.atOperator(...comparisons)) return this.stream.next().value as CompareOperator;
    if (this.stream.skipName('in')) return 'in';
    const { following } = this.stream;
    if (!this.stream.atName('not') || following.type !== 'name' || following.value !== 'in') return null;
    this.stream.next();
    this.stream.next();
    return 'not in';
  }

  private sum(): Expression {
    return this.binary(['+', '-'], () => this.concat());
  }

  private concat(): Expression {
    const first = this.product();
    if (!this.stream.atOperator('~')) return first;
    const items = [first];
    while (this.stream.skipOperator('~')) items.push(this.product());
    return { kind: 'concat', items, line: first.line };
  }

  private product(): Expression {
    return this.binary(['*', '/', '//', '%'], () => this.power());
  }

  private power(): Expression {
    return this.binary(['**'], () => this.unary(true));
  }

  private binary(operators: readonly BinaryOperator[], operand: () => Expression): Expression {
    let left = operand();
    while (this.stream.atOperator(...operators)) {
      const operator = this.stream.next().value as BinaryOperator;
      left = { kind: 'binary', operator, left, right: operand(), line: left.line };
    }
    return left;
  }

  private unary(withFilter: boolean): Expression {
    const { line } = this.stream.current;
    let node: Expression;
    if (this.stream.skipOperator('-')) node = { kind: 'negative', node: this.unary(false), line };
    else if (this.stream.skipOperator('+')) node = { kind: 'positive', node: this.unary(false), line };
    else node = this.primary();
    node = this.postfix(node);
    return withFilter ? this.filtered(node) : node;
  }

  protected primary(withNamespace = false): Expression {
    const token = this.stream.current;
    const { line } = token;
    switch (token.type) {
      case 'name':
        return this.name(withNamespace);
      case 'string': {
        let value = '';
        while (this.stream.at('string')) value += this.stream.next().value;
        return { kind: 'constant', value, line };
      }
      case 'integer':
      case 'float':
        this.stream.next();
        return { kind: 'constant', value: numberOf(token.value, token.type), line };
      case 'operator':
        if (token.value === '(') {
          this.stream.next();
          const node = this.tuple({ parentheses: true });
          this.stream.expect('operator', ')');
          return node;
        }
        if (token.value === '[') return this.list();
        if (token.value === '{') return this.dict();
    }
    this.stream.fail(`unexpected '${described(token)}'`);
  }

  private name(withNamespace: boolean): Expression {
    const { value, line } = this.stream.next();
    const constant = constants.get(value);
    if (constant !== undefined) return { kind: 'constant', value: constant, line };
    if (withNamespace && this.stream.skipOperator('.'))
      return { kind: 'namespace-ref', name: value, attribute: this.stream.expect('name').value, line };
    return { kind: 'name', name: value, context: 'load', line };
  }

  /** Expressions divided by commas, as one where there is no comma. */
  protected tuple(
    options: { simplified?: boolean; withConditional?: boolean; parentheses?: boolean; withNamespace?: boolean } = {},
  ): Expression {
    const { line } = this.stream.current;
    const items: Expression[] = [];
    let isTuple = false;
    while (!this.tupleEnds()) {
      const { simplified, withConditional, withNamespace } = options;
      items.push(simplified ? this.primary(withNamespace) : this.expression(withConditional));
      if (!this.stream.atOperator(',')) break;
      isTuple = true;
      this.stream.next();
    }
    if (!isTuple && items[0]) return items[0];
    if (!isTuple && !options.parentheses)
      this.stream.fail(`Expected an expression, got '${described(this.stream.current)}'`);
    return { kind: 'tuple', items, line };
  }

  private tupleEnds(): boolean {
    const { type } = this.stream.current;
    return type === 'variable-end' || type === 'block-end' || this.stream.atOperator(')');
  }

  private list(): Expression {
    const { line } = this.stream.next();
    return { kind: 'list', items: this.items(']', () => this.expression()), line };
  }

  private dict(): Expression {
    const { line } = this.stream.next();
    const items = this.items('}', () => {
      const key = this.expression();
      this.stream.expect('operator', ':');
      return [key, this.expression()] as const;
    });
    return { kind: 'dict', items, line };
  }

  /** What stands between commas up to a closing bracket; a last comma may follow. */
  private items<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.stream.atOperator(end)) {
      if (items.length > 0) this.stream.expect('operator', ',');
      if (this.stream.atOperator(end)) break;
      items.push(item());
    }
    this.stream.next();
    return items;
  }

  protected postfix(start: Expression): Expression {
    let node = start;
    while (this.stream.atOperator('.', '[', '(')) {
      const { value } = this.stream.current;
      if (value === '(') node = this.call(node);
      else node = value === '.' ? this.attribute(node) : this.subscript(node);
    }
    return node;
  }

  private filtered(start: Expression): Expression {
    let node = start;
    while (true) {
      if (this.stream.atOperator('|')) node = this.filters(node)!;
      else if (this.stream.atName('is')) node = this.test(node);
      else if (this.stream.atOperator('(')) node = this.call(node);
      else return node;
    }
  }

  private attribute(node: Expression): Expression {
    const { line } = this.stream.next();
    const token = this.stream.next();
    if (token.type === 'name') return { kind: 'attribute', node, name: token.value, line };
    if (token.type !== 'integer') this.stream.fail('expected name or number', token.line);
    const key: Expression = { kind: 'constant', value: numberOf(token.value, 'integer'), line };
    return { kind: 'item', node, key, line };
  }

  private subscript(node: Expression): Expression {
    const { line } = this.stream.next();
    const keys: Expression[] = [];
    while (!this.stream.atOperator(']')) {
      if (keys.length > 0) this.stream.expect('operator', ',');
      keys.push(this.subscribed());
    }
    this.stream.next();
    const key: Expression = keys.length === 1 ? keys[0]! : { kind: 'tuple', items: keys, line };
    return { kind: 'item', node, key, line };
  }

  private subscribed(): Expression {
    const { line } = this.stream.current;
    const bound = (): Expression | null => (this.stream.atOperator(':', ']', ',') ? null : this.expression());
    const start = bound();
    if (!this.stream.atOperator(':')) {
      if (start) return start;
      this.stream.fail(`unexpected '${described(this.stream.current)}'`);
    }
    this.stream.next();
    const stop = bound();
    const step = this.stream.skipOperator(':') ? bound() : null;
    return { kind: 'slice', start, stop, step, line };
  }
}

function numberOf(text: string, type: 'integer' | 'float'): Constant {
  const digits = text.replaceAll('_', '');
  if (type === 'float') return { float: Number(digits) };
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : BigInt(digits);
}
