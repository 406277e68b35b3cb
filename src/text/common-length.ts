/** What texts have in common at their ends. Pure. */

/** How many characters (UTF-16 units) both texts begin with. */
export function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

/** How many characters at the end of `text` may be the beginning of `word`. */
export function begunAt(text: string, word: string): number {
  for (let length = Math.min(text.length, word.length - 1); length > 0; length--)
    if (text.endsWith(word.slice(0, length))) return length;
  return 0;
}
