/** Python's text % values. */
import { lengthInPoints, slicePoints } from './code-points.ts';
import { dictGet, isDict } from './dict.ts';
import { MissingConstruct, PythonError, typeError, valueError } from './errors.ts';
import { formatFloat } from './format-number.ts';
import { maxFormatDigits } from './limits.ts';
import { isStr, type Str, slice, TextBuilder, textOf } from './marked-text.ts';
import { floatOf, truncated } from './numbers.ts';
import { Range } from './range.ts';
import { repr, str } from './to-text.ts';
import { typeName } from './types.ts';
import { PyFloat, Tuple, toIndex, toNum, Undefined, type Value } from './values.ts';

const directive = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?[lhL]?([\s\S])?/gu;

type Escape = ((value: Value) => Str) | null;

interface Directive {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | null;
  readonly letter: string;
}

/** Markup escapes what is put into it. */
export function percentFormat(template: Str, values: Value, escaping: Escape): Str {
  const text = textOf(template);
  const args = new Arguments(values);
  const out = new TextBuilder();
  let cut = 0;
  for (const found of text.matchAll(directive)) {
    out.write(slice(template, cut, found.index));
    cut = found.index + found[0].length;
    out.write(replacement(found, args, escaping));
  }
  out.write(slice(template, cut));
  args.assertUsedUp();
  return out.finish();
}

/** The values in order, or by name out of a dict. */
class Arguments {
  private readonly values: Value;
  private readonly items: readonly Value[];
  private used = 0;

  constructor(values: Value) {
    this.values = values;
    this.items = values instanceof Tuple ? values.items : [values];
  }

  next(): Value {
    if (this.used >= this.items.length) throw typeError('not enough arguments for format string');
    return this.items[this.used++];
  }

  named(key: string): Value {
    if (!isDict(this.values)) throw typeError('format requires a mapping');
    const value = dictGet(this.values, key);
    if (value === undefined) throw new PythonError('KeyError', `'${key}'`);
    this.used = this.items.length;
    return value;
  }

  size(): number {
    const size = toIndex(this.next());
    if (size === null) throw typeError('* wants int');
    return size;
  }

  assertUsedUp(): void {
    const { values } = this;
    // What can be indexed counts as a mapping, of which nothing needs to be used.
    const mapping = isDict(values) || Array.isArray(values) || values instanceof Undefined || values instanceof Range;
    if (!mapping && this.used < this.items.length)
      throw typeError('not all arguments converted during string formatting');
  }
}

function replacement(found: RegExpMatchArray, args: Arguments, escaping: Escape): Str {
  const [whole, key, flags, width, precision, letter] = found;
  if (letter === undefined) throw valueError('incomplete format');
  if (letter === '%') return '%';
  const named = key === undefined ? null : { value: args.named(key) };
  const size = (text: string | undefined): number => (text === '*' ? args.size() : Number(text ?? 0));
  const wanted = size(width);
  const shape: Directive = {
    flags: wanted < 0 ? `${flags}-` : flags!,
    width: Math.abs(wanted),
    precision: whole.includes('.') && /\.(?:\*|\d+)?[lhL]?[\s\S]$/u.test(whole) ? size(precision) : null,
    letter,
  };
  if (shape.width > maxFormatDigits || (shape.precision ?? 0) > maxFormatDigits)
    throw new MissingConstruct(`a format of over ${maxFormatDigits} characters`);
  return converted(named ? named.value : args.next(), shape, escaping);
}

function converted(value: Value, shape: Directive, escaping: Escape): Str {
  const { letter, precision } = shape;
  if (letter === 's' || letter === 'r' || letter === 'a') {
    const bare = letter === 's' ? value : repr(value);
    const text = escaping ? escaping(bare) : str(bare);
    if (letter === 'a' && /[^\0-\x7f]/.test(textOf(text))) throw new MissingConstruct('%a of other than ASCII');
    return padded(precision === null ? text : slicePoints(text, 0, precision), shape);
  }
  if (letter === 'c') return padded(character(value), shape);
  if ('diuoxX'.includes(letter)) return integer(value, shape);
  if ('eEfFgG'.includes(letter)) return float(value, shape);
  throw valueError(`unsupported format character '${letter}' (0x${letter.codePointAt(0)!.toString(16)})`);
}

function padded(text: Str, { flags, width }: Directive): Str {
  const missing = width - lengthInPoints(textOf(text));
  if (missing <= 0) return text;
  const out = new TextBuilder();
  if (!flags.includes('-')) out.write(' '.repeat(missing));
  out.write(text);
  if (flags.includes('-')) out.write(' '.repeat(missing));
  return out.finish();
}

function character(value: Value): Str {
  if (isStr(value) && lengthInPoints(textOf(value)) === 1) return value;
  const code = toIndex(value);
  if (code === null) throw typeError('%c requires int or char');
  if (code < 0 || code > 0x10ffff) throw new PythonError('OverflowError', '%c arg not in range(0x110000)');
  return String.fromCodePoint(code);
}

function integer(value: Value, shape: Directive): Str {
  const { letter, flags, precision } = shape;
  if (value instanceof Undefined) throw value.error();
  const number = toNum(value);
  if (number === null || (number instanceof PyFloat && 'oxX'.includes(letter)))
    throw typeError(
      `%${letter} format: ${letter === 'd' ? 'a real number' : 'an integer'} is required, not ${typeName(value)}`,
    );
  const whole = BigInt(number instanceof PyFloat ? truncated(number.value) : number);
  const radix = letter === 'o' ? 8 : letter === 'x' || letter === 'X' ? 16 : 10;
  let digits = (whole < 0n ? -whole : whole).toString(radix).padStart(precision ?? 0, '0');
  if (letter === 'X') digits = digits.toUpperCase();
  const prefix = flags.includes('#') && radix !== 10 ? `0${letter}` : '';
  return withSign(whole < 0n, prefix, digits, shape);
}

function float(value: Value, shape: Directive): Str {
  if (value instanceof Undefined) throw value.error();
  const number = toNum(value);
  if (number === null) throw typeError(`must be real number, not ${typeName(value)}`);
  const x = floatOf(number);
  const digits = formatFloat(x, shape.letter, shape.precision ?? 6, shape.flags.includes('#'));
  return withSign(x < 0 || Object.is(x, -0), '', digits, shape);
}

function withSign(negative: boolean, prefix: string, digits: string, shape: Directive): Str {
  const { flags, width } = shape;
  const head = (negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + prefix;
  const zero = flags.includes('0') && !flags.includes('-');
  return padded(head + (zero ? digits.padStart(width - head.length, '0') : digits), shape);
}
