/** The tokens of a template as its parser walks them. */
import { SyntaxFault, type Token, type TokenType, tokenize } from './lexer.ts';

export class TokenStream {
  private readonly tokens: readonly Token[];
  private position = 0;

  constructor(template: string) {
    this.tokens = tokenize(template);
  }

  get current(): Token {
    return this.tokens[this.position]!;
  }

  get following(): Token {
    return this.tokens[this.position + 1] ?? this.current;
  }

  /** The current token, and a step to the next; the end stays where it is. */
  next(): Token {
    const token = this.current;
    if (token.type !== 'end') this.position++;
    return token;
  }

  at(type: TokenType, value?: string): boolean {
    return this.current.type === type && (value === undefined || this.current.value === value);
  }

  atName(...names: readonly string[]): boolean {
    return this.current.type === 'name' && names.includes(this.current.value);
  }

  atOperator(...operators: readonly string[]): boolean {
    return this.current.type === 'operator' && operators.includes(this.current.value);
  }

  skipName(name: string): boolean {
    const found = this.atName(name);
    if (found) this.next();
    return found;
  }

  skipOperator(operator: string): boolean {
    const found = this.atOperator(operator);
    if (found) this.next();
    return found;
  }

  expect(type: TokenType, value?: string): Token {
    if (this.at(type, value)) return this.next();
    const wanted = value ?? type;
    if (this.current.type === 'end') this.fail(`unexpected end of template, expected '${wanted}'.`);
    this.fail(`expected token '${wanted}', got '${described(this.current)}'`);
  }

  fail(message: string, line = this.current.line): never {
    throw new SyntaxFault(message, line);
  }
}

export function described({ type, value }: Token): string {
  if (type === 'name' || type === 'operator') return value;
  const named: Partial<Record<TokenType, string>> = {
    data: 'template data / text',
    'variable-begin': 'begin of print statement',
    'variable-end': 'end of print statement',
    'block-begin': 'begin of statement block',
    'block-end': 'end of statement block',
    end: 'end of template',
  };
  return named[type] ?? type;
}
