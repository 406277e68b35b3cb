/** The filter wordwrap: Python's textwrap of each line, without expanding tabs or replacing white space. */
import { MissingConstruct, typeError } from './errors.ts';
import type { Given } from './filter-table.ts';
import { isStr, joinTexts, type Str, slice, textOf } from './marked-text.ts';
import { splitlines } from './str-split.ts';
import { str } from './to-text.ts';
import { isTrue, typeName } from './types.ts';
import { toIndex } from './values.ts';

type Parameter = 's' | 'width' | 'break_long_words' | 'wrapstring' | 'break_on_hyphens';

export function wrapped(given: Given<Parameter>): Str {
  const { s: value, width, wrapstring } = given;
  if (!isStr(value)) throw typeError(`'${typeName(value)}' object has no attribute 'splitlines'`);
  const most = toIndex(width);
  if (most === null || most <= 0) throw typeError(`invalid width ${textOf(str(width))}`);
  if (isTrue(given.break_on_hyphens) && /\w-/.test(textOf(value)))
    throw new MissingConstruct('the filter `wordwrap` of words with hyphens');
  const separator = wrapstring === null ? '\n' : str(wrapstring);
  const lines = splitlines(value, false).map((line) => wrapLine(line, most, isTrue(given.break_long_words)));
  return joinTexts(
    separator,
    lines.map((parts) => joinTexts(separator, parts)),
  );
}

/** Pieces of white space and of words are put into lines as long as they fit; white space at a boundary is dropped. */
function wrapLine(line: Str, width: number, breakLong: boolean): Str[] {
  const chunks = [...textOf(line).matchAll(/[\t\n\v\f\r ]+|[^\t\n\v\f\r ]+/g)].map((found) => ({
    text: found[0],
    start: found.index,
  }));
  const lines: Str[] = [];
  chunks.reverse();
  while (chunks.length > 0) {
    if (lines.length > 0 && chunks.at(-1)!.text.trim() === '') chunks.pop();
    const taken: { text: string; start: number }[] = [];
    let length = 0;
    while (chunks.length > 0 && length + chunks.at(-1)!.text.length <= width) {
      const chunk = chunks.pop()!;
      length += chunk.text.length;
      taken.push(chunk);
    }
    const long = chunks.at(-1);
    if (long && long.text.length > width) {
      const space = breakLong ? width - length : taken.length === 0 ? long.text.length : -1;
      if (space >= 0) {
        // Where nothing fits, Python adds an empty piece, which then is dropped in the white space's stead.
        taken.push({ text: long.text.slice(0, space), start: long.start });
        chunks.pop();
        if (space < long.text.length) chunks.push({ text: long.text.slice(space), start: long.start + space });
      }
    }
    if (taken.at(-1)?.text.trim() === '') taken.pop();
    const last = taken.at(-1);
    if (last) lines.push(slice(line, taken[0]!.start, last.start + last.text.length));
  }
  return lines;
}
