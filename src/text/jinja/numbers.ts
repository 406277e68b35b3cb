/** Python's arithmetic of int and float, and float's repr. Pure. */
import { MissingConstruct, PythonError, valueError } from './errors.ts';
import { maxIntegerBits, maxIntegerDigits } from './limits.ts';
import type { BinaryOperator } from './nodes.ts';
import { type Int, type Num, normalInt, PyFloat } from './values.ts';

export const floatOf = (value: Num): number => {
  if (value instanceof PyFloat) return value.value;
  const number = Number(value);
  if (!Number.isFinite(number)) throw new PythonError('OverflowError', 'int too large to convert to float');
  return number;
};

/** The digits and the exponent of the shortest text that reads as the same number: x = 0.d1d2d3… · 10^point. */
export function shortest(value: number): { digits: string; point: number } {
  const [mantissa, exponent] = Math.abs(value).toExponential().split('e');
  return { digits: mantissa!.replace('.', ''), point: Number(exponent) + 1 };
}

/** Python's repr of a float: 1.0, 1e+16, 1e-05, inf, nan. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const { digits, point } = shortest(value);
  if (point > 16 || point < -3) return sign + withExponent(digits, point - 1);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.slice(0, point).padEnd(point, '0')}.${digits.slice(point) || '0'}`;
}

function withExponent(digits: string, exponent: number): string {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

export function numRepr(value: Num): string {
  if (value instanceof PyFloat) return floatRepr(value.value);
  const text = String(value);
  if (text.length > maxIntegerDigits + 1)
    throw valueError(`Exceeds the limit (${maxIntegerDigits} digits) for integer string conversion`);
  return text;
}

export function arithmetic(operator: BinaryOperator, a: Num, b: Num): Num {
  if (operator === '**') return power(a, b);
  if (operator === '/') {
    if (floatOf(b) === 0) throw divisionByZero('division by zero');
    return new PyFloat(floatOf(a) / floatOf(b));
  }
  if (a instanceof PyFloat || b instanceof PyFloat) return new PyFloat(floats(operator, floatOf(a), floatOf(b)));
  return integers(operator, a, b);
}

const divisionByZero = (message: string): PythonError => new PythonError('ZeroDivisionError', message);

function floats(operator: BinaryOperator, a: number, b: number): number {
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  if (b === 0) throw divisionByZero(operator === '//' ? 'float floor division by zero' : 'float modulo');
  let remainder = a % b;
  // The remainder has the divisor's sign.
  if (remainder !== 0 && remainder < 0 !== b < 0) remainder += b;
  if (operator === '%') return remainder === 0 ? (b < 0 ? -0 : 0) : remainder;
  const quotient = (a - remainder) / b;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

function integers(operator: BinaryOperator, a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const result = smallIntegers(operator, a, b);
    if (Number.isSafeInteger(result)) return result;
  }
  const x = BigInt(a);
  const y = BigInt(b);
  if (operator === '+') return normalInt(x + y);
  if (operator === '-') return normalInt(x - y);
  if (operator === '*') return normalInt(bounded(x * y));
  if (y === 0n) throw divisionByZero('integer division or modulo by zero');
  const remainder = ((x % y) + y) % y;
  return normalInt(operator === '%' ? remainder : (x - remainder) / y);
}

function smallIntegers(operator: BinaryOperator, a: number, b: number): number {
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  if (b === 0) throw divisionByZero('integer division or modulo by zero');
  const remainder = a % b;
  const floored = remainder !== 0 && remainder < 0 !== b < 0 ? remainder + b : remainder;
  // + 0: never minus zero.
  return (operator === '%' ? floored : (a - floored) / b) + 0;
}

function bounded(value: bigint): bigint {
  if (value.toString(16).length * 4 > maxIntegerBits)
    throw new MissingConstruct(`an integer of over ${maxIntegerBits} bits`);
  return value;
}

function power(a: Num, b: Num): Num {
  if (!(a instanceof PyFloat) && !(b instanceof PyFloat) && b >= 0) {
    const bits = BigInt(a).toString(2).length * Number(b);
    if (bits > maxIntegerBits && ![0, 1, -1].includes(Number(a)))
      throw new MissingConstruct(`an integer of over ${maxIntegerBits} bits`);
    return normalInt(BigInt(a) ** BigInt(b));
  }
  const x = floatOf(a);
  const y = floatOf(b);
  if (x === 0 && y < 0) throw divisionByZero('0.0 cannot be raised to a negative power');
  if (x < 0 && !Number.isInteger(y)) throw new MissingConstruct('complex numbers');
  const result = x ** y;
  if (!Number.isFinite(result) && Number.isFinite(x) && Number.isFinite(y))
    throw new PythonError('OverflowError', "(34, 'Numerical result out of range')");
  // Python has 1 for anything to the power of zero, and for 1 to any power.
  return new PyFloat(x === 1 ? 1 : result);
}

/** A float cut to an int. */
export function truncated(value: number): Int {
  if (Number.isNaN(value)) throw valueError('cannot convert float NaN to integer');
  if (!Number.isFinite(value)) throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
  return normalInt(BigInt(Math.trunc(value)));
}

/** -1, 0, 1, or NaN where one is not a number. */
export function compareNumbers(a: Num, b: Num): number {
  const x = a instanceof PyFloat ? a.value : a;
  const y = b instanceof PyFloat ? b.value : b;
  if (x < y) return -1;
  if (x > y) return 1;
  // biome-ignore lint/suspicious/noDoubleEquals: a number and a bigint of one value are equal by == alone
  return x == y ? 0 : Number.NaN;
}
