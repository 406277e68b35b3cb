/**
 * What a run learns from preferences: the loss of a batch of pairs, or of answers with labels, beside the reference's log-probabilities.
 * Promises: the loss is a mean over the whole batch, whatever micro-batches it comes in. Knows the losses (src/losses) and no step but as it
 * gives log-probabilities.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';
import { labelledLoss } from '../losses/labelled-loss.ts';
import { type AnswerScore, pairLoss } from '../losses/pair-losses.ts';
import { type PreferenceFigures, PreferenceTally } from '../losses/preference-tally.ts';
import { hasReference, isPreferenceMethod, wantsPairs } from '../settings/methods.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import type { Answer, TokenRow } from '../tokens/token-row.ts';
import type { LossOfTokens, TrainStep } from './step.ts';

export type PreferenceSettings = Pick<
  RunSettings,
  | 'method'
  | 'beta'
  | 'lossType'
  | 'labelSmoothing'
  | 'gamma'
  | 'sftShare'
  | 'desirableWeight'
  | 'undesirableWeight'
  | 'sequenceLength'
>;

/** Tokens of an answer that are learnt; nothing predicts the first of a row. */
export function answerTokens({ supervised }: Answer): number {
  let count = 0;
  for (let t = 1; t < supervised.length; t++) count += supervised[t]!;
  return count;
}

/** The answers of a batch's rows in the order of its log-probabilities: of a pair the preferred one first. */
export const answersOf = ({ rejected, ...row }: TokenRow): Answer[] => (rejected ? [row, rejected] : [row]);

/** Sums of log-probabilities, by the answers of each row. */
export function sumsOf({ rows = [] }: PackedBatch, logProbabilities: Float32Array): number[][] {
  let at = 0;
  return rows.map((row) =>
    answersOf(row).map((answer) => {
      const end = at + answerTokens(answer);
      let sum = 0;
      while (at < end) sum += logProbabilities[at++]!;
      return sum;
    }),
  );
}

/**
 * Each row's prompt with the answer of the row before it, the first one's with the last's: how likely the model finds answers that do not
 * belong there says how far it has moved from its reference (KTO's estimate of the divergence).
 */
export function mismatched(rows: readonly TokenRow[], maxTokens: number): TokenRow[] {
  return rows.map((row, i) => {
    const other = rows.at(i - 1)!;
    const prompt = row.tokens.subarray(0, row.supervised.indexOf(1));
    const answer = other.tokens.subarray(other.supervised.indexOf(1));
    const tokens = Int32Array.from([...prompt, ...answer]).subarray(0, Math.max(prompt.length + 1, maxTokens));
    const supervised = Uint8Array.from(tokens, (_, t) => Number(t >= prompt.length && t > 0));
    return { tokens, supervised, source: row.source };
  });
}

/** What the reference gives: the sums of log-probabilities of each row's answers, and of the answer that does not belong to it. */
export interface Reference {
  readonly answers: ReadonlyMap<TokenRow, readonly number[]>;
  /** Only for KTO. */
  readonly mismatched: ReadonlyMap<TokenRow, { readonly row: TokenRow; readonly sum: number }>;
}

export const noReference: Reference = { answers: new Map(), mismatched: new Map() };

/** How log-probabilities of many rows are come by. */
export type SumRows = (rows: readonly TokenRow[]) => Promise<number[][]>;

/** The reference's sums for the rows of each set, which are mismatched among themselves. */
export async function referenceOf(
  settings: PreferenceSettings,
  sets: readonly (readonly TokenRow[])[],
  sums: SumRows,
): Promise<Reference> {
  if (!hasReference(settings.method)) return noReference;
  const answers = new Map<TokenRow, readonly number[]>();
  const others = new Map<TokenRow, { row: TokenRow; sum: number }>();
  for (const rows of sets) {
    for (const [i, each] of (await sums(rows)).entries()) answers.set(rows[i]!, each);
    if (wantsPairs(settings.method)) continue;
    const made = mismatched(rows, settings.sequenceLength);
    for (const [i, [sum]] of (await sums(made)).entries()) others.set(rows[i]!, { row: made[i]!, sum: sum! });
  }
  return { answers, mismatched: others };
}

/** A batch's loss as its micro-batches come in. */
export class PreferenceBatch {
  private readonly settings: PreferenceSettings;
  private readonly reference: Reference;
  /** What its rows count together. */
  private readonly rows: number;
  private readonly chosenTokens: number;
  private readonly divergence: number;
  private readonly tally = new PreferenceTally();
  private sum = 0;

  /** `divergence` from the reference, nats; only for KTO. */
  constructor(settings: PreferenceSettings, reference: Reference, batches: readonly PackedBatch[], divergence: number) {
    this.settings = settings;
    this.reference = reference;
    const rows = batches.flatMap((batch) => batch.rows ?? []);
    this.rows = rows.reduce((sum, { weight = 1 }) => sum + weight, 0);
    this.chosenTokens = rows.reduce((sum, { weight = 1, ...row }) => sum + weight * answerTokens(row), 0);
    this.divergence = divergence;
  }

  /** Counts a micro-batch in; returns the gradient of the batch's loss with respect to its log-probabilities. */
  readonly lossOf: LossOfTokens = (logProbabilities, batch) => {
    const weights = new Float32Array(logProbabilities.length);
    let at = 0;
    const sums = sumsOf(batch, logProbabilities);
    batch.rows?.forEach((row, i) => {
      const gradients = this.gradientsOf(row, sums[i]!);
      answersOf(row).forEach((answer, side) => {
        const end = at + answerTokens(answer);
        weights.fill(gradients[side]!, at, end);
        at = end;
      });
    });
    return weights;
  };

  private scoreOf(row: TokenRow, side: number, sums: readonly number[]): AnswerScore {
    const answer = side === 0 ? row : row.rejected!;
    const reference = this.reference.answers.get(row)?.[side] ?? 0;
    return { logProbability: sums[side]!, reference, tokens: answerTokens(answer) };
  }

  /** By answer of the row. */
  private gradientsOf(row: TokenRow, sums: readonly number[]): number[] {
    const { settings, tally } = this;
    const share = (row.weight ?? 1) / this.rows;
    const chosen = this.scoreOf(row, 0, sums);
    if (!wantsPairs(settings.method)) {
      const good = row.label ?? true;
      const { gradient, loss, reward } = labelledLoss(chosen, good, this.divergence, {
        ...settings,
        beta: settings.beta ?? 0,
      });
      tally.answer(good, { ...chosen, reward });
      this.sum += loss * share;
      return [gradient * share];
    }
    const rejected = this.scoreOf(row, 1, sums);
    const { beta, gamma, labelSmoothing, lossType, method } = settings;
    const found = pairLoss(chosen, rejected, {
      method,
      lossType,
      beta: beta ?? 0,
      gamma: gamma ?? 0,
      labelSmoothing: labelSmoothing ?? 0,
    });
    tally.pair({ ...chosen, reward: found.rewards.chosen }, { ...rejected, reward: found.rewards.rejected });
    // The cross-entropy is a mean over the batch's tokens; ORPO's loss has it as a part of its own.
    const likelihood = ((row.weight ?? 1) * (method === 'orpo' ? 1 : settings.sftShare)) / this.chosenTokens;
    this.sum += found.loss * share - likelihood * chosen.logProbability;
    return [found.chosen * share - likelihood, found.rejected * share];
  }

  /** Of what was counted in. */
  get loss(): number {
    return this.sum;
  }

  get figures(): PreferenceFigures {
    return this.tally.figures;
  }
}

/** What a run of a preference method learns with. */
export class Preferences {
  private readonly settings: PreferenceSettings;
  private readonly reference: Reference;

  constructor(settings: PreferenceSettings, reference: Reference) {
    this.settings = settings;
    this.reference = reference;
  }

  /** Null for other methods. */
  static of(settings: PreferenceSettings, reference: Reference): Preferences | null {
    return isPreferenceMethod(settings.method) ? new Preferences(settings, reference) : null;
  }

  /** A batch that comes in these micro-batches; `sums` asks the model as it is now. */
  async begin(batches: readonly PackedBatch[], sums: SumRows): Promise<PreferenceBatch> {
    const others = batches.flatMap(({ rows = [] }) => rows.flatMap((row) => this.reference.mismatched.get(row) ?? []));
    if (others.length === 0) return new PreferenceBatch(this.settings, this.reference, batches, 0);
    const now = await sums(others.map(({ row }) => row));
    const moved = others.reduce((total, { sum }, i) => total + now[i]![0]! - sum, 0) / others.length;
    return new PreferenceBatch(this.settings, this.reference, batches, Math.max(0, moved));
  }
}

/** Sums by a step, in micro-batches as `pack` makes them; `pause` lets others in after each. */
export const sumsBy =
  (
    step: Pick<TrainStep, 'logProbabilities' | 'evaluatedTogether'>,
    calls: (rows: readonly TokenRow[]) => PackedBatch[][],
    pause: () => Promise<void>,
  ): SumRows =>
  async (rows) => {
    const sums: number[][] = [];
    for (const batches of calls(rows)) {
      const values = await step.logProbabilities(batches);
      for (const [i, each] of values.entries()) sums.push(...sumsOf(batches[i]!, each));
      await pause();
    }
    return sums;
  };
