/** Rows that repeat or contradict earlier ones. */
import { type NearDuplicateOptions, nearDuplicatesWithin } from '../similarity/near-duplicates.ts';
import { wordsOf } from '../similarity/text-words.ts';
import { type DataRow, wholeOf } from './data-row.ts';
import type { Excerpts } from './excerpts.ts';
import type { DataFinding } from './finding.ts';

const sameWords = (text: string): string => wordsOf(text).join(' ');

/** Rows with the same words in the same order, side by side: a question that became an answer is no repetition. */
const keyOf = (row: DataRow): string => `${sameWords(row.prompt)}\u0000${sameWords(row.answer)}`;

const isEmpty = (row: DataRow): boolean => wordsOf(wholeOf(row)).length === 0;

/** Copies of earlier rows, exact ones first; no row is named twice. */
export async function duplicatesIn(
  rows: readonly DataRow[],
  excerpts: Excerpts,
  options: NearDuplicateOptions = {},
): Promise<DataFinding[]> {
  const first = new Map<string, DataRow>();
  const findings: DataFinding[] = [];
  for (const row of rows) {
    if (isEmpty(row)) continue;
    const key = keyOf(row);
    const like = first.get(key);
    if (like)
      findings.push({
        kind: 'exact-duplicate',
        severity: 'warning',
        rule: 'repeats an earlier row',
        rows: [row.source],
        like: like.source,
        excerpt: excerpts.ofRow(row),
      });
    else first.set(key, row);
  }
  const distinct = [...first.values()];
  // A label says nothing of its own: of two near prompts with other labels neither repeats the other.
  const hasLabels = labelsOf(rows) !== null;
  const texts = distinct.map((row) => (hasLabels ? row.prompt : wholeOf(row)));
  for (const { index, of, similarity } of await nearDuplicatesWithin(texts, options)) {
    const [row, like] = [distinct[index]!, distinct[of]!];
    if (hasLabels && row.answer.trim() !== like.answer.trim()) continue;
    findings.push({
      kind: 'near-duplicate',
      severity: 'note',
      rule: `shares ${Math.floor(100 * similarity)}% of its words, weighted by rarity, with an earlier row`,
      rows: [row.source],
      like: like.source,
      excerpt: excerpts.ofRow(row),
    });
  }
  return findings;
}

/** Answers that are so short, and of which so few are distinct, are labels. */
const [longestLabel, fewestRowsOfLabel] = [60, 3];

/** How often each answer stands where answers are labels: few distinct ones, all short; null where they are not. */
export function labelsOf(rows: readonly DataRow[]): Map<string, number> | null {
  const counts = new Map<string, number>();
  for (const { answer, isPair } of rows) {
    if (!isPair || answer.length > longestLabel) return null;
    counts.set(answer.trim(), (counts.get(answer.trim()) ?? 0) + 1);
  }
  return counts.size > 1 && counts.size * fewestRowsOfLabel <= rows.length ? counts : null;
}

/**
 * Rows with the prompt of an earlier row and another answer. Where answers are labels one of them is wrong, else several
 * may be right.
 */
export function contradictionsIn(rows: readonly DataRow[], excerpts: Excerpts): DataFinding[] {
  const severity = labelsOf(rows) ? 'warning' : 'note';
  const first = new Map<string, DataRow>();
  const findings: DataFinding[] = [];
  for (const row of rows) {
    const key = sameWords(row.prompt);
    if (!row.isPair || key === '') continue;
    const like = first.get(key);
    if (!like) first.set(key, row);
    else if (sameWords(like.answer) !== sameWords(row.answer))
      findings.push({
        kind: 'contradiction',
        severity,
        rule: 'another answer to the same prompt',
        rows: [row.source],
        like: like.source,
        excerpt: `${excerpts.of(row.answer)} / ${excerpts.of(like.answer)}`,
      });
  }
  return findings;
}
