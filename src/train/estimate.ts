/** What a run will take, judged by its first steps. */
import { batchIndices, stepsPerEpoch } from '../batches/order.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import type { EstimateEvent } from '../events.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import type { TokenRow } from '../tokens/token-row.ts';

/** Steps whose speed the estimate is made from; the first one warms up. */
export const measuredSteps = 3;
/** Steps whose micro-batches are looked at for the estimate of memory: the order of the rows is drawn anew for each. */
const forecastSteps = 200;

/** What is estimated. */
export interface Ahead {
  /** The step that this process began with. */
  readonly first: number;
  readonly state: { readonly step: number };
  readonly steps: number;
  readonly settings: Pick<RunSettings, 'batchSize' | 'seed' | 'shuffle'>;
  readonly train: readonly TokenRow[];
  readonly validation: readonly TokenRow[];
  readonly validateEvery: number;
  /** Rows as the micro-batches that they are computed in. */
  readonly pack: (rows: readonly TokenRow[]) => readonly PackedBatch[];
}

export class Estimation {
  private trainedTokens = 0;
  private trainedSeconds = 0;
  /** Memory with everything loaded and nothing computed. */
  private readonly idleBytes = process.memoryUsage.rss();
  private largestSeen = 1;

  sees(batches: readonly PackedBatch[]): void {
    this.largestSeen = Math.max(this.largestSeen, ...batches.map(({ tokens }) => tokens.length));
  }

  /** A step was computed. */
  trained(tokens: number, seconds: number): void {
    this.trainedTokens += tokens;
    this.trainedSeconds += seconds;
  }

  /** Tokens of the largest micro-batch among the next steps, up to an epoch of them. */
  private largestToCome({ pack, settings, state, steps, train }: Ahead): number {
    const end = Math.min(
      steps,
      state.step + stepsPerEpoch(train.length, settings.batchSize),
      state.step + forecastSteps,
    );
    let largest = this.largestSeen;
    for (let step = state.step; step < end; step++) {
      const rows = batchIndices(step, { rows: train.length, ...settings }).map((i) => train[i]!);
      for (const { tokens } of pack(rows)) largest = Math.max(largest, tokens.length);
    }
    return largest;
  }

  /**
   * Time of training and validation from the step `first` on, with which this process began, judged by its steps so far, validation at a
   * third of training's cost per token; and the peak of this process's memory while training, what computing took so far growing as the
   * largest micro-batch does.
   */
  event(ahead: Ahead): EstimateEvent {
    const { first, steps, validateEvery: every, validation } = ahead;
    const tokensPerSecond = this.trainedTokens / this.trainedSeconds;
    const perStep = this.trainedSeconds / measuredSteps;
    const held = validation.reduce((total, { tokens }) => total + tokens.length, 0);
    // Those of the steps that are passed, the last step's, and the one before training.
    const due = Math.ceil(steps / every) - Math.floor(first / every) + (first === 0 ? 1 : 0);
    const validations = held > 0 ? due : 0;
    const seconds = perStep * (steps - first) + (validations * held) / (3 * tokensPerSecond);
    const peak = process.resourceUsage().maxRSS * 1024;
    const growth = this.largestToCome(ahead) / this.largestSeen;
    const peakMemoryBytes = Math.round(this.idleBytes + Math.max(0, peak - this.idleBytes) * growth);
    return { type: 'estimate', seconds, peakMemoryBytes: Math.max(peak, peakMemoryBytes), tokensPerSecond };
  }
}
