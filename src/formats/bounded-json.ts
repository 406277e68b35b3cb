/**
 * Small JSON files of ours, read bounded. Promises: what is no file, too large, no JSON or nested beyond use is a NomoatError with the file's
 * name. Knows nothing of what they mean.
 */
import { readFileSync, statSync } from 'node:fs';
import { NomoatError, type NomoatErrorOptions } from '../errors.ts';
import { decodeText } from './decode-text.ts';

/** What we write is nested five deep; what calls itself for each level runs out of stack some thousands down. */
const maxDepth = 100;

/** Whether the text has more open brackets than is of use. */
export function tooDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // [ and {, ] and }
    if (code === 0x5b || code === 0x7b) depth++;
    else if (code === 0x5d || code === 0x7d) depth--;
    if (depth > maxDepth) return true;
  }
  return false;
}

/** The value of the text, or the fault as the end of a sentence. */
export function parseBounded(text: string): { readonly value: unknown } | string {
  try {
    // Only that runs out of stack.
    return text.length > maxDepth && tooDeep(outsideTexts(text)) ? 'is nested too deeply' : { value: JSON.parse(text) };
  } catch {
    return 'is no valid JSON';
  }
}

/** The text without what stands in quotes. Not by a pattern: of a text of megabytes that runs out of stack. */
function outsideTexts(text: string): string {
  const outside: string[] = [];
  let from = 0;
  for (let open = text.indexOf('"'); open >= 0; open = text.indexOf('"', from)) {
    outside.push(text.slice(from, open));
    let close = text.indexOf('"', open + 1);
    while (close > 0 && isEscaped(text, close)) close = text.indexOf('"', close + 1);
    // What is not closed is no JSON: said by the parser.
    if (close < 0) return outside.join('');
    from = close + 1;
  }
  outside.push(text.slice(from));
  return outside.join('');
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text[first - 1] === '\\') first--;
  return (at - first) % 2 === 1;
}

/** What a file that cannot be read is refused with. */
type Refusal = Pick<NomoatErrorOptions, 'remedy' | 'code'>;

/** The value in the file at `path`. Throws NomoatError, with that remedy. */
export function readBoundedJson(path: string, maxBytes: number, refusal: Refusal): unknown {
  const refuse = (fault: string, cause?: unknown): NomoatError =>
    new NomoatError({ ...refusal, part: path, fault, cause });
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > maxBytes) throw refuse(`has ${size} bytes, where ${maxBytes} are the most`);
    // Editors and PowerShell put a byte order mark before it.
    text = decodeText(path, readFileSync(path));
  } catch (error) {
    if (error instanceof NomoatError) throw error;
    throw refuse(`cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
  const parsed = parseBounded(text);
  if (typeof parsed === 'string') throw refuse(parsed);
  return parsed.value;
}
