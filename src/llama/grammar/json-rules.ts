/** The rules of any JSON, and of texts of some formats, in llama.cpp's grammars (GBNF). Pure. */

/** A character that stands for itself in a text; what is beyond these is no character, though a model may spell it in bytes. */
const plain = String.raw`[\x20-\x21\x23-\x5B\x5D-\x7E\u0080-\uD7FF\uE000-\U0010FFFF]`;

/** By name; each names those that it is made of. */
export const basicRules = {
  // No lines: where indentation may be, small models fill their context with it.
  ws: '" "?',
  char: `${plain} | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4})`,
  // In a text of bounded length each of these is one character.
  unit: `${plain} | "\\\\" ["\\\\/bfnrt]`,
  string: '"\\"" char* "\\""',
  integer: '"-"? ("0" | [1-9] [0-9]{0,14})',
  number: 'integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})?',
  boolean: '"true" | "false"',
  null: '"null"',
  object: '"{" ws (member (ws "," ws member)*)? ws "}"',
  member: 'string ws ":" ws value',
  array: '"[" ws (value (ws "," ws value)*)? ws "]"',
  value: 'object | array | string | number | boolean | null',
};
export type Basic = keyof typeof basicRules;

const digits = (count: number): string => `[0-9]{${count}}`;
const date = `${digits(4)} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | "1" [0-9] | "2" [0-8])`;
const time =
  '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? ("Z" | [-+] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])';
const hex = (count: number): string => `[0-9a-f]{${count}}`;
/** Texts of each format; not every day of a month is among them. */
export const formats: Readonly<Record<string, string>> = {
  date,
  time,
  'date-time': `${date} "T" ${time}`,
  uuid: `${hex(8)} "-" ${hex(4)} "-" [1-5] ${hex(3)} "-" [89ab] ${hex(3)} "-" ${hex(12)}`,
};

/** The names of the rules that a rule is made of: words beside its texts and sets of characters. */
export const rulesIn = (body: string): string[] => {
  const bare = body.replace(/"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]/g, ' ');
  return [...bare.matchAll(/[a-z]+/g)].map(([word]) => word);
};
