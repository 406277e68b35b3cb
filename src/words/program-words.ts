/**
 * Options and calls as a program writes them, for messages, in backticks: `rank: 16`, `resumeTune('runs/a')`. Pure.
 * Promises: what users gave is written as a literal, which a reader can paste and of which the command line finds the
 * end (cli/words.ts). Open to all folders, as errors.ts is.
 */

const textLiteral = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

/** A value as JavaScript writes it. */
const literal = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(literal).join(', ')}]`
    : typeof value === 'string'
      ? textLiteral(value)
      : String(value);

const entries = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}: ${literal(value)}`)
    .join(', ');

/** Options with their values, in backticks: `epochs: 2, precision: 'int8'`. */
export const withValues = (values: Readonly<Record<string, unknown>>): string => `\`${entries(values)}\``;

/** A call of the library with a path or a name, in backticks: `resumeTune('runs/a')`. */
export const callWith = (name: string, argument: string): string => `\`${name}(${literal(argument)})\``;

/** A call of the library with options, in backticks: `openModel({ model: 'runs/a' })`. */
export const callWithOptions = (name: string, values: Readonly<Record<string, unknown>>): string =>
  `\`${name}({ ${entries(values)} })\``;
