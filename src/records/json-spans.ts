/**
 * Where the values of a JSON text begin and end, found by brackets and quotes alone, so that a broken value does not
 * hide its neighbours. Promises: one pass over the text, at any depth. Does not parse. Pure.
 */

export interface Span {
  readonly start: number;
  readonly end: number;
}

const code = (char: string): number => char.charCodeAt(0);
const [quote, backslash, comma, colon] = [code('"'), code('\\'), code(','), code(':')];
const opening = [code('{'), code('[')];
const closing = [code('}'), code(']')];
const listEnd = code(']');

/** The position after the string that begins at `start`. */
export function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === backslash) i++;
    else if (char === quote) return i + 1;
  }
  return text.length;
}

/** The span without the white space around it; an empty one lies at its end. */
function trimmed(text: string, start: number, end: number): Span {
  const raw = text.slice(start, end);
  const from = start + (raw.length - raw.trimStart().length);
  return { start: from, end: Math.max(from, end - (raw.length - raw.trimEnd().length)) };
}

/** The elements of the list whose bracket stands at `open`. `whole`: the list is all that the text should hold. */
export function* listElements(
  text: string,
  open: number,
  whole: boolean,
): Generator<Span | { readonly start: number; readonly fault: string }> {
  let depth = 0;
  let start = open + 1;
  let first = true;
  for (let i = open + 1; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === quote) i = stringEnd(text, i) - 1;
    else if (opening.includes(char)) depth++;
    else if (depth > 0 && closing.includes(char)) depth--;
    else if (depth === 0 && (char === comma || char === listEnd)) {
      const span = trimmed(text, start, i);
      // Nothing at all between the brackets is an empty list; nothing beside a comma is an element that is missing.
      if (char === comma || span.end > span.start || !first) yield span;
      first = false;
      start = i + 1;
      if (char === comma) continue;
      const rest = trimmed(text, start, text.length);
      if (whole && rest.end > rest.start) yield { start: rest.start, fault: 'stands after the end of the list' };
      return;
    }
  }
  yield { start: trimmed(text, start, text.length).start, fault: 'is cut off: the list has no end' };
}

/** The objects and lists that stand one after another; what stands between them is a value, too. */
export function topValues(text: string): Span[] {
  const found: Span[] = [];
  let depth = 0;
  let start = 0;
  const add = (end: number): void => {
    const span = trimmed(text, start, end);
    if (span.end > span.start) found.push(span);
    start = end;
  };
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === quote) i = stringEnd(text, i) - 1;
    else if (opening.includes(char)) {
      if (depth++ === 0) add(i);
    } else if (depth > 0 && closing.includes(char) && --depth === 0) add(i + 1);
  }
  add(text.length);
  return found;
}

/** The one list of objects among the values of the text's first object. Null where there is none, or several. */
export function listUnderKey(text: string): { readonly key: string; readonly open: number } | null {
  const found: { key: string; open: number }[] = [];
  let depth = 0;
  let key = '';
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === quote) {
      const end = stringEnd(text, i);
      if (depth === 1) key = text.slice(i + 1, Math.min(end - 1, i + 41));
      i = end - 1;
    } else if (opening.includes(char)) depth++;
    else if (closing.includes(char)) depth--;
    else if (depth === 1 && char === colon && /^\s*\[\s*\{/.test(text.slice(i + 1, i + 200)))
      found.push({ key, open: text.indexOf('[', i) });
    if (depth === 0 && i > 0 && closing.includes(char)) break;
  }
  return found.length === 1 ? found[0]! : null;
}
