/**
 * The date that chat templates print (Llama 3.x puts "Today Date" into its system prompt), held still: with the real one, tomorrow's
 * tokens would differ from today's, a resumed run would not continue bit for bit, and chat would ask otherwise than training did. Pure.
 */

/** The date in Llama 3.x's own template for programs without a clock. */
const year = 2024;
const month = 7;
const day = 26;
const longMonth = 'July';
const shortMonth = 'Jul';
const weekday = 'Friday';

const two = (number: number): string => String(number).padStart(2, '0');

const formats: Readonly<Record<string, string>> = {
  Y: String(year),
  y: String(year % 100),
  m: two(month),
  d: two(day),
  B: longMonth,
  b: shortMonth,
  A: weekday,
  a: weekday.slice(0, 3),
  H: '00',
  M: '00',
  S: '00',
  '%': '%',
};

/** Python's strftime at the fixed date, midnight; codes that it does not know stay as they are. */
export function strftime(format: unknown): string {
  return String(format).replace(/%([A-Za-z%])/g, (code, letter: string) => formats[letter] ?? code);
}
