/**
 * A text that is read while it is written: readers are generators, which yield where they need more of it. Promises: nothing is read
 * twice, however the text is cut into pieces. Pure.
 */

/** A reader at work; it yields when it has read all that there is. */
export type Reading<Value> = Generator<void, Value, void>;

/** The text is not what a reader reads. */
export class Unreadable extends Error {}

export class TextSource {
  /** What has come and is kept; what was read before `keep` is let go. */
  private text = '';
  private position = 0;
  /** Characters before `text`. */
  private passed = 0;
  private ended = false;

  push(piece: string): void {
    this.text += piece;
  }

  end(): void {
    this.ended = true;
  }

  /** What has come and is not read. */
  get rest(): string {
    return this.text.slice(this.position);
  }

  /** How many characters are read, in UTF-16 units. */
  get offset(): number {
    return this.passed + this.position;
  }

  /** Lets go of what is read: a place to come back to. */
  mark(): void {
    this.passed += this.position;
    this.text = this.rest;
    this.position = 0;
  }

  /** What is read since the last mark. */
  get readSinceMark(): string {
    return this.text.slice(0, this.position);
  }

  /** Takes so many characters of what is there. */
  take(count: number): string {
    const taken = this.text.slice(this.position, this.position + count);
    this.position += taken.length;
    return taken;
  }

  /** Takes all that is there, and lets go of it. */
  takeAll(): string {
    const taken = this.take(this.rest.length);
    this.mark();
    return taken;
  }

  /** The next character, which stays; '' at the end. */
  *peek(): Reading<string> {
    while (this.position >= this.text.length && !this.ended) yield;
    return this.text[this.position] ?? '';
  }

  /** The next character. Throws Unreadable at the end. */
  *next(): Reading<string> {
    const character = yield* this.peek();
    if (character === '') throw new Unreadable();
    this.position++;
    return character;
  }

  *skipSpace(): Reading<void> {
    while (/\s/.test(yield* this.peek())) this.position++;
  }

  /** Whether the text goes on with `word`, which is read then. */
  *has(word: string): Reading<boolean> {
    while (this.text.length - this.position < word.length && !this.ended && word.startsWith(this.rest)) yield;
    if (!this.text.startsWith(word, this.position)) return false;
    this.position += word.length;
    return true;
  }

  /** Waits until there is more than `count` characters, or all. Returns whether there may be more. */
  *more(count: number): Reading<boolean> {
    while (this.text.length - this.position <= count && !this.ended) yield;
    return !this.ended;
  }
}

/** Markup without white space: its words, and its tags each by itself. */
export const wordsOfMarkup = (literal: string): string[] =>
  literal.split(/\s+|(?<=[>\]])/).filter((word) => word !== '');

/** The first word of markup, or its first tag. */
export const firstMarkup = (literal: string): string => wordsOfMarkup(literal)[0] ?? '';

/** Reads markup, white space in and around it as it comes. Returns false, with some of it read, where it is not there. */
export function* markup(source: TextSource, literal: string): Reading<boolean> {
  for (const word of wordsOfMarkup(literal)) {
    yield* source.skipSpace();
    if (!(yield* source.has(word))) return false;
  }
  return true;
}

/**
 * Reads what stands before the first of `ends`, and that one. Throws Unreadable where there is none within `most` characters.
 */
export function* before(
  source: TextSource,
  ends: readonly string[],
  most: number,
): Reading<{ readonly text: string; readonly end: string }> {
  let text = '';
  for (;;) {
    for (const end of ends) if (yield* source.has(end)) return { text, end };
    if (text.length >= most) throw new Unreadable();
    text += yield* source.next();
  }
}
