/** What a model lost of what it knew: its loss on general text and its answers to general questions, beside those of its base. Pure. */
import { pairedPermutation } from '../statistics/resampling.ts';
import { sum } from '../statistics/sums.ts';

/** One model on the general set. */
export interface GeneralScore {
  /** Nats a token, over all texts. */
  readonly loss: number;
  /** Questions whose answer has the expected words. */
  readonly right: number;
}

/** The base and what came of it on the general set. */
export interface Forgetting {
  readonly texts: number;
  readonly questions: number;
  readonly before: GeneralScore;
  readonly after: GeneralScore;
  /** Of the loss and of the answers, paired and two-sided: not corrected. */
  readonly lossPValue: number;
  readonly answersPValue: number;
}

/** What was measured of one model. */
export interface GeneralMeasured {
  /** Of each text. */
  readonly losses: readonly { readonly nats: number; readonly tokens: number }[];
  /** Of each question, 0 or 1. */
  readonly right: readonly number[];
}

const scoreOf = ({ losses, right }: GeneralMeasured): GeneralScore => ({
  loss: sum(losses.map(({ nats }) => nats)) / sum(losses.map(({ tokens }) => tokens)),
  right: sum(right),
});

/** Compares both. */
export function forgettingOf(before: GeneralMeasured, after: GeneralMeasured): Forgetting {
  const perToken = ({ losses }: GeneralMeasured): number[] => losses.map(({ nats, tokens }) => nats / tokens);
  const differences = (a: readonly number[], b: readonly number[]): number[] => a.map((each, i) => each - b[i]!);
  return {
    texts: before.losses.length,
    questions: before.right.length,
    before: scoreOf(before),
    after: scoreOf(after),
    lossPValue: pairedPermutation(differences(perToken(after), perToken(before))),
    answersPValue: pairedPermutation(differences(after.right, before.right)),
  };
}
