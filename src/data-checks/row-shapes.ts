/** Whether rows say anything, how long they are, in which languages, and how answers that are labels are spread. */
import { wordsOf } from '../similarity/text-words.ts';
import { type DataRow, wholeOf } from './data-row.ts';
import type { Excerpts } from './excerpts.ts';
import type { DataFinding } from './finding.ts';
import { labelsOf } from './repeated-rows.ts';

/** How long things are: shortest, middle, nearly longest and longest. */
export interface Lengths {
  readonly shortest: number;
  readonly median: number;
  /** 95 of 100 are no longer. */
  readonly percentile95: number;
  readonly longest: number;
}

/** Of no values, zeros. */
export function lengthsOf(values: readonly number[]): Lengths {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { shortest: at(0), median: at(0.5), percentile95: at(0.95), longest: at(1) };
}

/** Rows of which a side says nothing. */
export function emptyIn({ answer, isPair, prompt, source, texts }: DataRow, excerpts: Excerpts): DataFinding[] {
  const finding = (rule: string): DataFinding[] => [
    {
      kind: 'empty',
      severity: 'warning',
      rule,
      rows: [source],
      excerpt: texts.map(({ text }) => excerpts.of(text)).join(' / '),
    },
  ];
  if (wordsOf(answer).length === 0) return finding(isPair ? 'empty answer' : 'empty text');
  return isPair && wordsOf(prompt).length === 0 ? finding('empty prompt') : [];
}

/** White space that stands where tokens of prompt and answer meet: it becomes part of another token than in use. */
export function edgesIn({ source, texts }: DataRow, excerpts: Excerpts): DataFinding[] {
  return texts.flatMap(({ isAnswer, place, text }): DataFinding[] => {
    if (place === 'text' || text.trim() === '') return [];
    const edge = place === 'prompt' ? /[ \t]$/ : isAnswer ? /^\s{2,}|\s{2,}$/ : null;
    const match = edge?.exec(text);
    if (!match) return [];
    const rule = match.index === 0 ? 'several white space characters before it' : 'white space at its end';
    return [
      {
        kind: 'white-space',
        severity: 'note',
        rule,
        rows: [source],
        place,
        excerpt: excerpts.of(text, Math.max(0, text.length - 30)),
      },
    ];
  });
}

/** A row so many times as long as the middle one, and as nearly all, is another thing, or many rows in one. */
const unusual = { ofMedian: 20, of95: 4, characters: 2000 };

/** Rows that are far longer than others. */
export function unusualLengths(rows: readonly DataRow[], excerpts: Excerpts): DataFinding[] {
  const lengths = rows.map((row) => wholeOf(row).length);
  const { median, percentile95 } = lengthsOf(lengths);
  const most = Math.max(unusual.ofMedian * median, unusual.of95 * percentile95, unusual.characters);
  return rows.flatMap((row, i): DataFinding[] =>
    lengths[i]! <= most
      ? []
      : [
          {
            kind: 'unusual-length',
            severity: 'note',
            rule: `${lengths[i]} characters, where the middle row has ${median}`,
            rows: [row.source],
            excerpt: excerpts.ofRow(row),
          },
        ],
  );
}

/** An answer and how many rows have it. */
export interface LabelCount {
  readonly label: string;
  readonly rows: number;
}

/** An answer that is a label and has so few rows is hardly learnt; one that has more than this share of all is guessed. */
const [fewRows, mostShare, manyTimes] = [5, 0.8, 10];

/** How labels are spread, the most frequent first, and which stand out; null where answers are no labels. */
export function labelBalance(
  rows: readonly DataRow[],
  excerpts: Excerpts,
): { labels: LabelCount[]; findings: DataFinding[] } | null {
  const counts = labelsOf(rows);
  if (!counts) return null;
  const labels = [...counts]
    .map(([label, rows]) => ({ label, rows }))
    .sort((a, b) => b.rows - a.rows || (a.label < b.label ? -1 : 1));
  const median = lengthsOf([...counts.values()]).median;
  const findings = labels.flatMap(({ label, rows: count }): DataFinding[] => {
    const rule =
      count > mostShare * rows.length || count > manyTimes * median
        ? `${count} of ${rows.length} rows have this answer, where the middle one has ${median}`
        : count < fewRows && count * manyTimes < median
          ? `only ${count} rows have this answer, where the middle one has ${median}`
          : null;
    if (rule === null) return [];
    const named = rows.filter(({ answer }) => answer.trim() === label).slice(0, 1);
    return [
      {
        kind: 'label-balance',
        severity: 'note',
        rule,
        rows: named.map(({ source }) => source),
        excerpt: excerpts.of(named[0]!.answer),
      },
    ];
  });
  return { labels, findings };
}
