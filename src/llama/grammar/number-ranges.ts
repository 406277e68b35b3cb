/** Numbers of a range, as rules of llama.cpp's grammars (GBNF). Promises: every text that a rule admits is JSON and in the range. Pure. */

/** Whole numbers up to it are exact in every reader of JSON, and have as many digits as a model writes with sense. */
const mostWhole = 10 ** 15 - 1;

/** Decimals beyond a whole number: their last digit is none of zero, so that they are strictly above it, and below the next. */
const fraction = '"." [0-9]{0,7} [1-9]';

const anyDigits = (count: number): string => (count === 0 ? '' : count === 1 ? ' [0-9]' : ` [0-9]{${count}}`);
const oneOf = (from: number, to: number): string => (from === to ? `"${from}"` : `[${from}-${to}]`);
const either = (parts: readonly string[]): string => parts.join(' | ');

/** Digits from `low` to `high`, which are equally many. */
function sameLength(low: string, high: string): string[] {
  if (low === '') return [''];
  const [first, last] = [Number(low[0]), Number(high[0])];
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  const rest = lowRest.length;
  if (/^0*$/.test(lowRest) && /^9*$/.test(highRest)) return [`${oneOf(first, last)}${anyDigits(rest)}`];
  const behind = (digit: number, from: string, to: string): string => {
    const inner = sameLength(from, to);
    return inner.length === 1 ? `"${digit}" ${inner[0]}` : `"${digit}" (${either(inner)})`;
  };
  if (first === last) return [behind(first, lowRest, highRest)];
  const between = first + 1 < last ? [`${oneOf(first + 1, last - 1)}${anyDigits(rest)}`] : [];
  return [behind(first, lowRest, '9'.repeat(rest)), ...between, behind(last, '0'.repeat(rest), highRest)];
}

/** Whole numbers from `low` to `high`, neither negative; none where there are none. */
function notNegative(low: number, high: number): string[] {
  const parts: string[] = [];
  for (let length = String(low).length; length <= String(high).length && low <= high; length++) {
    const from = Math.max(low, length === 1 ? 0 : 10 ** (length - 1));
    const to = Math.min(high, 10 ** length - 1);
    if (from <= to) parts.push(...sameLength(String(from), String(to)));
  }
  return parts;
}

/** Bounds of a number; null where there is none. */
export interface Bounds {
  readonly low: number | null;
  readonly high: number | null;
  /** Whether the bound itself is out. */
  readonly aboveLow: boolean;
  readonly belowHigh: boolean;
}

interface Whole {
  readonly low: number;
  readonly high: number;
}

/** The whole numbers within. */
function wholeWithin({ aboveLow, belowHigh, high, low }: Bounds): Whole {
  const least = low === null ? -mostWhole : aboveLow ? Math.floor(low) + 1 : Math.ceil(low);
  const most = high === null ? mostWhole : belowHigh ? Math.ceil(high) - 1 : Math.floor(high);
  return { low: Math.max(least, -mostWhole), high: Math.min(most, mostWhole) };
}

/** With a sign where there are numbers below zero. */
const signed = (positive: readonly string[], negative: readonly string[]): string | null => {
  const parts = [...positive, ...negative.map((part) => `"-" (${part})`)];
  return parts.length > 0 ? either(parts) : null;
};

/** Whole numbers within bounds; null where there are none. */
export function wholeRange(bounds: Bounds): string | null {
  const { high, low } = wholeWithin(bounds);
  return signed(notNegative(Math.max(low, 0), high), notNegative(Math.max(-high, 1), -low));
}

/** Numbers within bounds; null where none is found. Beyond whole ones, those between two whole numbers that are within. */
export function numberRange(bounds: Bounds): string | null {
  const whole = wholeRange(bounds);
  const { high, low } = wholeWithin({ ...bounds, aboveLow: false, belowHigh: false });
  const decimal = (parts: readonly string[]): string[] => (parts.length > 0 ? [`(${either(parts)}) ${fraction}`] : []);
  // Of -2.5 the digits are those of 2.5: between -3 and -2 are those that begin with 2.
  const decimals = signed(
    decimal(notNegative(Math.max(low, 0), high - 1)),
    decimal(notNegative(Math.max(-high, 0), -low - 1)),
  );
  const parts = [whole, decimals].filter((part) => part !== null);
  return parts.length > 0 ? either(parts) : null;
}
