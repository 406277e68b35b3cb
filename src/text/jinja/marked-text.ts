/**
 * Texts that know where their characters came from. A text without marks is a plain string; one with marks carries
 * spans. Every operation on texts here keeps the spans on their characters. Pure.
 */

/** What a mark stands for; the engine only carries it along. */
export type Origin = object | number;

/** Which characters (UTF-16 units) of a text came from which marked input; spans are in order and do not overlap. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly origin: Origin;
}

/** Everything that the engine makes itself; what is not one of these is a plain value of the caller. */
export abstract class Native {}

export class MarkedText extends Native {
  readonly text: string;
  readonly spans: readonly Span[];

  constructor(text: string, spans: readonly Span[]) {
    super();
    this.text = text;
    this.spans = spans;
  }
}

/** Text that is taken for safe HTML, as the filters safe and escape make it. */
export class Markup extends MarkedText {}

export type Str = string | MarkedText;

export const isStr = (value: unknown): value is Str => typeof value === 'string' || value instanceof MarkedText;
export const textOf = (str: Str): string => (typeof str === 'string' ? str : str.text);
export const lengthOf = (str: Str): number => (typeof str === 'string' ? str.length : str.text.length);

export function markText(text: string, origin: Origin): Str {
  return text === '' ? '' : new MarkedText(text, [{ start: 0, end: text.length, origin }]);
}

/** Puts texts together; neighbouring spans of one origin become one. */
export class TextBuilder {
  text = '';
  readonly spans: Span[] = [];

  write(str: Str): void {
    if (typeof str === 'string') this.text += str;
    else {
      const shift = this.text.length;
      this.text += str.text;
      for (const span of str.spans) this.mark(span.start + shift, span.end + shift, span.origin);
    }
  }

  private mark(start: number, end: number, origin: Origin): void {
    const last = this.spans.at(-1);
    if (last && last.end === start && last.origin === origin) this.spans[this.spans.length - 1] = { ...last, end };
    else this.spans.push({ start, end, origin });
  }

  finish(): Str {
    return this.spans.length === 0 ? this.text : new MarkedText(this.text, this.spans);
  }
}

export function concat(...parts: readonly Str[]): Str {
  const builder = new TextBuilder();
  for (const part of parts) builder.write(part);
  return builder.finish();
}

export function joinTexts(separator: Str, parts: readonly Str[]): Str {
  const builder = new TextBuilder();
  parts.forEach((part, i) => {
    if (i > 0) builder.write(separator);
    builder.write(part);
  });
  return builder.finish();
}

/** Part of a text by UTF-16 units, as String.slice has it for bounds that are not negative. */
export function slice(str: Str, start: number, end = lengthOf(str)): Str {
  if (typeof str === 'string') return str.slice(start, end);
  const text = str.text.slice(start, end);
  if (text.length === str.text.length && !(str instanceof Markup)) return str;
  const spans: Span[] = [];
  for (const span of str.spans) {
    const from = Math.max(span.start, start);
    const to = Math.min(span.end, start + text.length);
    if (from < to) spans.push({ start: from - start, end: to - start, origin: span.origin });
  }
  return spans.length === 0 ? text : new MarkedText(text, spans);
}

/** The text by runs of one origin each. */
export function runsOf(str: Str): { text: string; origin: Origin | null }[] {
  if (typeof str === 'string') return str === '' ? [] : [{ text: str, origin: null }];
  const runs: { text: string; origin: Origin | null }[] = [];
  let position = 0;
  for (const { start, end, origin } of str.spans) {
    if (start > position) runs.push({ text: str.text.slice(position, start), origin: null });
    runs.push({ text: str.text.slice(start, end), origin });
    position = end;
  }
  if (position < str.text.length) runs.push({ text: str.text.slice(position), origin: null });
  return runs;
}

/** Characters changed one by one, whatever stands beside them (escapes, translations). */
export function mapRuns(str: Str, change: (text: string) => string): Str {
  if (typeof str === 'string') return change(str);
  const builder = new TextBuilder();
  for (const { text, origin } of runsOf(str)) {
    const changed = change(text);
    builder.write(origin === null ? changed : markText(changed, origin));
  }
  return builder.finish();
}

/**
 * A text changed as a whole (upper, title, wrapping). Where the runs changed apart give the same, they keep their
 * marks; otherwise the result is marked by the first origin: an approximation that only long casings at the boundary of
 * two origins meet.
 */
export function mapWhole(str: Str, change: (text: string) => string): Str {
  if (typeof str === 'string') return change(str);
  const whole = change(str.text);
  const apart = mapRuns(str, change);
  if (textOf(apart) === whole) return apart;
  return markText(whole, str.spans[0]!.origin);
}
