/**
 * Weights of adapters by what comes of them alone, without gradients, as LoRAHub finds its own (https://arxiv.org/abs/2307.13269). Promises:
 * the same seed tries the same weights; what is returned is the best of all that were tried, the given ones among them. Pure but for `loss`.
 */
import { Random } from '../batches/random.ts';

/** LoRAHub's bounds: beyond them adapters that were trained for themselves fall apart. */
export const mostWeight = 1.5;
/** LoRAHub's price of weights: mean absolute weight, times this, beside the loss in nats. */
const weightPrice = 0.05;
/** The first steps' standard deviation: a third of the way from a half to the bound. */
const firstStep = 0.3;
/** Of a (1+1) evolution strategy whose successes are kept at a fifth: the step after a success, and after none. */
const [longer, shorter] = [1.5, 1.5 ** -0.25];
/** Weights are told, and merged, with so many decimals. */
const decimals = 3;

/** Weights that were tried. */
export interface TriedWeights {
  readonly weights: readonly number[];
  /** Mean of the data's losses, nats per token. */
  readonly loss: number;
}

export interface SearchOptions {
  /** Tried first, in order; at least one. */
  readonly start: readonly (readonly number[])[];
  /** How many are tried in all. */
  readonly tries: number;
  readonly seed: number;
  /** What weights come to; a number that is none counts as the worst. */
  readonly loss: (weights: readonly number[]) => Promise<number>;
  readonly onTry?: ((done: number, all: number) => void) | undefined;
}

const priced = ({ loss, weights }: TriedWeights): number => {
  const price = weights.reduce((sum, weight) => sum + Math.abs(weight), 0) / weights.length;
  return Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss + weightPrice * price;
};

/** Standard normal, of two uniform draws (Box and Muller). */
const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());

const bounded = (weight: number): number =>
  Number(Math.max(-mostWeight, Math.min(mostWeight, weight)).toFixed(decimals)) + 0;

/** All that were tried, the best one first. Rejects with what `loss` rejects with. */
export async function searchWeights({ loss, onTry, seed, start, tries }: SearchOptions): Promise<TriedWeights[]> {
  const random = new Random(seed);
  const tried: TriedWeights[] = [];
  let [best, step]: [TriedWeights | null, number] = [null, firstStep];
  while (tried.length < tries) {
    const given = start[tried.length];
    const weights: readonly number[] = given ?? best!.weights.map((weight) => bounded(weight + step * normal(random)));
    const next: TriedWeights = { weights, loss: await loss(weights) };
    tried.push(next);
    const isBetter = best === null || priced(next) < priced(best);
    if (given === undefined) step *= isBetter ? longer : shorter;
    if (isBetter) best = next;
    onTry?.(tried.length, tries);
  }
  return tried.sort((left, right) => priced(left) - priced(right));
}
