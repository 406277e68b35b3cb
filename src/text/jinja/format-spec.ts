/** Python's format(value, spec): [[fill]align][sign][z][#][0][width][grouping][.precision][type]. */
import { lengthInPoints, slicePoints } from './code-points.ts';
import { MissingConstruct, typeError, valueError } from './errors.ts';
import { formatFloat } from './format-number.ts';
import { maxFormatDigits } from './limits.ts';
import { concat, isStr, type Str, textOf } from './marked-text.ts';
import { floatOf, floatRepr } from './numbers.ts';
import { str } from './to-text.ts';
import { typeName } from './types.ts';
import { type Num, PyFloat, toNum, Undefined, type Value } from './values.ts';

interface Spec {
  readonly fill: string;
  readonly align: string;
  readonly sign: string;
  readonly alternate: boolean;
  readonly width: number;
  readonly grouping: string;
  readonly precision: number | null;
  readonly type: string;
}

const pattern = /^(?:([\s\S])(?=[<>=^]))?([<>=^])?([-+ ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([\s\S])?$/u;

function parseSpec(text: string, isText: boolean): Spec {
  const found = pattern.exec(text);
  if (!found) throw valueError(`Invalid format specifier '${text}'`);
  const [, fill, align, sign, z, alternate, zero, width, grouping, precision, type] = found;
  if (z) throw new MissingConstruct('the option z of a format');
  if (Number(width ?? 0) > maxFormatDigits || Number(precision ?? 0) > maxFormatDigits)
    throw new MissingConstruct(`a format of over ${maxFormatDigits} characters`);
  return {
    fill: fill ?? (zero ? '0' : ' '),
    align: align ?? (zero && !isText ? '=' : isText ? '<' : '>'),
    sign: sign ?? '',
    alternate: alternate !== undefined,
    width: Number(width ?? 0),
    grouping: grouping ?? '',
    precision: precision === undefined ? null : Number(precision),
    type: type ?? '',
  };
}

export function format(value: Value, specification: Str): Str {
  const text = textOf(specification);
  if (text === '') return str(value);
  if (isStr(value)) return formatText(value, parseSpec(text, true));
  const number = toNum(value);
  if (number !== null) return formatNumber(number, parseSpec(text, false));
  const name = value instanceof Undefined ? 'Undefined' : typeName(value);
  throw typeError(`unsupported format string passed to ${name}.__format__`);
}

function formatText(value: Str, spec: Spec): Str {
  if (spec.type !== '' && spec.type !== 's')
    throw valueError(`Unknown format code '${spec.type}' for object of type 'str'`);
  if (spec.sign) throw valueError('Sign not allowed in string format specifier');
  if (spec.alternate) throw valueError('Alternate form (#) not allowed in string format specifier');
  if (spec.align === '=') throw valueError("'=' alignment not allowed in string format specifier");
  if (spec.grouping) throw valueError(`Cannot specify '${spec.grouping}' with 's'.`);
  return pad(spec.precision === null ? value : slicePoints(value, 0, spec.precision), spec);
}

function pad(value: Str, { fill, align, width }: Spec): Str {
  const missing = width - lengthInPoints(textOf(value));
  if (missing <= 0) return value;
  const left = align === '>' ? missing : align === '^' ? Math.floor(missing / 2) : 0;
  return concat(fill.repeat(left), value, fill.repeat(missing - left));
}

const radixes: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16, X: 16, d: 10, n: 10, '': 10 };

function formatNumber(value: Num, spec: Spec): Str {
  const { type } = spec;
  if (!(value instanceof PyFloat)) {
    if (type === 'c') return formatText(String.fromCodePoint(Number(value)), { ...spec, type: '', align: spec.align });
    const radix = radixes[type];
    if (radix !== undefined) return formatInteger(BigInt(value), radix, spec);
  }
  if (!'eEfFgGn%'.includes(type) && type !== '')
    throw valueError(`Unknown format code '${type}' for object of type '${typeName(value)}'`);
  const number = floatOf(value);
  return signed(number < 0 || Object.is(number, -0), '', floatDigits(number, spec), spec);
}

function formatInteger(value: bigint, radix: number, spec: Spec): Str {
  if (spec.precision !== null) throw valueError('Precision not allowed in integer format specifier');
  const magnitude = (value < 0n ? -value : value).toString(radix);
  const prefix = spec.alternate && radix !== 10 ? `0${spec.type}` : '';
  return signed(value < 0n, prefix, spec.type === 'X' ? magnitude.toUpperCase() : magnitude, spec);
}

function floatDigits(value: number, spec: Spec): string {
  if (spec.type === '%') return `${formatFloat(value * 100, 'f', spec.precision ?? 6, spec.alternate)}%`;
  if (spec.type !== '')
    return formatFloat(value, spec.type === 'n' ? 'g' : spec.type, spec.precision ?? 6, spec.alternate);
  if (spec.precision === null) return floatRepr(Math.abs(value));
  const text = formatFloat(value, 'g', spec.precision, spec.alternate);
  // As repr: at least one digit after the point, an exponent where all digits are used up.
  if (/^\d+$/.test(text) && text.length < Math.max(1, spec.precision)) return `${text}.0`;
  return /^\d+$/.test(text)
    ? formatFloat(value, 'e', Math.max(0, spec.precision - 1), false).replace(/\.?0*e/, 'e')
    : text;
}

/** Groups digits, puts sign and prefix before them and fills to the width. */
function signed(negative: boolean, prefix: string, digits: string, spec: Spec): Str {
  const sign = negative ? '-' : spec.sign === '+' || spec.sign === ' ' ? spec.sign : '';
  const head = sign + prefix;
  if (spec.align === '=') {
    const width = spec.width - head.length;
    const grouped = spec.grouping && spec.fill === '0' ? zeroGrouped(digits, width, spec) : group(digits, spec);
    return head + grouped.padStart(width, spec.fill);
  }
  return pad(head + group(digits, spec), spec);
}

function group(digits: string, { grouping, type }: Spec): string {
  if (!grouping) return digits;
  const size = 'boxX'.includes(type) && type !== '' ? 4 : 3;
  const end = /[^\da-fA-F]|$/.exec(digits)!.index;
  const whole = digits.slice(0, end).replace(new RegExp(`\\B(?=(?:[\\da-fA-F]{${size}})+$)`, 'g'), grouping);
  return whole + digits.slice(end);
}

/** Zeros before the digits take part in the grouping. */
function zeroGrouped(digits: string, width: number, spec: Spec): string {
  let text = digits;
  let grouped = group(text, spec);
  while (grouped.length < width) {
    text = `0${text}`;
    grouped = group(text, spec);
  }
  return grouped;
}
