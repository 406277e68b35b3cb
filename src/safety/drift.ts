/**
 * How far a model's first answer tokens are from its base's: what tuning moves first, and where alignment lies (https://arxiv.org/abs/2406.05946).
 * Kullback-Leibler divergence of the base from the model at the first tokens that the base answers, over the base's likeliest tokens and all others
 * together, which is a lower bound of that over all tokens. Pure.
 */
import { mean } from '../evaluate/statistics/sums.ts';

/** Tokens of an answer that are looked at, as in the paper. */
export const firstTokens = 5;
/** Of the base's distribution at each: the most that an engine names. */
export const alternatives = 20;
/** What is left of a distribution is known to rounding. */
const least = 1e-9;

/** Where the base begins an answer. */
export interface Beginning {
  /** Its tokens in order, the one that ends it among them where it is that short. */
  readonly tokens: readonly number[];
  /** At each of them, the ids of the base's likeliest tokens. */
  readonly likeliest: readonly (readonly number[])[];
}

/** What one model gives the likeliest tokens of each place, ln p in nats. */
export type Placed = readonly (readonly number[])[];

/** KL(base || model) over the tokens given and the rest, nats; not negative. */
export function divergence(base: readonly number[], model: readonly number[]): number {
  let [sum, left, leftOf] = [0, 1, 1];
  for (const [k, log] of base.entries()) {
    const p = Math.exp(log);
    sum += p * (log - model[k]!);
    left -= p;
    leftOf -= Math.exp(model[k]!);
  }
  const [rest, restOf] = [Math.max(least, left), Math.max(least, leftOf)];
  return Math.max(0, sum + rest * Math.log(rest / restOf));
}

/** Mean over the places of one answer, nats per token. */
export const driftOf = (base: Placed, model: Placed): number =>
  mean(base.map((each, i) => divergence(each, model[i]!)));
