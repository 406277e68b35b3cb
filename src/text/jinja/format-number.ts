/** A float by one of the letters e f g % of Python's formats, without sign and width. Pure. */
import { exponential, fixed } from './decimal.ts';

export function formatFloat(value: number, letter: string, precision: number, alternate: boolean): string {
  const text = lowerFloat(value, letter.toLowerCase(), precision, alternate);
  return letter === letter.toLowerCase() ? text : text.toUpperCase();
}

function lowerFloat(value: number, letter: string, precision: number, alternate: boolean): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return 'inf';
  const dot = alternate ? '.' : '';
  if (letter === 'f') return precision === 0 ? fixed(value, 0) + dot : fixed(value, precision);
  if (letter === 'e') return scientific(value, precision, dot);
  return general(value, Math.max(1, precision), alternate);
}

function scientific(value: number, precision: number, dot: string): string {
  const { digits, exponent } = exponential(value, precision);
  return withExponent(precision === 0 ? digits + dot : `${digits[0]}.${digits.slice(1)}`, exponent);
}

export const withExponent = (mantissa: string, exponent: number): string =>
  `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;

const trimmed = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

function general(value: number, precision: number, alternate: boolean): string {
  const { digits, exponent } = exponential(value, precision - 1);
  if (exponent >= -4 && exponent < precision) {
    const text = fixed(value, precision - 1 - exponent);
    return alternate ? text : trimmed(text);
  }
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  return withExponent(alternate ? mantissa : trimmed(mantissa), exponent);
}
