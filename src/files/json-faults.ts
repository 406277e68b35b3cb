/**
 * Why a text is no JSON, in words that help: what Python and JavaScript print is close to JSON and not JSON. Pure.
 */

/** A longer text is not looked at for the reason: it would be copied. */
const maxExplained = 1 << 20;

interface Cause {
  /** Found in the text without its strings. */
  readonly sign: RegExp;
  readonly fault: string;
  readonly help: string;
}

const noJson = 'is no valid JSON';

/** The first that fits is told. */
const causes: readonly Cause[] = [
  {
    sign: /-?\b(?:NaN|Infinity)\b/,
    fault: `${noJson}: it holds NaN or Infinity`,
    help: "JSON has no such numbers; write null or leave the key out (Python's json.dumps writes them unless allow_nan=False)",
  },
  {
    sign: /\0/,
    fault: `${noJson}: it holds NUL bytes`,
    help: 'they stand where a write was broken off, or for UTF-16',
  },
  {
    sign: /[{,[:]\s*'|\b(?:True|False|None)\b/,
    fault: `${noJson}: it is written as Python prints it`,
    help: 'write it with json.dumps, not with str or print',
  },
  { sign: /,\s*[}\]]/, fault: `${noJson}: a comma stands before a closing bracket`, help: 'JSON allows none there' },
  {
    sign: /,\s*$/,
    fault: `${noJson}: a comma follows it`,
    help: 'JSONL has one record a line and nothing between them',
  },
  { sign: /[{,]\s*(?:\/\/|\/\*|#)/, fault: `${noJson}: it holds a comment`, help: 'JSON has none' },
  { sign: /[{,]\s*[A-Za-z_$][\w$]*\s*:/, fault: `${noJson}: a key stands without quotes`, help: 'keys need "quotes"' },
];

/** The text with every string emptied. */
const withoutStrings = (text: string): string => text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, '""');

/** The kind of fault, and what exactly. */
export function jsonFault(text: string, error: Error): { fault: string; detail: string } {
  const general = { fault: noJson, detail: error.message };
  if (text.length > maxExplained) return general;
  const bare = withoutStrings(text);
  for (const { sign, fault, help } of causes) {
    const found = sign.exec(bare);
    if (found) return { fault, detail: found[0].includes('\0') ? help : `${found[0].trim()}: ${help}` };
  }
  return general;
}

/** Whether lists and objects lie within each other more than `depth` times. */
export function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) if (isDeeper(inner, depth - 1)) return true;
  return false;
}
