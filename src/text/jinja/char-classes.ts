/** Python's classes of characters and changes of case. Pure. */
import { spaces } from './lexer.ts';

export const leadingSpace = new RegExp(`^[${spaces}]+`);
const onlySpaces = new RegExp(`^[${spaces}]+$`);
export const spaceRun = new RegExp(`[${spaces}]+`, 'g');

const every =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text);
const cased = /[\p{Uppercase}\p{Lowercase}\p{Lt}]/u;

/**
 * The is… methods of str that look at every character alone; all but isascii and isprintable are false for an empty
 * text.
 */
export const classTests: Readonly<Record<string, (text: string) => boolean>> = {
  isalpha: every(/^\p{L}+$/u),
  isdecimal: every(/^\p{Nd}+$/u),
  isdigit: every(
    /^[\p{Nd}\u00b2\u00b3\u00b9\u1369-\u1371\u19da\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792]+$/u,
  ),
  isnumeric: every(/^[\p{N}\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341\u767e\u5343\u4e07\u96f6]+$/u),
  isalnum: every(/^[\p{L}\p{N}]+$/u),
  isspace: every(onlySpaces),
  isascii: every(/^[\0-\x7f]*$/),
  isprintable: (text) => !/(?! )[\p{Z}\p{C}]/u.test(text),
  isidentifier: every(/^[\p{ID_Start}_]\p{ID_Continue}*$/u),
  isupper: (text) => cased.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text),
  islower: (text) => cased.test(text) && !/[\p{Uppercase}\p{Lt}]/u.test(text),
  istitle: isTitle,
};

function isTitle(text: string): boolean {
  let afterCased = false;
  let some = false;
  for (const char of text) {
    if (/[\p{Lu}\p{Lt}]/u.test(char)) {
      if (afterCased) return false;
      afterCased = true;
      some = true;
    } else if (/\p{Ll}/u.test(char)) {
      if (!afterCased) return false;
    } else afterCased = cased.test(char);
  }
  return some;
}

/** Letters whose title case is one letter of its own: Dž, Lj, Nj, Dz. */
const titleCases: Readonly<Record<string, string>> = Object.fromEntries(
  ['\u01c4\u01c5\u01c6', '\u01c7\u01c8\u01c9', '\u01ca\u01cb\u01cc', '\u01f1\u01f2\u01f3'].flatMap(
    ([upper, title, lower]) => [
      [upper!, title!],
      [title!, title!],
      [lower!, title!],
    ],
  ),
);

function titleCase(char: string): string {
  const special = titleCases[char];
  if (special) return special;
  const [first, ...others] = char.toUpperCase();
  return (first ?? '') + others.join('').toLowerCase();
}

export function title(text: string): string {
  let afterCased = false;
  let out = '';
  for (const char of text) {
    out += afterCased ? char.toLowerCase() : titleCase(char);
    afterCased = cased.test(char);
  }
  return out;
}

export function capitalize(text: string): string {
  const [first] = text;
  return first === undefined ? '' : titleCase(first) + text.slice(first.length).toLowerCase();
}

export const swapcase = (text: string): string =>
  [...text].map((char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase())).join('');

/** Python's casefold where it is more than lower case. */
export const casefold = (text: string): string =>
  text
    .replaceAll('ẞ', 'ss')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('ς', 'σ')
    .replace(/[ﬀ-ﬆ]/g, (char) => char.toUpperCase().toLowerCase());
