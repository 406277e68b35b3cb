/** Python's int(text, base) and float(text). Pure. */
import { valueError } from './errors.ts';
import { spaces } from './lexer.ts';
import { type Int, normalInt } from './values.ts';

const around = new RegExp(`^[${spaces}]+|[${spaces}]+$`, 'g');
const prefixes: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16 };

/** null where Python raises ValueError. */
export function parseIntText(text: string, base: number): Int | null {
  if (base !== 0 && (base < 2 || base > 36)) throw valueError('int() base must be >= 2 and <= 36, or 0');
  const found = /^([+-]?)(?:0([bBoOxX]))?(_?[\da-zA-Z]+(?:_[\da-zA-Z]+)*)$/.exec(text.replace(around, ''));
  if (!found) return null;
  const [, sign, letter, digits] = found;
  const prefixed = letter === undefined ? 0 : prefixes[letter.toLowerCase()]!;
  // In base 16 or 36 the letter may be a digit: 0b is eleven in base 16.
  const isPrefix = prefixed !== 0 && (base === 0 || base === prefixed);
  const radix = base === 0 ? (isPrefix ? prefixed : 10) : base;
  const body = (letter === undefined || isPrefix ? digits! : `0${letter}${digits}`).replaceAll('_', '').toLowerCase();
  if ((!isPrefix && digits!.startsWith('_')) || (base === 0 && !isPrefix && /^0+[1-9]/.test(body))) return null;
  let value = 0n;
  for (const digit of body) {
    const number = Number.parseInt(digit, 36);
    if (number >= radix) return null;
    value = value * BigInt(radix) + BigInt(number);
  }
  return normalInt(sign === '-' ? -value : value);
}

/** null where Python raises ValueError. */
export function parseFloatText(text: string): number | null {
  const bare = text.replace(around, '');
  const named = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(bare);
  if (named) return named[2]!.toLowerCase() === 'nan' ? Number.NaN : named[1] === '-' ? -Infinity : Infinity;
  const digits = '\\d+(?:_\\d+)*';
  const pattern = new RegExp(`^[+-]?(?:${digits}\\.?(?:${digits})?|\\.${digits})(?:e[+-]?${digits})?$`, 'i');
  return pattern.test(bare) ? Number(bare.replaceAll('_', '')) : null;
}
