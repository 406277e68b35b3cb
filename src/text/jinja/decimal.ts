/**
 * Exact decimal digits of floats, rounded half to even as Python's % and format round; JavaScript's toFixed rounds
 * halves up. Pure.
 */

const bytes = new DataView(new ArrayBuffer(8));

/** |value| · 10^places as an integer, halves to even. */
export function scaled(value: number, places: number): bigint {
  bytes.setFloat64(0, Math.abs(value));
  const bits = bytes.getBigUint64(0);
  const exponent = Number(bits >> 52n);
  const fraction = bits & ((1n << 52n) - 1n);
  const mantissa = exponent === 0 ? fraction : fraction | (1n << 52n);
  const power = Math.max(exponent, 1) - 1075;
  let numerator = mantissa;
  let denominator = 1n;
  if (power >= 0) numerator <<= BigInt(power);
  else denominator <<= BigInt(-power);
  if (places >= 0) numerator *= 10n ** BigInt(places);
  else denominator *= 10n ** BigInt(-places);
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

/** |value| with so many digits after the point. */
export function fixed(value: number, places: number): string {
  const digits = scaled(value, places)
    .toString()
    .padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** |value| as d.ddd · 10^exponent, with so many digits after the point. */
export function exponential(value: number, places: number): { digits: string; exponent: number } {
  if (value === 0) return { digits: '0'.repeat(places + 1), exponent: 0 };
  let exponent = Number(value.toExponential().split('e')[1]);
  let digits = scaled(value, places - exponent).toString();
  if (digits.length > places + 1) {
    exponent++;
    digits = scaled(value, places - exponent).toString();
  }
  return { digits, exponent };
}

/** Python's round(value, places). */
export const rounded = (value: number, places: number): number => {
  // Beyond what a float holds nothing is left, or nothing changes.
  if (!Number.isFinite(value) || places > 400) return value;
  if (places < -400) return value < 0 ? -0 : 0;
  const digits = scaled(value, places);
  const magnitude = Number(`${digits}e${-places}`);
  return value < 0 || Object.is(value, -0) ? -magnitude : magnitude;
};
