/**
 * Log-probabilities of many rows, over all sequences at once. Promises: what rows share is computed once; the values are those of scoreText
 * and depend on nothing that is evaluated beside; each batch is one that llama.cpp computes in one piece.
 */
import type { Token } from 'node-llama-cpp';
import { stoppedScoring } from '../chat/refusals.ts';
import type { RowScore } from '../chat/score-row.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { largestPiece } from './even-piece.ts';
import { batchTokens } from './open-context.ts';
import { groupsOf, type PlacedRow, type Step, stepsOf } from './row-groups.ts';
import { type Lane, type Sequences, sharedBeginning } from './sequences.ts';
import { scoredTogether } from './text-scores.ts';
import { askedAll, type Likelihood, likelihoods } from './token-scores.ts';

export interface RowsScoring {
  readonly signal: AbortSignal | undefined;
  readonly onRow: (index: number, score: RowScore) => void;
}

/** What was found at a position, by the token that follows it. */
type Found = ReadonlyMap<number, Likelihood>;

function rowScore({ supervised, tokens }: TokenRow, found: readonly (Found | undefined)[]): RowScore {
  const targets = [...tokens.keys()].filter((t) => t > 0 && supervised[t]);
  const each = targets.map((t) => found[t - 1]!.get(tokens[t]!)!);
  const logProbabilities = each.map(({ logProbability }) => logProbability);
  return {
    logProbability: logProbabilities.reduce((sum, value) => sum + value, 0),
    logProbabilities,
    mostLikely: each.every(({ mostLikely }) => mostLikely),
  };
}

/** One sequence, on its way through groups of rows. */
class Reader {
  private readonly lane: Lane;
  private readonly take: () => readonly PlacedRow[] | undefined;
  private readonly told: RowsScoring['onRow'];
  private steps: Step[] = [];
  private step: Step | null = null;
  /** By position of the step's row. */
  private found: (Found | undefined)[] = [];

  constructor(lane: Lane, take: () => readonly PlacedRow[] | undefined, told: RowsScoring['onRow']) {
    this.lane = lane;
    this.take = take;
    this.told = told;
    lane.alone = 0;
  }

  /** Goes on to what has to be evaluated next; false where there is nothing more. */
  async advance(): Promise<boolean> {
    while (!this.step || this.left === 0) {
      if (this.step) this.told(this.step.index, rowScore(this.step.row, this.found));
      this.step = this.nextStep();
      if (!this.step) return false;
      const { lane, step } = this;
      const held = sharedBeginning(lane.sequence.contextTokens, [...step.row.tokens] as Token[]);
      // What was evaluated in larger batches is not what rows are scored by.
      const kept = Math.min(held, lane.exact, this.firstUnknown(step));
      const beginning = [...step.row.tokens.subarray(0, kept)] as Token[];
      await lane.batches.change(() => lane.sequence.adaptStateToTokens(beginning, false));
      lane.exact = Math.min(lane.exact, lane.sequence.nextTokenIndex);
    }
    return true;
  }

  /** Grows with the sequence's number. */
  get order(): number {
    return this.lane.order;
  }

  /** Tokens to evaluate before the row is done. */
  get left(): number {
    return this.step!.length - this.lane.sequence.nextTokenIndex;
  }

  /** Evaluates so many of them. */
  async read(count: number): Promise<void> {
    const { found, lane, step } = this;
    const from = lane.sequence.nextTokenIndex;
    const tokens = [...step!.row.tokens.subarray(from, from + count)] as Token[];
    const wanted = tokens.map(
      (_, i) => (found[from + i] ? undefined : step!.wanted.get(from + i)) as Token[] | undefined,
    );
    const outputs = await lane.sequence.controlledEvaluate(
      tokens.map((token, i) => (wanted[i] ? askedAll(token, wanted[i]) : token)),
      { evaluationPriority: lane.order },
    );
    lane.exact = lane.sequence.nextTokenIndex;
    for (const [i, each] of wanted.entries()) if (each) found[from + i] = likelihoods(outputs[i], each);
  }

  /** Everything before this has been found, or nobody asks for it. */
  private firstUnknown({ length, wanted }: Step): number {
    let position = 0;
    while (position < length && (this.found[position] || !wanted.has(position))) position++;
    return position;
  }

  private nextStep(): Step | null {
    const next = this.steps.shift();
    if (next) {
      this.found.length = Math.min(this.found.length, next.shared);
      return next;
    }
    const group = this.take();
    if (!group) return null;
    this.found = [];
    this.steps = stepsOf(group);
    return this.steps.shift() ?? null;
  }
}

/**
 * Scores all rows on `lane` and whatever other sequences are free, and tells each. Rejects with NomoatError, kind `interrupted` where
 * `signal` is aborted.
 */
export async function scoreRowsFrom(
  lane: Lane,
  lanes: Sequences,
  rows: readonly PlacedRow[],
  { onRow, signal }: RowsScoring,
): Promise<void> {
  // Those of about one length are evaluated at about one time; short ones come last, so that no sequence is left with a long one.
  const groups = groupsOf(rows).sort((a, b) => b[0]!.row.tokens.length - a[0]!.row.tokens.length);
  const others = lanes.takeFree(groups.length - 1);
  try {
    let readers = [lane, ...others]
      .sort((a, b) => a.order - b.order)
      .map((each) => new Reader(each, () => groups.shift(), onRow));
    for (;;) {
      if (signal?.aborted) throw stoppedScoring();
      const going: Reader[] = [];
      for (const reader of readers) if (await reader.advance()) going.push(reader);
      readers = going;
      if (readers.length === 0) return;
      const { each, first, last } = largestPiece(readers, { each: scoredTogether, together: batchTokens });
      await lane.batches.letChange();
      await lane.batches.together(readers.slice(first, last + 1).map((reader) => () => reader.read(each)));
    }
  } finally {
    for (const each of others) lanes.give(each);
  }
}
