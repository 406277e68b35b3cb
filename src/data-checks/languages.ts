/** Languages of rows. */
import { languageOf, mayBeIn } from '../text/text-language.ts';
import { type DataRow, wholeOf } from './data-row.ts';
import type { Excerpts } from './excerpts.ts';
import type { DataFinding } from './finding.ts';

/** A set is of one language where so many rows are; then the others stand out. */
const nearlyAll = 0.9;

const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'code' });

/** A language and how many rows are in it; null of those of which it cannot be told. */
export interface LanguageCount {
  /** ISO 639-1. */
  readonly language: string | null;
  readonly rows: number;
}

/** The languages of rows in their order, the one of most rows where another is not clearly likelier; null where it cannot be told. */
export function languagesOf(rows: readonly DataRow[]): (string | null)[] {
  const first = rows.map((row) => languageOf(wholeOf(row)));
  const most = countLanguages(first).find(({ language }) => language !== null)?.language;
  if (!most) return first;
  return first.map((language, i) =>
    language !== null && language !== most && mayBeIn(wholeOf(rows[i]!), most) ? most : language,
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
