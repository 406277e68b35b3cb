/**
 * A template as tokens, by the rules of jinja2's lexer with trim_blocks and lstrip_blocks on and keep_trailing_newline
 * off. https://jinja.palletsprojects.com/en/stable/templates/#whitespace-control. Pure.
 */
import { PythonError } from './errors.ts';
import { unescapeString } from './string-literal.ts';

export type TokenType = 'data' | 'variable-begin' | 'variable-end' | 'block-begin' | 'block-end' | 'end' | Atom;
type Atom = 'name' | 'string' | 'integer' | 'float' | 'operator';

export interface Token {
  readonly type: TokenType;
  /** Text of data, names, operators; the value of a string; digits of a number. */
  readonly value: string;
  readonly line: number;
}

export class SyntaxFault extends PythonError {
  readonly line: number;

  constructor(message: string, line: number) {
    super('TemplateSyntaxError', message);
    this.line = line;
  }
}

/**
 * What Python's str.isspace and \s take for white space; JavaScript's \s has U+FEFF instead of U+001C to U+001F and
 * U+0085.
 */
export const spaces = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const S = `[${spaces}]*`;
const sticky = (source: string, flags = ''): RegExp => new RegExp(source, `y${flags}`);

const rawBegin = sticky(`\\{%([-+]?)${S}raw${S}(?:-%\\}${S}|%\\})`);
const rawEnd = new RegExp(`\\{%([-+]?)${S}endraw${S}(?:\\+%\\}|-%\\}${S}|%\\}\\n?)`, 'g');
const commentEnd = new RegExp(`\\+#\\}|-#\\}${S}|#\\}\\n?`, 'g');
const blockEnd = sticky(`\\+%\\}|-%\\}${S}|%\\}\\n?`);
const variableEnd = sticky(`-\\}\\}${S}|\\}\\}`);
const space = sticky(`[${spaces}]+`);
const trailingSpace = new RegExp(`[${spaces}]+$`);
const onlySpace = new RegExp(`^[${spaces}]+$`);
const tags = /\{[%{#]/g;

const atoms: readonly (readonly [Atom, RegExp])[] = [
  ['float', sticky('(?<!\\.)(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?e[+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+)', 'i')],
  ['integer', sticky('0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\\da-f])+|[1-9](?:_?\\d)*|0(?:_?0)*', 'i')],
  ['name', sticky('[\\p{ID_Continue}]+', 'u')],
  ['string', sticky('\'[^\'\\\\]*(?:\\\\.[^\'\\\\]*)*\'|"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"', 's')],
  ['operator', sticky('\\*\\*|//|[=!<>]=|[-+/*%~\\[\\](){}<>=.:|,;]')],
];
const isIdentifier = /^[\p{ID_Start}_]/u;
const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

const newlines = (text: string): number => text.split('\n').length - 1;

export function tokenize(template: string): Token[] {
  return new Lexer(template).run();
}

class Lexer {
  private readonly source: string;
  private readonly tokens: Token[] = [];
  private position = 0;
  private line = 1;
  /** Whether the last tag ended with a newline, or nothing has been read yet. */
  private lineStarting = true;

  constructor(template: string) {
    // All newlines are \n inside; one at the very end is dropped.
    const source = template.replace(/\r\n|\r/g, '\n');
    this.source = source.endsWith('\n') ? source.slice(0, -1) : source;
  }

  run(): Token[] {
    while (this.position < this.source.length) {
      tags.lastIndex = this.position;
      const start = tags.exec(this.source)?.index;
      if (start === undefined) {
        this.push('data', this.source.slice(this.position));
        break;
      }
      this.tag(start);
    }
    this.push('end', '');
    return this.tokens;
  }

  /** Text up to the tag at `start`, and the tag. */
  private tag(start: number): void {
    const kind = this.source[start + 1]!;
    const raw = kind === '%' ? this.match(rawBegin, start) : null;
    const sign = raw ? raw[1]! : (/[-+]/.exec(this.source.charAt(start + 2))?.[0] ?? '');
    this.data(this.source.slice(this.position, start), sign, kind === '{');
    const opening = raw ? raw[0] : this.source.slice(start, start + 2 + sign.length);
    this.position = start + opening.length;
    this.line += newlines(opening);
    this.lineStarting = opening.endsWith('\n');
    if (raw) this.raw();
    else if (kind === '#') this.comment();
    else if (kind === '{') this.inside('variable-begin', 'variable-end', variableEnd);
    else this.inside('block-begin', 'block-end', blockEnd);
  }

  /** Text before a tag: `-` strips its end, and blocks take the white space before them in their line away. */
  private data(text: string, sign: string, isVariable: boolean): void {
    let kept = text;
    if (sign === '-') kept = text.replace(trailingSpace, '');
    else if (sign !== '+' && !isVariable) {
      const lineStart = text.lastIndexOf('\n') + 1;
      if ((lineStart > 0 || this.lineStarting) && onlySpace.test(text.slice(lineStart)))
        kept = text.slice(0, lineStart);
    }
    if (kept) this.push('data', kept);
    this.line += newlines(text);
  }

  private raw(): void {
    rawEnd.lastIndex = this.position;
    const end = rawEnd.exec(this.source);
    if (!end) throw new SyntaxFault('Missing end of raw directive', this.line);
    this.data(this.source.slice(this.position, end.index), end[1]!, false);
    this.leave(end[0], end.index);
  }

  private comment(): void {
    commentEnd.lastIndex = this.position;
    const end = commentEnd.exec(this.source);
    if (!end) throw new SyntaxFault('Missing end of comment tag', this.line);
    this.line += newlines(this.source.slice(this.position, end.index));
    this.leave(end[0], end.index);
  }

  private leave(text: string, start: number): void {
    this.position = start + text.length;
    this.line += newlines(text);
    this.lineStarting = text.endsWith('\n');
  }

  /** Tokens up to the end of a block or variable; brackets must balance before it counts. */
  private inside(begin: TokenType, end: TokenType, ending: RegExp): void {
    this.push(begin, '');
    const open: string[] = [];
    while (this.position < this.source.length) {
      const ended = open.length === 0 ? this.match(ending, this.position) : null;
      if (ended) {
        this.push(end, ended[0]);
        this.leave(ended[0], this.position);
        return;
      }
      const blank = this.match(space, this.position);
      if (blank) this.leave(blank[0], this.position);
      else this.atom(open);
    }
  }

  private atom(open: string[]): void {
    for (const [type, pattern] of atoms) {
      const text = this.match(pattern, this.position)?.[0];
      if (text === undefined) continue;
      if (type === 'operator') this.balance(text, open);
      if (type === 'name' && !isIdentifier.test(text))
        throw new SyntaxFault('Invalid character in identifier', this.line);
      this.push(type, type === 'string' ? this.unescaped(text) : text);
      this.leave(text, this.position);
      return;
    }
    const char = String.fromCodePoint(this.source.codePointAt(this.position)!);
    throw new SyntaxFault(`unexpected char '${char}' at ${this.position}`, this.line);
  }

  private unescaped(text: string): string {
    try {
      return unescapeString(text.slice(1, -1));
    } catch (error) {
      if (error instanceof PythonError) throw new SyntaxFault(error.message, this.line);
      throw error;
    }
  }

  private balance(text: string, open: string[]): void {
    if (closing[text]) open.push(closing[text]);
    else if (text === ')' || text === ']' || text === '}') {
      const expected = open.pop();
      if (expected === undefined) throw new SyntaxFault(`unexpected '${text}'`, this.line);
      if (expected !== text) throw new SyntaxFault(`unexpected '${text}', expected '${expected}'`, this.line);
    }
  }

  private match(pattern: RegExp, at: number): RegExpExecArray | null {
    pattern.lastIndex = at;
    return pattern.exec(this.source);
  }

  private push(type: TokenType, value: string): void {
    this.tokens.push({ type, value, line: this.line });
  }
}
