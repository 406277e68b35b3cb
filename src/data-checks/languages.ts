/** Languages of rows, by eld's smallest table: short texts are often too little to tell. */
import { eld } from 'eld/extrasmall';
import { type DataRow, wholeOf } from './data-row.ts';
import type { Excerpts } from './excerpts.ts';
import type { DataFinding } from './finding.ts';

/** Shorter ones are too often taken for another language. */
const fewestLetters = 20;
/** What is enough to tell a language. */
const lookedAt = 1000;
/** A set is of one language where so many rows are; then the others stand out. */
const nearlyAll = 0.9;

/** Difference of eld's scores, which are 0 to 1, from which a language is clearly likelier. */
const clearly = 0.1;

const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'code' });

/** ISO 639-1 of a text; null where it is too short, or could be several. */
export function languageOf(text: string): string | null {
  const start = text.slice(0, lookedAt);
  if ((start.match(/\p{L}/gu)?.length ?? 0) < fewestLetters) return /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]{4}/u.test(start) ? eld.detect(start).language || null : null; // biome-ignore format: one line
  const found = eld.detect(start);
  return found.isReliable() ? found.language || null : null;
}

/** A language and how many rows are in it; null of those of which it cannot be told. */
export interface LanguageCount {
  /** ISO 639-1. */
  readonly language: string | null;
  readonly rows: number;
}

/** Whether a text is as likely of a language that most rows have as of the one that it was taken for: names of places are of any language. */
const mayBe = (text: string, language: string): boolean => {
  const scores = eld.detect(text.slice(0, lookedAt)).getScores();
  return Math.max(...Object.values(scores)) - (scores[language] ?? 0) < clearly;
};

/** The languages of rows in their order, the one of most rows where another is not clearly likelier; null where it cannot be told. */
export function languagesOf(rows: readonly DataRow[]): (string | null)[] {
  const first = rows.map((row) => languageOf(wholeOf(row)));
  const most = countLanguages(first).find(({ language }) => language !== null)?.language;
  if (!most) return first;
  return first.map((language, i) =>
    language !== null && language !== most && mayBe(wholeOf(rows[i]!), most) ? most : language,
  );
}

/** The most frequent first. */
export function countLanguages(found: readonly (string | null)[]): LanguageCount[] {
  const counts = new Map<string | null, number>();
  for (const language of found) counts.set(language, (counts.get(language) ?? 0) + 1);
  return [...counts].map(([language, rows]) => ({ language, rows })).sort((a, b) => b.rows - a.rows);
}

/** Rows of another language where nearly all are of one. */
export function otherLanguages(
  rows: readonly DataRow[],
  found: readonly (string | null)[],
  excerpts: Excerpts,
): DataFinding[] {
  const known = countLanguages(found).filter(({ language }) => language !== null);
  const told = known.reduce((sum, { rows }) => sum + rows, 0);
  const [most] = known;
  if (!most || most.rows < nearlyAll * told) return [];
  return rows.flatMap((row, i): DataFinding[] => {
    const language = found[i]!;
    if (language === null || language === most.language) return [];
    const rule = `${names.of(language)}, where nearly all rows are ${names.of(most.language!)}`;
    return [{ kind: 'other-language', severity: 'note', rule, rows: [row.source], excerpt: excerpts.ofRow(row) }];
  });
}
