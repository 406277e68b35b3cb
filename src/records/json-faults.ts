/**
 * Why a text is no JSON, in words that help: what Python and JavaScript print is close to JSON and not JSON. Pure.
 */
import { stringEnd } from './json-spans.ts';

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

/** The text with every string emptied, in one pass: a pattern would try each quote of a text that is all quotes. */
function withoutStrings(text: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let quote = text.indexOf('"'); quote >= 0; quote = text.indexOf('"', from)) {
    parts.push(text.slice(from, quote), '""');
    from = stringEnd(text, quote);
  }
  return parts.join('') + text.slice(from);
}

/** The kind of fault, and what exactly. */
export function jsonFault(text: string, error: Error): { fault: string; detail: string } {
  const general = { fault: noJson, detail: error.message };
  // Inside strings, too.
  if (text.includes('\0'))
    return { fault: `${noJson}: it holds NUL bytes`, detail: 'they stand where a write was broken off, or for UTF-16' };
  if (text.length > maxExplained) return general;
  const bare = withoutStrings(text);
  for (const { sign, fault, help } of causes) {
    const found = sign.exec(bare);
    if (found) return { fault, detail: `${found[0].trim()}: ${help}` };
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
