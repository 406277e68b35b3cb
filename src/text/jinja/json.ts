/** Python's json.dumps, as transformers' filter tojson calls it: nothing is escaped for HTML. */
import { dictEntries, type Entry, isDict } from './dict.ts';
import { typeError } from './errors.ts';
import { isStr, mapRuns, markText, type Str, TextBuilder, textOf } from './marked-text.ts';
import { numRepr } from './numbers.ts';
import { order } from './operators.ts';
import { typeName } from './types.ts';
import { admit, isNum, MarkedNumber, type Num, PyFloat, plain, Tuple, type Value } from './values.ts';

export interface JsonOptions {
  readonly ensureAscii: boolean;
  /** What each level is indented by; null for one line. */
  readonly indent: string | null;
  readonly itemSeparator: string;
  readonly keySeparator: string;
  readonly sortKeys: boolean;
}

export function dumps(value: Value, options: JsonOptions): Str {
  const out = new TextBuilder();
  new Writer(options, out).write(value, '\n');
  return out.finish();
}

class Writer {
  private readonly options: JsonOptions;
  private readonly out: TextBuilder;

  constructor(options: JsonOptions, out: TextBuilder) {
    this.options = options;
    this.out = out;
  }

  /** `newline` begins the lines of the value's level. */
  write(value: Value, newline: string): void {
    if (isStr(value)) this.text(value);
    else if (value instanceof MarkedNumber) this.out.write(markText(number(value.value), value.origin));
    else if (value === null || typeof value === 'boolean' || isNum(value)) this.out.write(atom(value));
    else if (Array.isArray(value) || value instanceof Tuple)
      this.list(Array.isArray(value) ? value : value.items, newline);
    else if (isDict(value)) this.dict(value, newline);
    else throw typeError(`Object of type ${typeName(value)} is not JSON serializable`);
  }

  private text(value: Str): void {
    this.out.write('"');
    this.out.write(mapRuns(value, this.options.ensureAscii ? escapeAscii : escapeText));
    this.out.write('"');
  }

  private list(items: readonly Value[], newline: string): void {
    this.block('[]', items, newline, (item, inner) => this.write(admit(item), inner));
  }

  private dict(value: Value, newline: string): void {
    const entries: readonly Entry[] = isDict(value) ? dictEntries(value) : [];
    const sorted = this.options.sortKeys ? [...entries].sort(([a], [b]) => order(a, b)) : entries;
    this.block('{}', sorted, newline, ([key, item], inner) => {
      this.key(key);
      this.out.write(this.options.keySeparator);
      this.write(item, inner);
    });
  }

  private key(key: Value): void {
    const bare = plain(key);
    if (isStr(bare)) this.text(bare);
    else if (bare === null || typeof bare === 'boolean' || isNum(bare)) this.text(atom(bare));
    else throw typeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
  }

  private block<T>(
    brackets: '[]' | '{}',
    items: readonly T[],
    newline: string,
    write: (item: T, inner: string) => void,
  ): void {
    const { indent, itemSeparator } = this.options;
    this.out.write(brackets.slice(0, 1));
    const inner = indent === null ? '' : newline + indent;
    items.forEach((item, i) => {
      this.out.write(i > 0 ? itemSeparator + inner : inner);
      write(item, inner);
    });
    if (indent !== null && items.length > 0) this.out.write(newline);
    this.out.write(brackets.slice(1));
  }
}

const atom = (value: null | boolean | Num): string =>
  value === null || typeof value === 'boolean' ? String(value) : number(value);

const notFinite: Readonly<Record<string, string>> = { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' };
const number = (value: Num): string => {
  const text = numRepr(value);
  return value instanceof PyFloat ? (notFinite[text] ?? text) : text;
};

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\b': '\\b',
};
const unicode = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
const escaped = /["\\\x00-\x1f]/g;

const escapeText = (text: string): string => text.replace(escaped, (char) => short[char] ?? unicode(char));
const escapeAscii = (text: string): string =>
  escapeText(text).replace(/[\x7f-\uffff]/g, (char) => (char === '\x7f' ? char : unicode(char)));

/** The argument indent of json.dumps: a number of spaces or a text. */
export function indentOf(value: Value): string | null {
  const bare = plain(value);
  if (bare === null) return null;
  if (isStr(bare)) return textOf(bare);
  if (typeof bare === 'boolean') return ' '.repeat(Number(bare));
  if (typeof bare === 'number') return ' '.repeat(Math.max(0, bare));
  throw typeError(`can't multiply sequence by non-int of type '${typeName(bare)}'`);
}
