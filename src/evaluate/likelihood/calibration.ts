/**
 * Whether a model that gives a choice 80% is right in 80 of 100 cases. Of choices among given candidates, whose likelihoods sum to one here.
 * Pure.
 */
import { mean, sum } from '../statistics/sums.ts';

/** A choice: the probability of each candidate, and which one is right. */
export interface Choice {
  readonly probabilities: readonly number[];
  readonly right: number;
}

/** Choices whose highest probability lies in the same range. */
export interface ReliabilityBin {
  /** Lowest and highest probability of the range; the lowest is not in it, but of the first. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean probability of what was chosen; 0 where nothing lies here. */
  readonly confidence: number;
  /** Share of right choices. */
  readonly accuracy: number;
}

/** How well probabilities say how often choices are right. */
export interface Calibration {
  /** Expected calibration error: mean distance of confidence and accuracy, 0 to 1, over ten bins of equal width (Guo et al., arXiv 1706.04599). */
  readonly ece: number;
  /** Brier's score: squared distance of the probabilities from 1 for the right candidate and 0 for others, summed over candidates, mean; 0 to 2. */
  readonly brier: number;
  readonly bins: readonly ReliabilityBin[];
}

const binCount = 10;

/** Probabilities of candidates with these log-probabilities, so that they sum to 1. */
export function softmax(logProbabilities: readonly number[]): number[] {
  const highest = Math.max(...logProbabilities);
  const weights = logProbabilities.map((each) => Math.exp(each - highest));
  const total = sum(weights);
  return weights.map((weight) => weight / total);
}

/** The first of the largest, as numpy's argmax. */
export const largest = (values: readonly number[]): number =>
  values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);

const meanOrNothing = (values: readonly number[]): number => (values.length === 0 ? 0 : mean(values));

/** The calibration of choices; zeros where there are none. */
export function calibrationOf(choices: readonly Choice[]): Calibration {
  const chosen = choices.map(({ probabilities, right }) => {
    const best = largest(probabilities);
    return { confidence: probabilities[best]!, isRight: best === right };
  });
  const bins = Array.from({ length: binCount }, (_, i): ReliabilityBin => {
    const inside = chosen.filter(
      ({ confidence }) => Math.min(binCount - 1, Math.max(0, Math.ceil(confidence * binCount) - 1)) === i,
    );
    return {
      from: i / binCount,
      to: (i + 1) / binCount,
      count: inside.length,
      confidence: meanOrNothing(inside.map(({ confidence }) => confidence)),
      accuracy: meanOrNothing(inside.map(({ isRight }) => Number(isRight))),
    };
  });
  const ece =
    bins.reduce((sum, { accuracy, confidence, count }) => sum + count * Math.abs(accuracy - confidence), 0) /
    Math.max(1, choices.length);
  const brier = meanOrNothing(
    choices.map(({ probabilities, right }) =>
      probabilities.reduce((sum, each, i) => sum + (each - Number(i === right)) ** 2, 0),
    ),
  );
  return { ece, brier, bins };
}
