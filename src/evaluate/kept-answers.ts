/** Answers and scores of one model on the disk. Promises: what was computed once is not computed again; another file is another model. */
import { z } from 'zod';
import type { Model } from '../chat/chat-model.ts';
import type { RowScore, ScoreRow } from '../chat/score-row.ts';
import type { AnswerStore, TestAnswer } from './ask.ts';
import { KeptLines } from './kept-lines.ts';
import { sum } from './statistics/sums.ts';
import type { TestQuestion } from './test-set.ts';

const answer = z.object({ text: z.string(), ended: z.boolean() });
const score = z.object({ logProbabilities: z.array(z.number()).readonly(), mostLikely: z.boolean() });

export class KeptAnswers implements AnswerStore {
  private readonly lines: KeptLines<TestAnswer>;
  private readonly sampling: string;

  /** `sampling` says all that an answer depends on beside model and question. */
  constructor(path: string, sampling: string) {
    this.lines = new KeptLines(path, answer);
    this.sampling = sampling;
  }

  find({ ask }: TestQuestion): TestAnswer | null {
    return this.lines.find([this.sampling, ask]);
  }

  keep({ ask }: TestQuestion, given: TestAnswer): void {
    this.lines.keep([this.sampling, ask], given);
  }
}

/** How rows are scored, where some were before. */
export interface ScoringOptions {
  /** As `keptAnswersPath` names it. */
  readonly path: string;
  /** Called when a row has to be computed, and not before. */
  readonly open: () => Promise<Pick<Model, 'scoreRows'>>;
  readonly signal?: AbortSignal;
  /** Told how many of all rows there are. */
  readonly onRow?: (done: number) => void;
}

/** A row's score; null where the row does not fit the context. */
export type FoundScore = RowScore | null;

const asked = (row: ScoreRow): unknown => ['score', row];

/** Scores in the order of the rows, each kept as it comes, and how many were computed now. Rejects with NomoatError. */
export async function scoreKept(
  rows: readonly ScoreRow[],
  { onRow, open, path, signal }: ScoringOptions,
): Promise<{ scores: FoundScore[]; computed: number }> {
  const lines = new KeptLines(path, score);
  const scores = rows.map((row): FoundScore => {
    const known = lines.find(asked(row));
    return known && { ...known, logProbability: sum(known.logProbabilities) };
  });
  const missing = [...rows.keys()].filter((i) => scores[i] === null);
  if (missing.length === 0) return { scores, computed: 0 };
  let done = rows.length - missing.length;
  const model = await open();
  await model.scoreRows(
    missing.map((i) => rows[i]!),
    {
      ...(signal ? { signal } : {}),
      onRow: (at, { logProbabilities, mostLikely }) => {
        const i = missing[at]!;
        // Summed up as those that were kept are: both are equal to the last bit.
        scores[i] = { logProbability: sum(logProbabilities), logProbabilities, mostLikely };
        lines.keep(asked(rows[i]!), { logProbabilities, mostLikely });
        onRow?.(++done);
      },
    },
  );
  return { scores, computed: missing.length };
}
