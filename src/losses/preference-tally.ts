/** What a batch's preferences came to: sums that become the figures which people are shown. Pure. */

/** Means over pairs, or over labelled answers of each kind. */
export interface PreferenceFigures {
  /** Mean reward of the chosen answers, or of the good ones; null where there are none. */
  readonly chosenReward: number | null;
  /** The same of the rejected answers, or of the bad ones. */
  readonly rejectedReward: number | null;
  /** By how much the first is the higher; null where either is. */
  readonly margin: number | null;
  /** Pairs, or labelled answers. */
  readonly count: number;
  /** Share (0 to 1) of the pairs whose chosen answer has the higher reward, where both are equal half of one: a model that is its own reference guesses; null without pairs. */
  readonly accuracy: number | null;
  /** Mean log-probability of a chosen or good answer's tokens, nats per token. */
  readonly chosenLogProbability: number | null;
  /** The same of rejected or bad answers. */
  readonly rejectedLogProbability: number | null;
}

interface Side {
  reward: number;
  answers: number;
  logProbability: number;
  tokens: number;
}

const none = (): Side => ({ reward: 0, answers: 0, logProbability: 0, tokens: 0 });

/** An answer that was seen. */
export interface SeenAnswer {
  readonly reward: number;
  /** Sum over its tokens. */
  readonly logProbability: number;
  readonly tokens: number;
}

/** Rewards nearer to each other than this differ by rounding alone, as before the first step. */
const tie = 1e-6;

export class PreferenceTally {
  private readonly chosen = none();
  private readonly rejected = none();
  /** Pairs, and those whose chosen answer has the higher reward; a tie is half of one. */
  pairs = 0;
  right = 0;

  answer(good: boolean, { logProbability, reward, tokens }: SeenAnswer): void {
    const side = good ? this.chosen : this.rejected;
    side.reward += reward;
    side.answers++;
    side.logProbability += logProbability;
    side.tokens += tokens;
  }

  pair(chosen: SeenAnswer, rejected: SeenAnswer): void {
    this.answer(true, chosen);
    this.answer(false, rejected);
    this.pairs++;
    const difference = chosen.reward - rejected.reward;
    this.right += Math.abs(difference) < tie ? 0.5 : Number(difference > 0);
  }

  get figures(): PreferenceFigures {
    const { chosen, pairs, rejected, right } = this;
    const reward = (side: Side): number | null => (side.answers > 0 ? side.reward / side.answers : null);
    const perToken = (side: Side): number | null => (side.tokens > 0 ? side.logProbability / side.tokens : null);
    const [won, lost] = [reward(chosen), reward(rejected)];
    return {
      count: pairs > 0 ? pairs : chosen.answers + rejected.answers,
      chosenReward: won,
      rejectedReward: lost,
      margin: won === null || lost === null ? null : won - lost,
      accuracy: pairs > 0 ? right / pairs : null,
      chosenLogProbability: perToken(chosen),
      rejectedLogProbability: perToken(rejected),
    };
  }
}
