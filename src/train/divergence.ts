/**
 * When a run has come apart instead of learning. Pure: losses in, a judgement out.
 */

/**
 * A model that knows nothing loses the logarithm of its vocabulary a token, and one that began worse, what it began with. A run that stands
 * this many nats above both has not learnt badly: its weights have been torn apart. Losses of single batches differ by less than that.
 */
const margin = 1;
/** Steps at the end that are judged together: one batch may be hard. */
const judgedSteps = 20;
/** After so many steps in a row above the bound none was seen to come back; what follows is time lost. */
const hopelessSteps = 100;

/** The training loss has, or the log-probabilities have, left the numbers: every further step would be made of nothing. */
export class Diverged extends Error {
  override readonly name = 'Diverged';
}

/** The losses of a run's steps as they come. */
export class LossWatch {
  private readonly blind: number;
  private first: number | null = null;
  private readonly late: number[] = [];
  private steps = 0;
  private above = 0;
  /** Whether a step was ever above the bound. */
  spiked = false;

  constructor(vocabulary: number) {
    this.blind = Math.log(vocabulary);
  }

  /** Loss from which on a model is worse than one that guesses, and than this one was. */
  get bound(): number {
    return Math.max(this.blind, this.first ?? 0) + margin;
  }

  see(loss: number): void {
    this.first ??= loss;
    this.steps++;
    this.late.push(loss);
    if (this.late.length > judgedSteps) this.late.shift();
    const high = loss > this.bound;
    this.above = high ? this.above + 1 : 0;
    this.spiked ||= high;
  }

  /** Mean loss of the last steps: of the later half of a short run. */
  get end(): number {
    const taken = this.late.slice(-Math.min(judgedSteps, Math.max(1, Math.floor(this.steps / 2))));
    return taken.reduce((sum, loss) => sum + loss, 0) / taken.length;
  }

  /** Whether going on is of no use. */
  get hopeless(): boolean {
    return this.above >= hopelessSteps;
  }

  /** Whether the run ends torn apart. A validation of the result says more than the last batches do. */
  tornApart(validation: { readonly before: number | null; readonly after: number | null }): boolean {
    const { after, before } = validation;
    if (after !== null) return after > Math.max(this.blind, before ?? 0) + margin;
    return this.steps > 1 && this.end > this.bound;
  }
}
