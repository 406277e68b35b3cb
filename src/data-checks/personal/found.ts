/** What a rule finds in a text, and how rules are told apart from what is like it. Pure. */

/** A place in a text that holds what a rule looks for. */
export interface Found {
  /** What it is, in words: `e-mail address`, `IBAN`, `GitHub Token`. */
  readonly rule: string;
  /** From, in UTF-16 units. */
  readonly start: number;
  /** To, in UTF-16 units; not part of it. */
  readonly end: number;
}

/** How far before a number the word may stand that says what it is: "my social security number, in case you need it, is". */
const wordBefore = 60;
/** How far behind it: "078-05-1120 (SSN)". */
const wordBehind = 15;

/** Whether words that `pattern` knows stand around a place. */
export function isNamed(text: string, { start, end }: Pick<Found, 'start' | 'end'>, pattern: RegExp): boolean {
  return (
    pattern.test(text.slice(Math.max(0, start - wordBefore), start)) || pattern.test(text.slice(end, end + wordBehind))
  );
}

/** Only digits and letters, in capitals. */
export const compact = (value: string): string => value.replace(/[^\dA-Za-z]/g, '').toUpperCase();

/** Those that overlap none that stands before them in the list. */
export function withoutOverlaps(found: readonly Found[]): Found[] {
  const kept: Found[] = [];
  for (const each of found) if (!kept.some(({ end, start }) => each.start < end && start < each.end)) kept.push(each);
  return kept.sort((a, b) => a.start - b.start);
}
